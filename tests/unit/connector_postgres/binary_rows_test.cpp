#include "connectors/postgres/binary_rows.h"

#include <gtest/gtest.h>

#include <string>

#include "connectors/postgres/rows.h"
#include "rows_fixture.h"

namespace leat::postgres {
namespace {

using namespace std::string_literals;
using testing::PostgresRowsTest;

// What the types' values become beside PostgreSQL itself is in
// tests/integration/test_postgres_rows.py.
class BinaryRowsTest : public PostgresRowsTest {
 protected:
  BinaryRowsTest() {
    add_column("a");
    add_column("b");
  }

  // One batch of these rows, with the fields a, b.
  Delivery passing(const std::vector<std::string>& rows,
                   std::vector<BinaryRows::Field> fields = {{23, Kind::kInt4}, {23, Kind::kInt4}},
                   const std::vector<std::string_view>& names = {"a", "b"}) {
    Delivery out = harness_.records({});
    Batch& batch = *out.parts[0].batch;
    auto shape = std::make_shared<const Shape>(names);
    batch.adopt(shape);
    batch.rows = BinaryRows::of(std::move(fields));
    for (const std::string& row : rows) {
      const std::string_view copy = batch.arena.copy(row);
      batch.slices.push_back({copy.data(), static_cast<uint32_t>(copy.size())});
      batch.records.push_back({.shape = shape.get()});
    }
    out.records = rows.size();
    out.parts[0].count = static_cast<uint32_t>(rows.size());
    return out;
  }

  // The statement, and what is sent for it.
  std::pair<std::string, std::string> sent(Delivery delivery) {
    delivery_ = std::move(delivery);
    target_.layout.name = "t";
    target_.table = "\"t\"";
    target_.config = &config_;
    mapping_.emplace(config_, target_.layout);
    target_.mapping = &*mapping_;
    rows_.emplace(target_, text_, delivery_, "", "", "COMMIT");
    const std::string sql = rows_->begin_copy();
    Buffer data;
    (void)rows_->next(data);
    return {sql, std::string(data.view())};
  }

  static inline const std::string kRow = "\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff"s;  // 7, null
};

TEST_F(BinaryRowsTest, pass_as_they_are_into_columns_of_their_types) {
  const auto [sql, data] = sent(passing({kRow, kRow}));
  EXPECT_EQ(sql, "COPY \"t\" (\"a\", \"b\") FROM STDIN (FORMAT binary)");
  EXPECT_EQ(data, std::string(kCopyHeader) + kRow + kRow + std::string(kCopyTrailer));
  EXPECT_TRUE(rows_->pass());
}

TEST_F(BinaryRowsTest, go_in_the_order_of_their_fields_and_leave_other_columns_out) {
  std::swap(target_.layout.columns[0].name, target_.layout.columns[1].name);
  add_column("c");
  EXPECT_EQ(sent(passing({kRow})).first, "COPY \"t\" (\"a\", \"b\") FROM STDIN (FORMAT binary)");
}

TEST_F(BinaryRowsTest, have_their_number_behind_them_where_it_is_asked_for) {
  config_.mode = WriteMode::kUpsert;
  config_.key = {"a"};
  target_.layout.columns[0].not_null = true;
  const auto [sql, data] = sent(passing({kRow, kRow}));
  EXPECT_NE(sql.find("\"leat_row\") FROM STDIN (FORMAT binary)"), std::string::npos) << sql;
  const std::string row = "\0\3"s + kRow.substr(2) + "\0\0\0\x08\0\0\0\0\0\0\0"s;
  EXPECT_EQ(data, std::string(kCopyHeader) + row + "\0"s + row + "\1"s + std::string(kCopyTrailer));
}

TEST_F(BinaryRowsTest, are_opened_where_they_do_not_fit) {
  auto opened = [this](Delivery delivery) {
    const auto [sql, data] = sent(std::move(delivery));
    EXPECT_EQ(sql.find("binary"), std::string::npos) << sql;
    EXPECT_FALSE(rows_->pass());
    return data;
  };
  target_.layout.columns[1].type = 20;
  EXPECT_EQ(opened(passing({kRow})), "7\t\\N\n") << "of another type";
  target_.layout.columns[1].type = 23;
  EXPECT_TRUE(sent(passing({kRow})).first.ends_with("(FORMAT binary)"));
  target_.layout.columns[1].generated = true;
  EXPECT_EQ(opened(passing({kRow})), "7\n") << "a field without a column";
  target_.layout.columns[1].generated = false;
  add_column("c");
  last_column().not_null = true;
  (void)opened(passing({kRow}));
  last_column().has_default = true;
  EXPECT_TRUE(sent(passing({kRow})).first.ends_with("(FORMAT binary)"));
  config_.mode = WriteMode::kUpsert;
  config_.key = {"a"};
  (void)opened(passing({kRow}));
}

TEST_F(BinaryRowsTest, are_opened_when_two_kinds_of_them_meet) {
  Delivery both = passing({kRow});
  both.parts.push_back(
      passing({kRow}, {{23, Kind::kInt4}, {23, Kind::kInt4}}, {"b", "a"}).parts[0]);
  both.records = 2;
  EXPECT_EQ(sent(std::move(both)).second, "7\t\\N\n\\N\t7\n");
}

TEST_F(BinaryRowsTest, pass_together_when_those_of_two_tables_are_alike) {
  Delivery both = passing({kRow});
  both.parts.push_back(passing({kRow}).parts[0]);
  both.records = 2;
  EXPECT_TRUE(sent(std::move(both)).first.ends_with("(FORMAT binary)"));
}

TEST_F(BinaryRowsTest, only_are_of_types_that_can_be_decoded) {
  EXPECT_EQ(BinaryRows::of({{23, Kind::kInt4}, {1007, Kind::kArray}}), nullptr);
  EXPECT_EQ(BinaryRows::of({{16'385, Kind::kText}}), nullptr) << "an enum";
  EXPECT_EQ(BinaryRows::of({{869, Kind::kOther}}), nullptr);
}

TEST_F(BinaryRowsTest, have_nulls_for_what_is_no_such_row) {
  const auto rows = BinaryRows::of({{23, Kind::kInt4}, {20, Kind::kInt8}});
  const Delivery kept = passing({});
  Arena& arena = kept.parts[0].batch->arena;
  for (size_t size = 0; size < kRow.size(); ++size) {
    const Value* values = rows->values_of(kRow.substr(0, size), arena);
    EXPECT_EQ(values[1].type, Type::kNull);
  }
  const Value* values = rows->values_of("\0\2\0\0\0\3abc\0\0\0\x08\0\0\0\0\0\0\1\0"s, arena);
  EXPECT_EQ(values[0].type, Type::kNull);
  EXPECT_EQ(values[1].integer, 256);
}

}  // namespace
}  // namespace leat::postgres
