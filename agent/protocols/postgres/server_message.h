// What the server's messages mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {

// Fields of ErrorResponse and NoticeResponse
// (https://www.postgresql.org/docs/current/protocol-error-fields.html).
struct ServerError {
  std::string sqlstate;  // five characters
  std::string text;      // in the server's language
  std::string detail;
  std::string hint;
  std::string context;  // several lines
  std::string constraint;
  std::string routine;  // of the server's source, where it was raised: in no language
  bool fatal = false;   // the session is over

  // One line for people: 'duplicate key value … (Key (id)=(5) already exists.), SQLSTATE 23505'.
  std::string message() const;
};

// Never fails: what cannot be read is left empty.
ServerError read_error(std::string_view body);

// Values of a DataRow as text; nullopt is null.
using Row = std::vector<std::optional<std::string>>;
Result<Row> read_row(std::string_view body);

// What a RowDescription says of a column.
struct RowColumn {
  std::string name;
  uint32_t type = 0;  // pg_type.oid; of a domain, of what it is based on
  bool operator==(const RowColumn&) const = default;
};
Result<std::vector<RowColumn>> read_description(std::string_view body);

// Line (counted from 1) that COPY into `table` was at, from the context of an error:
// "COPY readings, line 17, column temp". The server may speak any language, so only the order of
// the table's name and the number counts. 0: it does not say.
uint64_t copy_line(const ServerError& error, std::string_view table);

}  // namespace leat::postgres
