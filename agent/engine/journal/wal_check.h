// What a start finds in the WAL that SQLite would not read, and so write over.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "journal/page_images.h"
#include "journal/spool_table.h"

namespace leat {

// At most one of the two; neither: all that is in it is read.
struct WalCheck {
  std::string damage;  // what was stored, and would be lost; "" when nothing is
  // From here on (bytes) it belongs to nothing any more, and must go before anything is written:
  // it would be taken for damage later. `torn` says why.
  std::optional<int64_t> cut_off_at;
  std::string torn;
  // The spooled rows that go with it, but for those of which is said there that they are delivered.
  // Of rows that were written again, as when a page is divided, one may be in what stays, too.
  std::vector<RowIdentity> rows;
};

// `power_cut`: the machine was started since it was written last. kUnavailable when a part of it
// cannot be read: that says nothing about what is stored there.
Result<WalCheck> check_wal(const RawFile& wal, const RawFile& database, bool power_cut);

}  // namespace leat
