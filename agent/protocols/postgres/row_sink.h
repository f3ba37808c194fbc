// Where a connection puts the rows of a SELECT, one by one as they arrive.
#pragma once

#include <string_view>
#include <vector>

#include "protocols/postgres/server_message.h"

namespace leat::postgres {

// Must not destroy the connection.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // Before the first row; also when there is none.
  virtual void columns(std::vector<RowColumn> columns) = 0;
  // The body of a DataRow message, valid during the call. False: not now. The connection then reads
  // nothing more, and gives the same row again after Connection::go_on().
  virtual bool row(std::string_view body) = 0;
  // Whether values are to come in the binary form of their types, from one statement; else as text.
  // Asked once, before the statement is sent.
  virtual bool binary() const { return false; }
  // Bytes of a row's body. Longer ones come to long_row(), which is like row(), with so many
  // `bytes` cut to what LongRow keeps of them.
  virtual size_t longest_row() const = 0;
  virtual bool long_row(std::string_view body, size_t bytes) = 0;
};

}  // namespace leat::postgres
