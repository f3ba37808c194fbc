#include "codec/csv/table.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace leat {
namespace {

CsvTarget target_for(const CsvColumn& column, size_t field) {
  return {static_cast<int32_t>(field), false, column.type, column.time ? &*column.time : nullptr};
}

CsvTarget unlisted_target(const CsvDialect& dialect, size_t field) {
  return {static_cast<int32_t>(field), dialect.infer, Type::kString, nullptr};
}

ShapeRef make_shape(const std::vector<std::string>& names) {
  return std::make_shared<const Shape>(std::vector<std::string_view>(names.begin(), names.end()));
}

std::string place_name(size_t place) {
  return "column" + std::to_string(place);
}

// Makes the names unique: those of the configuration are, then each of the header goes to the first
// column that has it, and what is left gets names that nobody has.
void make_unique(std::vector<std::string>& names, const std::vector<const CsvColumn*>& listed) {
  std::unordered_set<std::string> taken;
  for (const CsvColumn* column : listed)
    if (column != nullptr) taken.insert(column->name);
  std::vector<size_t> left;
  for (size_t i = 0; i < names.size(); ++i) {
    if (listed[i] != nullptr) {
      names[i] = listed[i]->name;
    } else if (names[i].empty() || !taken.insert(names[i]).second) {
      left.push_back(i);
    }
  }
  std::unordered_map<std::string, int> tried;  // so that a thousand columns of one name are quick
  for (size_t i : left) {
    const std::string wanted = names[i].empty() ? place_name(i) : names[i];
    names[i] = wanted;
    for (int& n = tried.try_emplace(wanted, 1).first->second; !taken.insert(names[i]).second;)
      names[i] = wanted + "_" + std::to_string(++n);
  }
}

}  // namespace

std::unique_ptr<CsvTable> csv_table_for_header(const CsvDialect& dialect,
                                               std::vector<std::string> names,
                                               std::string& missing) {
  missing.clear();
  std::vector<const CsvColumn*> listed(names.size());
  for (const CsvColumn& column : dialect.columns) {
    size_t place = column.index
                       ? *column.index
                       : static_cast<size_t>(std::find(names.begin(), names.end(), column.name) -
                                             names.begin());
    if (place < names.size()) {
      listed[place] = &column;
    } else {
      missing += (missing.empty() ? "column " : ", ") + excerpt(column.name);
    }
  }
  make_unique(names, listed);
  auto table = std::make_unique<CsvTable>();
  table->exact = true;
  for (size_t i = 0; i < names.size(); ++i)
    table->targets.push_back(listed[i] ? target_for(*listed[i], i) : unlisted_target(dialect, i));
  table->shape = make_shape(names);
  return table;
}

std::unique_ptr<CsvTable> csv_table_for_columns(const CsvDialect& dialect) {
  auto table = std::make_unique<CsvTable>();
  table->exact = true;
  std::vector<std::string> names;
  for (const CsvColumn& column : dialect.columns) {
    size_t place = column.index.value_or(static_cast<uint32_t>(names.size()));
    // Columns picked by index: what else the row has is left out on purpose.
    if (column.index) table->exact = false;
    if (place >= table->targets.size()) table->targets.resize(place + 1);
    table->targets[place] = target_for(column, names.size());
    names.push_back(column.name);
  }
  table->shape = make_shape(names);
  return table;
}

std::unique_ptr<CsvTable> csv_table_for_width(const CsvDialect& dialect, size_t width) {
  std::vector<std::string> names(width);
  for (size_t i = 0; i < width; ++i) names[i] = place_name(i);
  std::string missing;
  return csv_table_for_header(dialect, std::move(names), missing);
}

}  // namespace leat
