#include "protocols/postgres/server_message.h"

#include <charconv>

#include "base/text.h"

namespace leat::postgres {
namespace {

constexpr size_t kExcerpt = 300;

tl::unexpected<Error> malformed(const char* what) {
  return fail(ErrorKind::kUnavailable, std::string("the server sent a malformed ") + what);
}

// Of several lines, as errors in XML are, one.
std::string shown(std::string_view text) {
  std::string out(text);
  for (size_t at = 0; (at = out.find('\n', at)) != std::string::npos; at += 3)
    out.replace(at, 1, " / ");
  return excerpt(out, kExcerpt);
}

}  // namespace

ServerError read_error(std::string_view body) {
  ServerError error;
  BodyReader reader(body);
  while (char field = static_cast<char>(reader.byte())) {
    std::string text(reader.text());
    if (!reader.ok()) break;  // it was cut
    switch (field) {
      case 'V':  // never translated; 'S' would be
        error.fatal = text == "FATAL" || text == "PANIC";
        break;
      case 'C':
        error.sqlstate = std::move(text);
        break;
      case 'M':
        error.text = std::move(text);
        break;
      case 'D':
        error.detail = std::move(text);
        break;
      case 'H':
        error.hint = std::move(text);
        break;
      case 'W':
        error.context = std::move(text);
        break;
      case 'n':
        error.constraint = std::move(text);
        break;
      case 'R':
        error.routine = std::move(text);
        break;
      default:
        break;
    }
  }
  return error;
}

std::string ServerError::message() const {
  std::string out = text.empty() ? "the server gave no reason" : shown(text);
  if (!detail.empty()) out += " (" + shown(detail) + ")";
  if (!hint.empty()) out += "; hint: " + shown(hint);
  if (!sqlstate.empty()) out += ", SQLSTATE " + excerpt(sqlstate, 5);
  return out;
}

Result<Row> read_row(std::string_view body) {
  BodyReader reader(body);
  int columns = reader.int16();
  if (columns < 0) return malformed("row");
  Row row;
  for (int i = 0; i < columns && reader.ok(); ++i) {
    int32_t size = reader.int32();
    if (size < -1) return malformed("row");
    if (size == -1) {
      row.emplace_back();
    } else {
      row.emplace_back(std::string(reader.bytes(static_cast<size_t>(size))));
    }
  }
  if (!reader.ok() || !reader.at_end()) return malformed("row");
  return row;
}

Result<std::vector<RowColumn>> read_description(std::string_view body) {
  BodyReader reader(body);
  const int count = reader.int16();
  std::vector<RowColumn> columns;
  for (int i = 0; i < count && reader.ok(); ++i) {
    RowColumn& column = columns.emplace_back();
    column.name = reader.text();
    (void)reader.int32();  // the table, and the column's number in it
    (void)reader.int16();
    column.type = static_cast<uint32_t>(reader.int32());
    (void)reader.int16();  // its size, its modifier, and the format
    (void)reader.int32();
    (void)reader.int16();
  }
  if (count < 0 || !reader.ok() || !reader.at_end()) return malformed("description of rows");
  return columns;
}

uint64_t copy_line(const ServerError& error, std::string_view table) {
  const std::string start = "COPY " + std::string(table);
  std::string_view left = error.context;
  while (!left.empty()) {
    size_t end = left.find('\n');
    std::string_view line = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    if (!line.starts_with(start)) continue;
    size_t digit = line.find_first_of("0123456789", start.size());
    if (digit == std::string_view::npos) continue;
    uint64_t number = 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), number);
    return number;
  }
  return 0;
}

}  // namespace leat::postgres
