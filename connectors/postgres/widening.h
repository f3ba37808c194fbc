// createTable: columns whose type was made from the first values, and which later ones do not fit,
// get a type that holds both. Only where nothing that is stored changes: whole numbers become
// fractions, or exact ones; numbers become text when leading zeros come, or when so many different
// values have come that are no numbers that the field is no number's. One that is none ("N/A"),
// however often it comes, changes nothing.
//
// What a column becomes is decided value by value, in their order, and by this alone: also when the
// table is made (new_table.h). So it does not depend on where deliveries end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connectors/postgres/field_text.h"
#include "connectors/postgres/rows.h"

namespace leat::postgres {

// Whether it is a number's column as createTable makes it.
bool is_guess(const Column& column);

// Different values that are no numbers, of which so many make a column of numbers one of text.
inline constexpr size_t kManyOthers = 10;
using Hashes = std::vector<uint64_t>;

// The type of a column, as values ask for it one after another.
class NumberType {
 public:
  NumberType() = default;
  // As createTable names it. Types that are no guess stay. `others`: of values before, which were
  // no numbers.
  explicit NumberType(std::string_view type, Hashes others = {});

  void take(const Value& value, FieldText& text);
  std::string_view type() const { return type_; }
  const Hashes& others() const { return others_; }

 private:
  void take_other(const Value& value);

  std::string_view type_;
  Hashes others_;
  Column column_;       // of the type
  bool large_ = false;  // it has a whole number of more digits than a double
};

struct Widening {
  std::string column;
  std::string from;
  std::string to;
};

// What the delivery's records ask for. `others`: of each column, NumberType::others() of all
// deliveries so far; one that is looked at again adds nothing.
std::vector<Widening> widenings_for(Target& target, FieldText& text, const Delivery& delivery,
                                    std::map<std::string, Hashes>& others);

// One row with "t" for each column that a double would lose digits of.
std::string has_large_sql(const std::string& table, const std::vector<Widening>& widenings);
std::string widen_sql(const std::string& table, const std::vector<Widening>& widenings);

}  // namespace leat::postgres
