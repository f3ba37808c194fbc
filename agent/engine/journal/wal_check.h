// What a start finds in the WAL that SQLite would not read, and so write over.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "journal/page_images.h"

namespace leat {

// At most one of the two; neither: all that is in it is read.
struct WalCheck {
  std::string damage;  // what was stored, and would be lost; "" when nothing is
  // From here on (bytes) it belongs to nothing any more, and must go before anything is written:
  // it would be taken for damage later. `torn` says why.
  std::optional<int64_t> cut_off_at;
  std::string torn;
};

// `power_cut`: the machine was started since it was written last. kUnavailable when a part of it
// cannot be read: that says nothing about what is stored there.
Result<WalCheck> check_wal(const RawFile& wal, const RawFile& database, bool power_cut);

}  // namespace leat
