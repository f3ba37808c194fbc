#include "connectors/postgres/mapping.h"

#include <algorithm>

#include "base/text.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string names_in(const Layout& layout) {
  constexpr size_t kMost = 20;
  std::string out;
  for (size_t i = 0; i < layout.columns.size() && i < kMost; ++i)
    out += (i == 0 ? "" : ", ") + excerpt(layout.columns[i].name);
  return out + (layout.columns.size() > kMost ? ", …" : "");
}

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quoted_name(name);
  return out;
}

tl::unexpected<Error> wrong(const Layout& layout, std::string why) {
  return fail(ErrorKind::kFatal, "table " + excerpt(layout.name) + ": " + std::move(why));
}

}  // namespace

Status Mapping::check() const {
  // Ordinary, partitioned and foreign tables, and views (with INSTEAD OF triggers). For mergeSql,
  // whose staging table only borrows the columns, a composite type will do.
  std::string_view kinds = config_.mode == WriteMode::kMerge ? "rpfvmc" : "rpfv";
  if (kinds.find(layout_.kind) == std::string_view::npos)
    return wrong(layout_, "is no table that rows can be written to");
  for (const auto& [field, column] : config_.columns) {
    const Column* known = layout_.find(column);
    if (known == nullptr && config_.create) continue;  // it comes with the first value
    if (known == nullptr)
      return wrong(layout_, "has no column " + excerpt(column) + ", where field " + excerpt(field) +
                                " is to go; it has " + names_in(layout_));
    if (known->generated && config_.mode != WriteMode::kMerge)
      return wrong(layout_,
                   "column " + excerpt(column) + " is generated: nothing can be written to it");
  }
  if (!config_.columns.empty() && config_.mode != WriteMode::kMerge) {
    for (const Column& column : layout_.columns) {
      bool needed = column.not_null && !column.has_default && !column.generated &&
                    !layout_.before_insert_trigger;
      bool fed = std::any_of(config_.columns.begin(), config_.columns.end(),
                             [&column](const auto& pair) { return pair.second == column.name; });
      if (needed && !fed)
        return wrong(layout_, "column " + excerpt(column.name) +
                                  " is NOT NULL without a default, and no field goes into it: add "
                                  "it to \"columns\"");
    }
  }
  return check_key();
}

Status Mapping::check_key() const {
  for (const std::string& name : config_.key)
    if (layout_.find(name) == nullptr)
      return wrong(layout_, "has no column " + excerpt(name) + ", named by \"key\"; it has " +
                                names_in(layout_));
  if (config_.mode != WriteMode::kUpsert || layout_.has_unique_key(config_.key)) return {};
  if (layout_.has_deferrable_key(config_.key))
    return wrong(layout_, "the unique constraint over the key (" + list(config_.key) +
                              ") is DEFERRABLE, which ON CONFLICT cannot use: make it NOT "
                              "DEFERRABLE, or CREATE UNIQUE INDEX ON " +
                              quoted_name(layout_.name) + " (" + list(config_.key) + ")");
  return wrong(layout_, "has no unique index over exactly the key (" + list(config_.key) +
                            "): CREATE UNIQUE INDEX ON " + quoted_name(layout_.name) + " (" +
                            list(config_.key) + ")");
}

int Mapping::column_of(std::string_view field) const {
  std::string_view name = field;
  if (!config_.columns.empty()) {
    auto pair = std::find_if(config_.columns.begin(), config_.columns.end(),
                             [field](const auto& p) { return p.first == field; });
    if (pair == config_.columns.end()) return -1;
    name = pair->second;
  }
  auto find = [this](std::string_view wanted) {
    for (size_t i = 0; i < layout_.columns.size(); ++i)
      if (layout_.columns[i].name == wanted) return static_cast<int>(i);
    return -1;
  };
  int found = find(column_name(name));
  if (found < 0 && config_.columns.empty()) found = find(column_name(lower_case(name)));
  return found;
}

std::string_view Mapping::column_name(std::string_view field) {
  constexpr size_t kLongest = 63;  // NAMEDATALEN - 1
  if (field.size() <= kLongest) return field;
  size_t end = kLongest;
  while (end > 0 && (field[end] & 0xC0) == 0x80) --end;
  return field.substr(0, end);
}

// With a list of columns, a field that is not on it was left out on purpose.
bool Mapping::wanted(std::string_view field) const {
  return config_.columns.empty() ||
         std::any_of(config_.columns.begin(), config_.columns.end(),
                     [field](const auto& pair) { return pair.first == field; });
}

void Mapping::place(const Shape& shape, ShapePlan& plan) const {
  size_t next = 0;
  for (size_t i = 0; i < layout_.columns.size(); ++i)
    if (takes_values(layout_.columns[i])) plan.field_of[i] = static_cast<int>(next++);
  plan.fits = next == shape.size();
  if (!plan.fits) plan.field_of.assign(layout_.columns.size(), -1);
}

ShapePlan Mapping::make(const Batch& batch, const Shape& shape) const {
  ShapePlan plan;
  for (const ShapeRef& known : batch.shapes())
    if (known.get() == &shape) plan.shape = known;
  plan.field_of.assign(layout_.columns.size(), -1);
  if (config_.by_position) {
    place(shape, plan);
    return plan;
  }
  // A field of exactly the column's name goes before one that only differs in case.
  for (bool exact : {true, false}) {
    for (size_t i = 0; i < shape.size(); ++i) {
      int column = column_of(shape.name(i));
      if (column < 0) continue;
      const Column& target = layout_.columns[static_cast<size_t>(column)];
      if (!takes_values(target)) continue;
      bool same = !config_.columns.empty() || target.name == column_name(shape.name(i));
      int& field = plan.field_of[static_cast<size_t>(column)];
      if (same == exact && field < 0) field = static_cast<int>(i);
    }
  }
  for (size_t i = 0; i < shape.size(); ++i)
    if (wanted(shape.name(i)) && std::find(plan.field_of.begin(), plan.field_of.end(),
                                           static_cast<int>(i)) == plan.field_of.end())
      plan.unknown.push_back(static_cast<int>(i));
  return plan;
}

const ShapePlan& Mapping::plan(const Batch& batch, const Shape& shape) {
  if (!plans_.empty() && plans_.front().shape.get() == &shape) return plans_.front();
  auto found = std::find_if(plans_.begin(), plans_.end(),
                            [&shape](const ShapePlan& p) { return p.shape.get() == &shape; });
  if (found == plans_.end()) {
    // Shapes without end are slow, not unbounded.
    if (plans_.size() == kMostPlans) plans_.pop_back();
    plans_.push_back(make(batch, shape));
    found = plans_.end() - 1;
  }
  std::rotate(plans_.begin(), found, found + 1);
  return plans_.front();
}

void Mapping::add_used(const Batch& batch, std::vector<bool>& used) {
  for (const ShapeRef& shape : batch.shapes()) {
    const ShapePlan& its = plan(batch, *shape);
    for (size_t i = 0; i < its.field_of.size(); ++i)
      if (its.field_of[i] >= 0) used[i] = true;
  }
}

std::string_view Mapping::field_name(const ShapePlan& plan, size_t column) {
  int field = plan.field_of[column];
  return field < 0 ? std::string_view() : plan.shape->name(static_cast<size_t>(field));
}

}  // namespace leat::postgres
