// Which columns an SQL expression compares with a number, or with each other: in SQL every text is
// greater than every number, and equal to none, so that a mistyped reading passes `temp > 40`, and
// whoever wrote that should hear of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat {

class InputTable;

struct Comparison {
  std::string name;
  std::string with;  // another name; empty: a number
  bool operator==(const Comparison&) const = default;
};

// Each once, with names as they are written there (without quotes): `temp > 40`, `40 <= "Temp"`,
// `temp > lim`, `temp BETWEEN 1 AND hi`, `temp IN (1, 2)`, `CASE temp WHEN 1`, `max(temp, 40)`, and
// `max(temp)`, which compares a column with itself. A name in a calculation is none: there SQL
// makes a number of it. Nor is one that the text gives to something else (`… AS temp`, a WITH), or
// of which it asks the type (`typeof(temp)`): who wrote that knows.
std::vector<Comparison> comparisons_in(std::string_view sql);

// Says so once for each field that is compared with a number in `sql`, or with a field that was
// one, and was read as a text.
class NumberComparisons {
 public:
  NumberComparisons() = default;
  // `path` is that of the option.
  NumberComparisons(std::string_view sql, std::string path)
      : comparisons_(comparisons_in(sql)), path_(std::move(path)) {}

  // After a run over the table.
  void report(const InputTable& table);

 private:
  std::vector<Comparison> comparisons_;  // that were not seen to be of a text and a number
  std::string path_;
};

}  // namespace leat
