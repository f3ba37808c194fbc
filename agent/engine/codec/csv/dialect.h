// What a CSV file looks like: the option tables of `csv`, and what they mean once checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time_format.h"
#include "codec/text/charset.h"
#include "options/options.h"
#include "record/value.h"

namespace leat {

extern const std::span<const Option> kCsvReadOptions;
extern const std::span<const Option> kCsvWriteOptions;

// One entry of `columns`.
struct CsvColumn {
  std::optional<uint32_t> index;  // counted from 0
  std::string name;
  Type type = Type::kString;
  std::optional<TimeFormat> time;  // for Type::kTime
};

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
  bool quoting = true;  // false: quote characters mean nothing
  bool header = true;
  // Reading:
  uint64_t start_row = 1;           // physical line, counted from 1
  std::string comment;              // lines that start with it are skipped; "" for none
  std::optional<std::string> null;  // an unquoted field with this text is null
  bool infer = true;                // numbers and bools in columns that are not listed
  bool missing_is_null = false;     // else a row with too few fields is wrong
  TextReader text;                  // the characters of fields and names
  std::vector<CsvColumn> columns;
  bool others = false;  // without header: columns that are not listed are fields, too
  // Writing:
  TextWriter written;

  bool is_comment(std::string_view line) const {
    return !comment.empty() && line.starts_with(comment);
  }

  // Writing, in a header: without quotes, some names cannot stand there.
  bool can_name(std::string_view name) const {
    return quoting || (!name.empty() && name.find(delimiter) == std::string_view::npos &&
                       name.find_first_of("\r\n") == std::string_view::npos);
  }

  static Result<CsvDialect> for_reading(const Options& options);
  // Only delimiter, quote, header and encoding; the encoder reads the rest itself.
  static Result<CsvDialect> for_writing(const Options& options);
};

}  // namespace leat
