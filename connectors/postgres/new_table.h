// createTable: what the columns of a table are to be, worked out from records.
#pragma once

#include <string>
#include <vector>

#include "connectors/postgres/layout.h"
#include "connectors/postgres/mapping.h"
#include "stage/sink.h"

namespace leat::postgres {

struct NewColumn {
  std::string name;
  std::string type;  // "bigint"
};

inline constexpr int64_t kExactInDouble = 1LL << 53;
// An integer that has more digits than a double.
bool loses_digits_in_double(const Value& value);

// The type that takes the values of both; "": of no value so far.
std::string_view wider_type(std::string_view a, std::string_view b);

// Why PostgreSQL can have no column of that name; "": it can.
std::string_view impossible_column(std::string_view name);

// One column for each field that a record has a value for, in the order of first appearance; with a
// list of columns, only for the fields that are on it, but for all of them. What was only null
// tells no type: it gets its column with its first value, or, where a table would have none, as
// text.
std::vector<NewColumn> columns_for(const MappingConfig& config, const Delivery& delivery,
                                   bool also_nulls = false);

std::string create_table_sql(const TableName& table, const std::vector<NewColumn>& columns,
                             const std::vector<std::string>& key);
std::string add_columns_sql(const TableName& table, const std::vector<NewColumn>& columns);

}  // namespace leat::postgres
