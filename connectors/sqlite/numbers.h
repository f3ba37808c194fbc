// Numbers on their way into a column. SQLite makes of them what the column's declared type asks for
// ("affinity"), and rounds without a word where that cannot hold them. Here such a number is
// refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/value.h"

namespace leat::sqlite {

// https://sqlite.org/datatype3.html section 3.1.
enum class Affinity : uint8_t { kNone, kText, kInteger, kReal, kNumeric };
Affinity affinity_of(std::string_view declared_type, bool strict_table);
// A column that is meant for booleans, which SQLite has as 0 and 1: INTEGER, BOOLEAN, or without a
// type. In any other column of numbers a 1 would be a reading.
bool takes_bool(std::string_view declared_type, Affinity affinity);
const char* name_of(Affinity affinity);  // "an INTEGER", to be put before "column"

// What is bound for a number.
struct BoundNumber {
  enum class As : uint8_t { kInteger, kReal, kText };
  As as = As::kReal;
  int64_t integer = 0;
  double real = 0;
};

class Numbers {
 public:
  // How `value`, a kInteger, kFloat or kDecimal, is bound for such a column: exactly, but that a
  // column of REALs, and any column for a fraction of up to 17 digits, takes the nearest double.
  // kText: its text as it is. Nullopt: problem() says why it cannot be stored.
  std::optional<BoundNumber> bound(const Value& value, Affinity affinity);

  // Whether SQLite stores text that looks like a number as what it says. Text that it does not take
  // for one is no matter here.
  bool keeps(std::string_view text, Affinity affinity);

  const char* problem() const { return problem_; }  // "it is beyond 64 bits"

 private:
  std::optional<BoundNumber> refuse(const char* problem) {
    problem_ = problem;
    return std::nullopt;
  }

  const char* problem_ = "";
  std::string digits_;
};

}  // namespace leat::sqlite
