// leat's values as the text that the server's input functions read.
//
// One rule for every way of writing: a string is what the server makes of the same text, as psql
// would store it; a number goes with all its digits. What leat changes, since its values have types
// and a text has not, is in convert(). What it refuses by itself is only what no server would take
// (implausible.h): the last word is the server's.
//
// Why text, and not binary COPY, which was here before: measured in one run on five typical tables
// (tests/bench/RESULTS.md, "COPY as text or binary"), text costs leat 0.5 to 1.1 times the CPU, as
// most numbers and times come in as text and need not be understood any more, and the server 0.9 to
// 1.1 times on rows of text, numerics and JSON; on rows of floats and times 1.3 to 1.6 times, which
// is half a microsecond for a row of telemetry. For that, binary asked for an encoder of each type,
// with a reading of text of its own that differed from the server's in every corner, and was text
// all the same for whole tables with one column of any other type. Rows that pass through from
// another PostgreSQL undecoded are another matter: binary_rows.h.
//
// Thread: one at a time.
#pragma once

#include <string>
#include <string_view>

#include "connectors/postgres/column.h"
#include "connectors/postgres/conversion_error.h"
#include "record/value.h"

namespace leat::postgres {

class FieldText {
 public:
  // `value` is neither null nor absent. `text` is not escaped in any way; it is valid until the
  // next call, and as long as what `value` points to.
  ConversionError of(const Column& column, const Value& value, std::string_view& text);

 private:
  static ConversionError check_guess(Kind kind, const Value& value);
  ConversionError convert(Kind kind, const Value& value, std::string_view& text);
  ConversionError of_string(Kind kind, const Value& value, std::string_view& text);
  ConversionError of_number(Kind kind, const Value& value, std::string_view& text);
  ConversionError of_time(Kind kind, const Value& value, std::string_view& text);
  ConversionError of_array(const Column& column, std::string_view json, std::string_view& text);
  std::string_view as_it_is(const Value& value);
  std::string_view as_json(const Value& value);

  std::string plain_;  // the meaning of a value
  std::string text_;   // what is made of it
  std::string array_;
};

// A string that is a number with zeros before it, which a column of numbers would lose.
bool has_leading_zeros(const Value& value);
// A whole number of more digits than a double has.
bool is_large_integer(const Value& value);

// Whether text can be stored: UTF-8 without NUL.
ConversionError check_text(std::string_view text);

// Characters of UTF-8 text.
int64_t characters(std::string_view text);

}  // namespace leat::postgres
