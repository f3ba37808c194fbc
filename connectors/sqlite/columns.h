// What the columns of a table are to be, by the fields of records, and the SQL that says it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stage/sink.h"

namespace leat::sqlite {

// SQLite compares names of columns without regard to ASCII case.
bool same_column(std::string_view a, std::string_view b);

// SQL text ends at a NUL.
bool can_be_named(std::string_view column);

// Where columns stand, by name. A table may have 2,000, and each new shape of record asks for all
// of its fields.
class ColumnIndex {
 public:
  static constexpr size_t kNone = SIZE_MAX;
  // False when there is one of this name.
  bool add(std::string_view name, size_t at);
  size_t find(std::string_view name) const;
  void erase(std::string_view name);
  void clear() { at_.clear(); }

 private:
  std::unordered_map<std::string, size_t> at_;  // by the name in lower case
};

// One column for each field that is present in a record of the delivery, can be named and is not
// among `known`, in the order of first appearance. A record that would bring more than `most` of
// them together is passed over.
std::vector<std::string> columns_of(const Delivery& delivery, size_t most = SIZE_MAX,
                                    const ColumnIndex& known = {});

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
