#include "record/batch.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace leat
