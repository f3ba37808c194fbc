// Which columns an SQL expression compares with a number: in SQL every text is greater than every
// number, so that a mistyped reading passes `temp > 40`, and whoever wrote that should hear of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat {

class InputTable;

// Each name once, as it is written there (without quotes), where it stands beside an operator and a
// literal: `temp > 40`, `40 <= "Temp"`, `temp BETWEEN 1 AND 2`. A name in a calculation is none:
// there SQL makes a number of it. Nor is one that the text gives to something else (`… AS temp`, a
// WITH), or of which it asks the type (`typeof(temp)`): who wrote that knows.
std::vector<std::string> compared_with_numbers(std::string_view sql);

// Says so once for each field that is compared with a number in `sql` and was read as a text.
class NumberComparisons {
 public:
  NumberComparisons() = default;
  // `path` is that of the option.
  NumberComparisons(std::string_view sql, std::string path)
      : names_(compared_with_numbers(sql)), path_(std::move(path)) {}

  // After a run over the table.
  void report(const InputTable& table);

 private:
  std::vector<std::string> names_;  // fields that were not seen to be texts
  std::string path_;
};

}  // namespace leat
