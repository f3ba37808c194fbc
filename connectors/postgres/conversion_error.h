// Why a value cannot go into a column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/postgres/column.h"
#include "record/value.h"

namespace leat::postgres {

enum class ConversionError : uint8_t {
  kNone,      // it can
  kType,      // a time into an integer column
  kSyntax,    // the text "abc" into a numeric column
  kRange,     // 70000 into a smallint column
  kFraction,  // 1.5 into an integer column
  kNul,       // text with a NUL character
  kUtf8,      // text that is not UTF-8
  kTooLong,   // for varchar(n), or at all
  kZeros,     // "01234" into a number, where the column's type was only guessed
  kRounded,   // 9007199254740993 into a double precision column, likewise
  kNull,      // null or absent, for a column that is NOT NULL
};

// "field temp: this string is no valid double precision (column temp)". The value is left out: the
// reason is the same for all records with the same fault, so that one round takes out all of them.
std::string reason_of(ConversionError error, const Value& value, std::string_view field,
                      const Column& column);

}  // namespace leat::postgres
