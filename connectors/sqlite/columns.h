// What the columns of a table are to be, worked out from records, and the SQL that says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stage/sink.h"

namespace leat::sqlite {

struct Column {
  std::string name;
  // "INTEGER", "REAL", "TEXT", "BLOB"; or "": no affinity, every value is kept as it comes.
  std::string type;
};

// SQLite compares names of columns without regard to ASCII case.
bool same_column(std::string_view a, std::string_view b);

// One column for each field that is present in a record of the delivery, in the order of first
// appearance. A field whose values are of one kind gets that type; integers beside floats get REAL;
// any other mixture, and nothing but nulls, gets none. A record that would bring more than `most`
// columns together is passed over.
std::vector<Column> columns_of(const Delivery& delivery, size_t most = SIZE_MAX);

std::string create_table_sql(std::string_view table, const std::vector<Column>& columns,
                             const std::vector<std::string>& key);
std::string add_column_sql(std::string_view table, const Column& column);
// Fields without a column in `names` are left to the column's default. With a key, a row that
// exists is updated in the columns named.
std::string insert_sql(std::string_view table, const std::vector<std::string_view>& names,
                       const std::vector<std::string>& key);

}  // namespace leat::sqlite
