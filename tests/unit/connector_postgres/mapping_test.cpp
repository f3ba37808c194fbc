#include "connectors/postgres/mapping.h"

#include <algorithm>

#include "connectors/postgres/new_table.h"
#include "connectors/postgres/widening.h"
#include "rows_fixture.h"

namespace leat::testing {
namespace {

class PostgresMapping : public PostgresRowsTest {
 protected:
  // "field → column …" for a record with these fields, then "?field" for those without a column.
  std::string mapped(std::initializer_list<std::string_view> fields) {
    Row record;
    for (std::string_view field : fields) record.emplace_back(field, whole(1));
    (void)rows({record});
    const Record& first = delivery_.parts[0].batch->records[0];
    const auto& plan = mapping_->plan(*delivery_.parts[0].batch, *first.shape);
    std::string out;
    for (size_t i = 0; i < plan.field_of.size(); ++i)
      if (plan.field_of[i] >= 0)
        out += std::string(postgres::Mapping::field_name(plan, i)) + ">" +
               target_.layout.columns[i].name + " ";
    for (int field : plan.unknown) out += "?" + std::string(plan.shape->name(size_t(field))) + " ";
    return out;
  }
  std::string check() {
    (void)rows({{{"x", whole(1)}}});
    Status status = mapping_->check();
    return status ? "" : status.error().message();
  }
};

TEST_F(PostgresMapping, fields_go_into_columns_of_their_name_or_of_it_in_lower_case) {
  add_column("temp");
  add_column("tempf");
  add_column("State");
  EXPECT_EQ(mapped({"temp", "tempF", "State", "x"}), "temp>temp tempF>tempf State>State ?x ");
  EXPECT_EQ(mapped({"TEMP", "temp", "state"}), "temp>temp ?TEMP ?state ");
}

TEST_F(PostgresMapping, a_list_of_columns_says_all) {
  config_.columns = {{"t", "temp"}, {"temp", "State"}};
  add_column("temp");
  add_column("State");
  EXPECT_EQ(mapped({"t", "temp", "State"}), "t>temp temp>State ");
}

TEST_F(PostgresMapping, by_position_names_do_not_matter_and_generated_columns_are_passed_over) {
  config_.by_position = true;
  add_column("a");
  add_column("sum");
  last_column().generated = true;
  add_column("b");
  EXPECT_EQ(mapped({"b", "x"}), "b>a x>b ");
  EXPECT_EQ(mapped({"a"}), "");
  EXPECT_EQ(mapped({"a", "b", "c"}), "");
}

TEST_F(PostgresMapping, by_position_a_record_of_another_length_is_bad_beside_good_ones) {
  config_.by_position = true;
  add_column("a");
  add_column("b");
  last_column().not_null = true;
  (void)copied({{{"x", whole(1)}, {"y", whole(2)}}, {{"x", whole(1)}}});
  EXPECT_EQ(rows_->missing_column(), nullptr);
  EXPECT_EQ(rows_->bad().indices, std::vector<uint32_t>{1});
  EXPECT_EQ(rows_->bad().reason,
            "the record has more or fewer fields than there are columns in table t");
}

TEST_F(PostgresMapping, says_what_does_not_fit) {
  add_column("a");
  EXPECT_EQ(check(), "");
  config_.columns = {{"f", "b"}};
  EXPECT_EQ(check(), "table t: has no column b, where field f is to go; it has a");
  config_.columns = {{"f", "a"}};
  add_column("need");
  last_column().not_null = true;
  EXPECT_NE(check().find("column need is NOT NULL without a default"), std::string::npos);
  last_column().has_default = true;
  EXPECT_EQ(check(), "");
  target_.layout.kind = 'S';
  EXPECT_EQ(check(), "table t: is no table that rows can be written to");
}

TEST_F(PostgresMapping, a_key_needs_an_index_over_exactly_its_columns) {
  config_.mode = postgres::WriteMode::kUpsert;
  config_.key = {"b", "a"};
  add_column("a");
  add_column("b");
  target_.layout.unique_keys = {{1}, {2}, {1, 2, 3}};
  EXPECT_NE(check().find("no unique index over exactly the key (\"b\", \"a\")"), std::string::npos);
  target_.layout.unique_keys.push_back({1, 2});
  EXPECT_EQ(check(), "");
}

TEST_F(PostgresMapping, new_tables_get_the_types_of_the_values) {
  (void)rows({{{"i", whole(1)}, {"m", whole(1)}, {"f", whole(1)}, {"n", Value::null()}},
              {{"i", whole(2)},
               {"m", text("x")},
               {"f", Value::of_float(1.5)},
               {"t", Value::of_time(0)},
               {"", whole(1)}}});
  std::string out;
  for (const auto& column : postgres::columns_for(config_, delivery_))
    out += column.name + " " + column.type + ", ";
  EXPECT_EQ(out, "i bigint, m bigint, f double precision, t timestamp with time zone, ")
      << "nothing is known of n yet";
  out.clear();
  for (const auto& column : postgres::columns_for(config_, delivery_, true))
    out += column.name + " " + column.type + ", ";
  EXPECT_EQ(out, "i bigint, m bigint, f double precision, n text, t timestamp with time zone, ");
  std::vector<Row> many(20, {{"v", whole(1)}, {"w", whole(1)}, {"e", whole(1LL << 60)}});
  many.push_back({{"v", text("N/A")}, {"w", text("01")}, {"e", Value::of_float(0.5)}});
  (void)rows(many);
  out.clear();
  for (const auto& column : postgres::columns_for(config_, delivery_))
    out += column.name + " " + column.type + ", ";
  EXPECT_EQ(out, "v bigint, w text, e numeric, ");
  EXPECT_EQ(
      postgres::create_table_sql({"s", "t"}, {{"a", "bigint"}, {"b", "text"}}, {"a"}),
      "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"a\" bigint, \"b\" text, PRIMARY KEY (\"a\"))");
  EXPECT_EQ(postgres::add_columns_sql({"", "t"}, {{"a", "bigint"}, {"b", "text"}}),
            "ALTER TABLE \"t\" ADD COLUMN IF NOT EXISTS \"a\" bigint, ADD COLUMN IF NOT EXISTS "
            "\"b\" text");
}

// What createTable makes of a field's values when each delivery has `count` of them.
class PostgresColumnTypes : public PostgresRowsTest {
 protected:
  std::string type_by(size_t count, const std::vector<Value>& values) {
    std::string type;
    std::map<std::string, postgres::Hashes> others;
    for (size_t at = 0; at < values.size(); at += count) {
      std::vector<Row> records;
      for (size_t i = at; i < std::min(at + count, values.size()); ++i)
        records.push_back({{"v", values[i]}});
      (void)rows(records);
      if (type.empty()) {
        type = postgres::columns_for(config_, delivery_).at(0).type;
        continue;
      }
      target_.layout.columns.clear();
      add_column("v", type == "bigint"             ? postgres::Kind::kInt8
                      : type == "double precision" ? postgres::Kind::kFloat
                      : type == "numeric"          ? postgres::Kind::kNumeric
                      : type == "boolean"          ? postgres::Kind::kBool
                                                   : postgres::Kind::kText);
      last_column().type_name = type;
      last_column().guessed = postgres::is_guess(last_column());
      (void)rows(records);
      for (const auto& one : postgres::widenings_for(target_, text_, delivery_, others))
        type = one.to;
    }
    target_.layout.columns.clear();
    return type;
  }
};

TEST_F(PostgresColumnTypes, do_not_depend_on_where_deliveries_end) {
  const Value one = whole(1);
  const Value half = Value::of_float(0.5);
  const Value decimal = number_from_text("0.1234567890123456789");
  const Value beyond = number_from_text("18446744073709551615");
  const Value yes = Value::boolean(true);
  const struct {
    std::vector<Value> values;
    const char* type;
  } kCases[] = {
      {{one, yes, one, one}, "bigint"},
      {{yes, one, one, one}, "boolean"},
      {{one, text("N/A"), text("N/A"), one}, "bigint"},
      {{text("N/A"), one, one}, "text"},
      {{one, number_from_text("44.0"), one}, "bigint"},
      {{number_from_text("44.0"), one, one}, "double precision"},
      {{one, half, one}, "double precision"},
      {{half, beyond, one}, "numeric"},
      {{half, whole(1LL << 60), one}, "numeric"},
      {{half, decimal, one}, "double precision"},
      {{one, decimal, half}, "numeric"},
      {{one, text("01"), half}, "text"},
      {{one, text("5"), one}, "bigint"},
      {{one, text("01:23"), one}, "bigint"},
      {{one, Value::of_time(0), one}, "bigint"},
      {{Value::null(), one, half}, "double precision"},
  };
  for (const auto& [values, type] : kCases) {
    for (size_t count : {values.size(), size_t{2}, size_t{1}}) {
      if (values[0].type == Type::kNull && count == 1) continue;  // no column yet
      EXPECT_EQ(type_by(count, values), type)
          << "case " << (&values - &kCases[0].values) << " by " << count;
    }
  }
}

TEST_F(PostgresColumnTypes, one_value_before_many_of_another_kind_does_not_decide) {
  auto behind = [this](const Value& first, const Value& other, size_t count) {
    std::vector<Value> values(count, other);
    values.insert(values.begin(), first);
    return type_by(values.size(), values);
  };
  EXPECT_EQ(behind(text("N/A"), whole(1), 10), "bigint");
  EXPECT_EQ(behind(text("N/A"), whole(1), 9), "text");
  EXPECT_EQ(behind(Value::boolean(true), Value::of_float(0.5), 10), "double precision");
  EXPECT_EQ(behind(whole(7), text("A7"), 10), "text");
  EXPECT_EQ(behind(text("01234"), whole(10001), 10), "text");
  EXPECT_EQ(behind(whole(1), Value::of_float(0.5), 10), "double precision");
}

// A field of numbers of articles: 4711, A-1, A-2, … were dead letters for ever.
TEST_F(PostgresColumnTypes, many_different_values_that_are_no_numbers_make_a_column_text) {
  const Value numbers[] = {whole(1), Value::of_float(0.5),
                           number_from_text("18446744073709551615")};
  for (const Value& first : numbers) {
    std::vector<Value> values{first, first};
    auto type = [&] {
      std::string by_one = type_by(1, values);
      EXPECT_EQ(type_by(values.size(), values), by_one);
      EXPECT_EQ(type_by(3, values), by_one);
      return by_one;
    };
    const std::string before = type();
    for (int i = 0; i < 30; ++i) values.insert(values.end(), {text("N/A"), first});
    EXPECT_EQ(type(), before) << "one value, however often";
    const char* others[] = {"A1", "A2", "A3", "A4", "A5", "A6", "A7"};
    for (const char* other : others) values.insert(values.end(), {text(other), first});
    values.push_back(Value::boolean(true));
    EXPECT_EQ(type(), before) << "nine";
    values.insert(values.end(), {Value::boolean(true), text("A8"), first});
    EXPECT_EQ(type(), "text");
  }
}

TEST_F(PostgresColumnTypes, doubles_become_numerics_with_all_their_digits) {
  EXPECT_EQ(
      postgres::widen_sql("t", {{"a", "double precision", "numeric"}, {"b", "bigint", "text"}}),
      "ALTER TABLE t ALTER COLUMN \"a\" TYPE numeric USING \"a\"::text::numeric, "
      "ALTER COLUMN \"b\" TYPE text");
}

}  // namespace
}  // namespace leat::testing
