#include "rows_fixture.h"

namespace leat::testing {
namespace {

using postgres::Kind;
using postgres::WriteMode;

TEST_F(PostgresRowsTest, one_copy_takes_all_records) {
  add_column("a");
  add_column("b");
  add_column("other");
  std::string sql = copied({{{"a", whole(1)}, {"b", whole(2)}}, {{"b", whole(2)}}});
  EXPECT_TRUE(sql.starts_with("BEGIN;COPY \"t\" (\"a\", \"b\") FROM STDIN|9|")) << sql;
  EXPECT_NE(sql.find("(attnum, atttypid) IN ((1,23),(2,23))"), std::string::npos) << sql;
  EXPECT_TRUE(sql.ends_with("COMMIT"));
  EXPECT_TRUE(rows_->complete());
  EXPECT_EQ(rows_->record_at(0, 2), 1);
  EXPECT_EQ(rows_->record_at(0, 3), -1);
  EXPECT_EQ(rows_->record_at(0, 0), -1);
}

TEST_F(PostgresRowsTest, an_absent_field_ends_the_copy_only_where_the_column_has_a_default) {
  add_column("a");
  add_column("d");
  last_column().has_default = true;
  std::string sql = copied({{{"a", whole(1)}, {"d", whole(2)}},
                            {{"d", whole(2)}},
                            {{"a", whole(1)}},
                            {{"a", whole(1)}, {"d", Value::absent()}}});
  EXPECT_TRUE(
      sql.starts_with("BEGIN;COPY \"t\" (\"a\", \"d\") FROM STDIN|9|SET "
                      "LOCAL statement_timeout = 0;COPY \"t\" (\"a\") FROM STDIN|4|"))
      << sql;
  EXPECT_EQ(rows_->record_at(1, 1), 2);
  EXPECT_EQ(rows_->record_at(0, 3), -1);
}

TEST_F(PostgresRowsTest, an_upsert_goes_through_the_staging_table) {
  config_.mode = WriteMode::kUpsert;
  config_.key = {"a"};
  add_column("a");
  add_column("b");
  std::string sql = copied({{{"a", whole(1)}, {"b", whole(2)}}});
  EXPECT_TRUE(
      sql.starts_with("BEGIN;COPY pg_temp.\"leat_staging\" (\"a\", \"b\", \"leat_row\") "
                      "FROM STDIN|6|INSERT INTO \"t\" (\"a\", \"b\") "
                      "SELECT DISTINCT ON (\"a\") \"a\", \"b\" FROM pg_temp.\"leat_staging\" "
                      "ORDER BY \"a\", \"leat_row\" DESC ON CONFLICT (\"a\") DO UPDATE SET "
                      "\"b\" = excluded.\"b\";"))
      << sql;
}

TEST_F(PostgresRowsTest, bad_records_for_one_reason_are_found_together) {
  add_column("a");
  EXPECT_TRUE(
      copied({{{"a", whole(1)}}, {{"a", text("x")}}, {{"a", whole(1LL << 40)}}, {{"a", text("y")}}})
          .ends_with("|abort"));
  EXPECT_EQ(rows_->bad().indices, (std::vector<uint32_t>{1, 3}));
  EXPECT_EQ(rows_->bad().reason, "field a: this string is no valid integer (column a)");
  EXPECT_FALSE(rows_->complete());
}

TEST_F(PostgresRowsTest, a_null_for_a_not_null_column_is_bad_unless_a_trigger_may_fill_it_in) {
  add_column("a");
  last_column().not_null = true;
  add_column("b");
  std::vector<Row> records = {{{"a", Value::null()}, {"b", whole(1)}}, {{"b", whole(1)}}};
  EXPECT_TRUE(copied(records).ends_with("|abort"));
  EXPECT_EQ(rows_->bad().reason, "field a: null, but column a is NOT NULL");
  target_.layout.before_insert_trigger = true;
  EXPECT_TRUE(copied(records).ends_with("COMMIT"));
}

TEST_F(PostgresRowsTest, a_needed_column_that_no_record_has_is_told_before_anything_is_sent) {
  add_column("a");
  add_column("need");
  last_column().not_null = true;
  postgres::Rows& all = rows({{{"a", whole(1)}}});
  ASSERT_NE(all.missing_column(), nullptr);
  EXPECT_EQ(all.missing_column()->name, "need");
}

TEST_F(PostgresRowsTest, records_without_a_field_that_fits_are_bad) {
  add_column("a");
  EXPECT_TRUE(rows({{{"x", whole(1)}}}).empty());
  EXPECT_TRUE(copied({{{"a", whole(1)}}, {{"x", whole(1)}}}).ends_with("|abort"));
  EXPECT_EQ(rows_->bad().reason, "none of the record's fields has a column of table t");
}

TEST_F(PostgresRowsTest, inserts_have_the_word_default_and_end_in_pieces) {
  config_.mode = WriteMode::kInsert;
  add_column("a");
  add_column("b", Kind::kText);
  std::string sql;
  postgres::Rows& few = rows({{{"a", whole(1)}, {"b", text("it's")}}, {{"b", Value::null()}}});
  ASSERT_TRUE(few.next_insert(sql));
  EXPECT_TRUE(sql.starts_with(
      "BEGIN;INSERT INTO \"t\" (\"a\", \"b\") VALUES ('1','it''s'),(DEFAULT,NULL);"))
      << sql;
  EXPECT_NE(sql.find("(attnum, atttypid) IN ((1,23),(2,23))"), std::string::npos) << sql;
  EXPECT_TRUE(sql.ends_with(";COMMIT"));
  EXPECT_FALSE(few.next_insert(sql));

  static const std::string kLong(100'000, 'x');
  postgres::Rows& many = rows(std::vector<Row>(10, {{"b", text(kLong)}}));
  int statements = 0;
  while (many.next_insert(sql)) ++statements;
  EXPECT_GT(statements, 2);
  EXPECT_TRUE(many.complete());
  EXPECT_TRUE(sql.ends_with("COMMIT"));
}

TEST_F(PostgresRowsTest, data_comes_in_pieces_of_bounded_size) {
  add_column("b", Kind::kText);
  static const std::string kText(1000, 'x');
  postgres::Rows& all = rows(std::vector<Row>(1000, {{"b", text(kText)}}));
  (void)all.begin_copy();
  int pieces = 0;
  while (true) {
    postgres::Buffer data;
    auto piece = all.next(data);
    EXPECT_LT(data.size(), 70'000U);
    ++pieces;
    if (piece.kind != postgres::CopySource::Piece::Kind::kMore) break;
  }
  EXPECT_GT(pieces, 10);
}

}  // namespace
}  // namespace leat::testing
