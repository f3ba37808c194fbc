// A new journal from what can still be read of one that is damaged, or whose file was taken away.
// Thread: the journal's, or before it starts.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "journal/page_images.h"

namespace leat {

struct Salvaged {
  uint64_t positions = 0;
  uint64_t batches = 0;
  uint64_t records = 0;  // in those
  uint64_t unknown = 0;  // records of which nobody knows any more whose they are
};

// Makes the journal `into`, where none may be, of every row that can be read whole in any page. It
// is on the disk when this returns; its WAL is empty. After an error nothing is there.
Result<Salvaged> salvage(const PageImages& pages, const std::string& into);

// The name of a journal that is being made to take the place of `path`.
std::string rebuilt_path(const std::string& path);
// Puts it there. What is there now, with its WAL, is renamed to the first free ".damaged-N", which
// is returned ("" when nothing was there).
Result<std::string> put_in_place(const std::string& path);
// After a crash between the two renames of put_in_place(), or before them. At the start.
Status finish_putting_in_place(const std::string& path);

}  // namespace leat
