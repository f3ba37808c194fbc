// createTable: what the columns of a table are to be, worked out from records: what the first value
// of a field is, and the wider type where later ones need it (widening.h). So it does not depend on
// where the first delivery ends, with one exception, for those who load a file at once: a first
// value of another kind than ten or more that follow, which are all of one, does not decide.
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
