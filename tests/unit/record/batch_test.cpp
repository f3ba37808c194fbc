#include "record/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "record/shape_cache.h"

namespace leat {
namespace {

TEST(Batch, gives_its_memory_back_with_the_last_reference) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  BatchRef first = BatchRef::make(pool, Content::kRecords);
  first->arena.allocate(10);
  first->adopt(std::make_shared<Shape>(std::vector<std::string_view>{"a", "b"}));
  BatchRef second = first;
  first.reset();
  EXPECT_GT(budget.used(), second->arena.footprint());
  second.reset();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Batch, keeps_a_shape_once_while_records_look_alike) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  BatchRef batch = BatchRef::make(pool, Content::kRecords);
  auto shape = std::make_shared<Shape>(std::vector<std::string_view>{"a"});
  for (int i = 0; i < 5; ++i) batch->adopt(shape);
  EXPECT_EQ(batch->shapes().size(), 1U);
}

// A row is the digit in it.
class Digit final : public RowForm {
 public:
  Value* values_of(std::string_view row, Arena& arena) const override {
    Value* values = arena.array<Value>(1);
    values[0] = Value::of_integer(row[0] - '0');
    return values;
  }
};

TEST(Batch, opens_rows_that_nobody_has_looked_into_once) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  BatchRef batch = BatchRef::make(pool, Content::kRecords);
  batch->open_rows();  // there are none
  auto shape = std::make_shared<Shape>(std::vector<std::string_view>{"a"});
  batch->adopt(shape);
  batch->rows = std::make_shared<Digit>();
  for (const char* row : {"7", "8"}) {
    batch->slices.push_back({row, 1});
    batch->records.push_back({.shape = shape.get()});
  }
  batch->open_rows();
  batch->open_rows();
  EXPECT_EQ(batch->rows, nullptr);
  EXPECT_TRUE(batch->slices.empty());
  EXPECT_EQ(batch->records[0].value(0).integer, 7);
  EXPECT_EQ(batch->records[1].value(0).integer, 8);
}

TEST(Record, is_written_as_json_without_its_absent_fields) {
  Shape shape({"a", "b \"q\"", "c"});
  Value values[] = {Value::absent(), Value::of_integer(1), Value::null()};
  Record record;
  record.shape = &shape;
  record.values = values;
  std::string out;
  append_json(out, record);
  EXPECT_EQ(out, R"({"b \"q\"":1,"c":null})");
}

TEST(Shape, finds_its_fields_by_name) {
  Shape shape({"temp", "Temp", ""});
  EXPECT_EQ(shape.find("temp"), 0);
  EXPECT_EQ(shape.find("Temp"), 1);
  EXPECT_EQ(shape.find(""), 2);
  EXPECT_EQ(shape.find("TEMP"), -1);
  EXPECT_EQ(shape.json_key(0), ",\"temp\":");
}

// Four records "0" to "3", of which record i ends at offset 10 (i + 1) and line i + 1 of
// partition 7.
class RestTest : public ::testing::Test {
 protected:
  RestTest() {
    batch_->begin = {7, 100, 50};
    batch_->end = {7, 140, 54, true};
    batch_->adopt(std::make_shared<Shape>(std::vector<std::string_view>{"n"}));
    for (uint32_t i = 0; i < 4; ++i) {
      auto* value = batch_->arena.array<Value>(1);
      *value = Value::of_integer(i);
      batch_->records.push_back({batch_->shapes()[0].get(), value, 0, 10 * (i + 1), i + 1});
    }
    batch_->quantum = 1;
  }

  static void expect_position(const Position& position, uint64_t offset, uint64_t line) {
    EXPECT_EQ(position.partition, 7U);
    EXPECT_EQ(position.offset, offset);
    EXPECT_EQ(position.line, line);
  }

  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  BatchRef batch_ = BatchRef::make(pool_, Content::kRecords);
};

TEST_F(RestTest, is_a_batch_as_if_the_source_had_cut_there) {
  batch_->leave_records(1);
  BatchRef rest = std::exchange(batch_->rest, {});
  expect_position(batch_->end, 110, 51);
  EXPECT_FALSE(batch_->end.last);
  EXPECT_EQ(batch_->records.size(), 1U);
  expect_position(rest->begin, 110, 51);
  expect_position(rest->end, 140, 54);
  EXPECT_TRUE(rest->end.last);
  ASSERT_EQ(rest->records.size(), 3U);
  expect_position(rest->position_after(0), 120, 52);
  expect_position(rest->position_after(2), 140, 54);
}

