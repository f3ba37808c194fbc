// createTable: columns whose type was made from the first values, and which later ones do not fit,
// get a type that holds both. Only where nothing that is stored changes: whole numbers become
// fractions, or exact ones; numbers become text when leading zeros come. One text that is no number
// changes nothing.
//
// What a column becomes is decided value by value, in their order, and by this alone: also when the
// table is made (new_table.h). So it does not depend on where deliveries end.
#pragma once

#include <string>
#include <vector>

#include "connectors/postgres/field_text.h"
#include "connectors/postgres/rows.h"

namespace leat::postgres {

// Whether it is a number's column as createTable makes it.
bool is_guess(const Column& column);

// The type of a column, as values ask for it one after another.
class NumberType {
 public:
  NumberType() = default;
  // As createTable names it. Types that are no guess stay.
  explicit NumberType(std::string_view type);

  void take(const Value& value, FieldText& text);
  std::string_view type() const { return type_; }

 private:
  std::string_view type_;
  Column column_;       // of the type
  bool large_ = false;  // it has a whole number of more digits than a double
};

struct Widening {
  std::string column;
  std::string from;
  std::string to;
};

// What the delivery's records ask for.
std::vector<Widening> widenings_for(Target& target, FieldText& text, const Delivery& delivery);

// One row with "t" for each column that a double would lose digits of.
std::string has_large_sql(const std::string& table, const std::vector<Widening>& widenings);
std::string widen_sql(const std::string& table, const std::vector<Widening>& widenings);

}  // namespace leat::postgres
