// One CSV field to a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/csv/table.h"
#include "codec/text/json_scanner.h"
#include "memory/arena.h"

namespace leat {

struct CsvField {
  char* data = nullptr;
  uint32_t size = 0;
  bool quoted = false;
  bool doubled = false;  // has doubled quotes in it still

  std::string_view view() const { return {data, size}; }
};

class CsvValueReader {
 public:
  // The dialect outlives the reader.
  explicit CsvValueReader(const CsvDialect& dialect)
      : dialect_(dialect), text_(dialect.text), scanner_(false) {}

  // Nothing at or behind `end` is read. `arena` takes what has to be written anew.
  void begin(const char* end, Arena& arena) {
    scanner_.set_end(end);
    arena_ = &arena;
  }

  // False when the field is not of the target's type; then problem() says what is wrong with it:
  // "'abc' is not a float". `clean`: the field is known to be plain
  // text (TextReader::is_plain).
  bool read(const CsvTarget& target, const CsvField& field, bool clean, Value& out);
  const std::string& problem() const { return problem_; }

 private:
  bool text(const CsvField& field, bool clean, Value& out);
  bool inferred(const CsvField& field, bool clean, Value& out);
  bool typed(const CsvTarget& target, std::string_view text, Value& out);
  bool integer(std::string_view text, Value& out);
  bool real(std::string_view text, Value& out);
  bool decimal(std::string_view text, Value& out);
  bool time(const TimeFormat& format, std::string_view text, Value& out);
  bool number(std::string_view text, Value& out);
  bool refuse(std::string_view text, std::string_view what);

  const CsvDialect& dialect_;
  TextReader text_;
  JsonScanner scanner_;
  Arena* arena_ = nullptr;
  std::string problem_;
};

}  // namespace leat
