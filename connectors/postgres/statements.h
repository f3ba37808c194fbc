// The SQL that deliveries are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/postgres/layout.h"
#include "connectors/postgres/mapping.h"

namespace leat::postgres {

// For upsert and mergeSql: a temporary table with the columns of the user's table and, where it is
// asked for, `leat_row`, the records' order in the delivery. Where it is not, INSERT INTO t SELECT
// * FROM leat_staging does what it says.
inline constexpr std::string_view kStaging = "leat_staging";
inline constexpr std::string_view kRowColumn = "leat_row";

std::string column_list(const Layout& layout, const std::vector<int>& columns);

// Whether SQL of the user's names the column, in any case, as SQL reads names.
bool names_row_number(std::string_view sql);

// COPY … FROM STDIN into the table; "": into the staging table. `binary`: of rows in that form.
std::string copy_sql(const std::string& table, const Layout& layout,
                     const std::vector<int>& columns, bool numbered, bool binary);
std::string staging_sql(const Layout& layout, bool numbered);
// From the staging table into the table: the last of several rows with one key wins.
std::string upsert_sql(const std::string& table, const Layout& layout,
                       const std::vector<int>& columns, const std::vector<std::string>& key);
// An INSERT without any row.
std::string insert_nothing_sql(const std::string& table, const Layout& layout,
                               const std::vector<int>& columns);
// "INSERT INTO … VALUES ", to be followed by rows.
std::string insert_sql(const std::string& table, const Layout& layout,
                       const std::vector<int>& columns);

}  // namespace leat::postgres
