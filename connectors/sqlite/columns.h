// What the columns of a table are to be, by the fields of records, and the SQL that says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stage/sink.h"

namespace leat::sqlite {

// SQLite compares names of columns without regard to ASCII case.
bool same_column(std::string_view a, std::string_view b);

// One column for each field that is present in a record of the delivery, in the order of first
// appearance. A record that would bring more than `most` columns together is passed over.
std::vector<std::string> columns_of(const Delivery& delivery, size_t most = SIZE_MAX);

// Without types: a type would change what comes later ("01234" becomes 1234 in an INTEGER column,
// 21.5 becomes '21.5' in a TEXT column), and the first records cannot know what that will be.
std::string create_table_sql(std::string_view table, const std::vector<std::string>& columns,
                             const std::vector<std::string>& key);
std::string add_column_sql(std::string_view table, std::string_view column);
// Fields without a column in `names` are left to the column's default. With a key, a row that
// exists is updated in the columns named.
std::string insert_sql(std::string_view table, const std::vector<std::string_view>& names,
                       const std::vector<std::string>& key);

}  // namespace leat::sqlite