TEST_F(RestTest, keeps_alive_what_its_records_point_into) {
  batch_->leave_records(2);
  BatchRef rest = std::exchange(batch_->rest, {});
  batch_.reset();
  rest->leave_records(1);
  BatchRef last = std::exchange(rest->rest, {});
  rest.reset();
  ASSERT_EQ(last->records.size(), 1U);
  EXPECT_EQ(last->records[0].value(0).integer, 3);
  EXPECT_EQ(last->records[0].shape->name(0), "n");
  last.reset();
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(RestTest, may_be_added_to_by_cutting_again) {
  batch_->leave_records(3);
  batch_->leave_records(1);
  BatchRef rest = std::exchange(batch_->rest, {});
  ASSERT_EQ(rest->records.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rest->records[i].value(0).integer, static_cast<int64_t>(i) + 1);
    expect_position(rest->position_after(i), 120 + 10 * i, 52 + i);
  }
  expect_position(rest->end, 140, 54);
  EXPECT_TRUE(rest->end.last);
}

TEST_F(RestTest, does_not_part_records_that_end_at_one_place) {
  batch_->records[1].end_offset = batch_->records[2].end_offset;
  EXPECT_FALSE(batch_->may_cut(0));
  EXPECT_TRUE(batch_->may_cut(1));
  EXPECT_FALSE(batch_->may_cut(2));
  EXPECT_TRUE(batch_->may_cut(3));
  EXPECT_FALSE(batch_->may_cut(4));
  batch_->quantum = SIZE_MAX;  // not in turns
  EXPECT_FALSE(batch_->may_cut(1));
}

TEST(Rest, of_messages_takes_the_fields_that_came_with_them_along) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  BatchRef batch = BatchRef::make(pool, Content::kSlices);
  for (uint32_t i = 1; i <= 3; ++i) batch->slices.push_back({"x", 1, i * 10, i});
  for (uint32_t i = 1; i <= 3; ++i) batch->message_fields.push_back({nullptr, nullptr, i * 10});
  batch->end = {0, 30, 3};
  batch->leave_slices(2);
  BatchRef rest = std::exchange(batch->rest, {});
  ASSERT_EQ(rest->slices.size(), 1U);
  EXPECT_EQ(rest->slices[0].end_offset, 10U);
  ASSERT_EQ(rest->message_fields.size(), 1U);
  EXPECT_EQ(rest->message_fields[0].end_offset, 10U);
}

TEST(Shape, finds_its_fields_whether_narrow_or_wide_and_whatever_their_names) {
  for (size_t width : {1U, 8U, 9U, 4000U}) {
    std::vector<std::string> names;
    for (size_t i = 0; i < width; ++i) names.push_back("field " + std::to_string(i));
    names[width / 2] = "a \"quoted\" \\ name";
    Shape shape(std::vector<std::string_view>(names.begin(), names.end()));
    for (size_t i = 0; i < width; ++i) {
      EXPECT_EQ(shape.find(names[i]), static_cast<int>(i));
      EXPECT_EQ(shape.name(i), names[i]);
    }
    EXPECT_EQ(shape.find("another"), -1);
    EXPECT_EQ(shape.json_key(width / 2), R"(,"a \"quoted\" \\ name":)");
    EXPECT_GT(shape.footprint(), width * sizeof("field 0"));
  }
}

TEST(ShapeCacheTest, forgets_what_takes_more_than_its_share_and_says_what_it_takes) {
  Budget budget(1 << 20);
  BlockPool pool(budget);
  ShapeCache<int> cache;
  int made = 0;
  auto make = [&made](const Shape&) { return ++made; };
  auto visit = [&](const ShapeRef& shape) {
    BatchRef batch = BatchRef::make(pool, Content::kRecords);
    batch->adopt(shape);
    cache.get(*batch, shape.get(), make);
    cache.trim(*batch);
  };
  std::vector<ShapeRef> small;
  for (int i = 0; i < 100; ++i) {
    std::string name = "n" + std::to_string(i);
    small.push_back(std::make_shared<Shape>(std::vector<std::string_view>{name}));
  }
  for (int round = 0; round < 3; ++round)
    for (const ShapeRef& shape : small) visit(shape);
  EXPECT_EQ(made, 100);  // all are remembered
  std::vector<std::string> many(5000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = "a long name " + std::to_string(i);
  auto wide = std::make_shared<Shape>(std::vector<std::string_view>(many.begin(), many.end()));
  EXPECT_GT(wide->footprint(), budget.limit() / 16);
  visit(wide);
  EXPECT_EQ(cache.held(), 0U);
}

}  // namespace
}  // namespace leat
