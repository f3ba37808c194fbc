// Where a connection gets the data of a COPY from.
#pragma once

#include <string>

#include "protocols/postgres/buffer.h"

namespace leat::postgres {

// Gives COPY data piece by piece, as fast as the server takes it.
class CopySource {
 public:
  virtual ~CopySource() = default;
  struct Piece {
    enum class Kind {
      kMore,   // there is more
      kEnd,    // the data is complete; `sql` (also another COPY) is to follow at once
      kAbort,  // the COPY must fail
    };
    Kind kind = Kind::kMore;
    std::string sql = {};
    bool copies_again = false;  // `sql` asks for data, too
  };
  // Appends data (may be none) to the buffer; the message around it is made by the caller.
  virtual Piece next(Buffer& out) = 0;
};

}  // namespace leat::postgres
