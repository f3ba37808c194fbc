// A new journal from what can still be read of one that is damaged, or whose file was taken away.
// Thread: the journal's, or before it starts.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "journal/page_images.h"
#include "journal/room.h"

namespace leat {

struct Salvaged {
  uint64_t positions = 0;
  uint64_t batches = 0;
  uint64_t records = 0;  // in those
  uint64_t unknown = 0;  // records of which nobody knows any more whose they are
};

struct JournalFiles {
  RawFile database;
  RawFile wal;
  // The machine was started since the WAL was written last: what is behind its first bad frame may
  // have reached the disk without what was committed before it.
  bool power_cut = false;
};

// Makes a journal, `path`.rebuilt, of every row that can be read whole in any page; after a power
// cut positions are only taken from before the first bad frame, since rows that they cover may be
// missing there. A row without its position comes twice at worst. It is on the
// disk when this returns, and has that name only when all of it is; its WAL is empty. After an
// error nothing is there. The reserve of `room` goes when it is needed; where there is no room even
// so nothing is written, and the error tells how much it takes.
Result<Salvaged> salvage(const JournalFiles& files, const std::string& path, Room& room,
                         const Clock& clock);

// Puts it in the place of `path`. What is there now, with its WAL, is renamed to the first free
// ".damaged-N", which is returned ("" when nothing was there). After an error the rebuilt one is
// still there: it may be the only place that has what it holds.
Result<std::string> put_in_place(const std::string& path);
// Does that for one that an earlier run, or an attempt that failed, has left.
Status finish_putting_in_place(const std::string& path);

}  // namespace leat
