#include "transform/map_plan.h"

#include <algorithm>

#include "transform/input_table.h"

namespace leat {
namespace {

using From = ValueSource::From;

struct Field {
  std::string_view name;
  MapPlan::Slot slot;
  bool renamed = false;
  bool displaced = false;  // a renamed field has taken its name
};

std::vector<Field> apply_set(const MapRules& rules, const Shape& shape) {
  std::vector<Field> fields;
  fields.reserve(shape.size() + rules.set.size());
  for (size_t i = 0; i < shape.size(); ++i)
    fields.push_back({shape.name(i), {{From::kField, static_cast<uint32_t>(i)}, {}}});
  for (const SetRule& rule : rules.set) {
    MapPlan::Slot slot{.source = resolve(rule, shape), .otherwise = {}, .set = true};
    int existing = shape.find(rule.name);
    if (existing >= 0) {
      fields[static_cast<size_t>(existing)].slot = slot;
    } else {
      fields.push_back({rule.name, slot});
    }
  }
  return fields;
}

// All renames happen at once, so that names can be swapped.
void apply_rename(const MapRules& rules, std::vector<Field>& fields) {
  for (Field& field : fields) {
    for (const auto& [from, to] : rules.rename) {
      if (field.name != from) continue;
      field.name = to;
      field.renamed = true;
      break;
    }
  }
  // A renamed field takes the place of one that had the name before.
  for (Field& field : fields) {
    if (!field.renamed) continue;
    for (Field& other : fields) {
      if (other.renamed || other.name != field.name) continue;
      field.slot.otherwise = other.slot.source;
      other.displaced = true;
    }
  }
  std::erase_if(fields, [](const Field& field) { return field.displaced; });
}

void apply_drop(const MapRules& rules, std::vector<Field>& fields) {
  std::erase_if(fields, [&rules](const Field& field) {
    return std::find(rules.drop.begin(), rules.drop.end(), field.name) != rules.drop.end();
  });
}

bool reads_before(const ValueSource& source, size_t slot) {
  return source.from == From::kField && source.index < slot;
}

}  // namespace

ValueSource resolve(const SetRule& rule, const Shape& shape) {
  if (rule.source.from != From::kField) return rule.source;
  int field = find_field(shape, rule.column);
  if (field < 0) return {From::kNothing, 0};
  return {From::kField, static_cast<uint32_t>(field)};
}

MapPlan plan_map(const MapRules& rules, const Shape& shape) {
  std::vector<Field> fields = apply_set(rules, shape);
  apply_rename(rules, fields);
  apply_drop(rules, fields);
  MapPlan plan;
  std::vector<std::string_view> names;
  names.reserve(fields.size());
  plan.slots.reserve(fields.size());
  for (Field& field : fields) {
    names.push_back(field.name);
    if (field.slot.set) plan.set.push_back(static_cast<uint32_t>(plan.slots.size()));
    plan.slots.push_back(field.slot);
  }
  plan.shape = std::make_shared<const Shape>(names);
  plan.first_changed = 0;
  for (const MapPlan::Slot& slot : plan.slots) {
    bool same = slot.source.from == From::kField && slot.source.index == plan.first_changed;
    if (!same || slot.otherwise) break;
    ++plan.first_changed;
  }
  plan.in_place = plan.slots.size() <= shape.size();
  plan.needs_copy = false;
  for (size_t i = 0; i < plan.slots.size(); ++i) {
    const MapPlan::Slot& slot = plan.slots[i];
    if (reads_before(slot.source, i) || (slot.otherwise && reads_before(*slot.otherwise, i)))
      plan.needs_copy = true;
  }
  return plan;
}

}  // namespace leat
