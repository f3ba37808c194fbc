// What `map` does to the records of one shape, worked out once per shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "record/shape.h"

namespace leat {

// Where a value of the new record comes from.
struct ValueSource {
  enum class From : uint8_t {
    kField,      // `index` of the old record, as it is
    kConstant,   // `index` of MapRules::constants
    kComputed,   // result column `index` of the statement
    kEventTime,  // the record's event time
    kNothing,    // absent
  };
  From from = From::kNothing;
  uint32_t index = 0;
};

struct SetRule {
  std::string name;
  ValueSource source;  // kField: not yet known, `column` names it
  std::string column;
};

struct MapRules {
  std::vector<SetRule> set;
  std::vector<std::pair<std::string, std::string>> rename;  // from, to; each name once
  std::vector<std::string> drop;
};

struct MapPlan {
  struct Slot {
    ValueSource source;
    // A field was renamed to a name that another field had: where the first is absent, the other
    // still counts.
    std::optional<ValueSource> otherwise;
    bool set = false;  // by a `set` rule
  };

  ShapeRef shape;             // of the new record
  std::vector<Slot> slots;    // its fields
  std::vector<uint32_t> set;  // those slots that a `set` rule gives a value
  size_t first_changed;       // the slots before are the old fields at the same place
  bool in_place;              // the new record fits where the old one is
  bool needs_copy;            // … but some slot reads what an earlier one overwrites
};

// `set` sees the original fields, `rename` those after `set`, `drop` those after `rename`.
MapPlan plan_map(const MapRules& rules, const Shape& shape);

// The source of a `set` rule for records of this shape.
ValueSource resolve(const SetRule& rule, const Shape& shape);

}  // namespace leat
