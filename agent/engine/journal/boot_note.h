// In which boot of the machine a journal was last open: "<journal>.boot", with the id that the
// kernel gives each boot. What was written in this one is there, synced or not; of what was written
// in another, a power cut may have taken what was not synced. Clocks do not tell: many boards have
// none, and others are set.
//
// It needs no sync: whatever a power cut leaves of it is not the id of the next boot. Thread: any,
// one at a time.
#pragma once

#include <string>

#include "base/clock.h"

namespace leat {

// Whether the machine was started since the journal's WAL was written last: not all of it need be
// on the disk. Where nothing is noted, clocks must do. False when there is no WAL.
bool is_of_another_boot(const std::string& journal, const Clock& clock);
// Notes that it is open in this one. Needs no room where there is a note.
void note_boot(const std::string& journal);

}  // namespace leat
