#include "task/message_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace leat {
namespace {

class MessageFieldsTest : public ::testing::Test {
 protected:
  // A record decoded from the message that ends at `end`.
  void record(const ShapeRef& shape, std::vector<Value> values, uint32_t end) {
    batch_->adopt(shape);
    batch_->records.push_back({shape.get(), keep(values), 0, end, 1});
  }
  void message(const ShapeRef& shape, std::vector<Value> values, uint32_t end) {
    batch_->adopt(shape);
    batch_->message_fields.push_back({shape.get(), keep(values), end});
  }
  std::string after(size_t i) {
    std::string out;
    append_json(out, batch_->records[i]);
    return out;
  }
  static ShapeRef shape(const std::vector<std::string_view>& names) {
    return std::make_shared<const Shape>(names);
  }
  static Value text(std::string_view text) { return Value::of_text(Type::kString, text); }

  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  BatchRef batch_ = BatchRef::make(pool_, Content::kRecords);
  MessageFieldAdder adder_;

 private:
  Value* keep(const std::vector<Value>& values) {
    auto* kept = batch_->arena.array<Value>(values.size());
    std::copy(values.begin(), values.end(), kept);
    return kept;
  }
};

TEST_F(MessageFieldsTest, every_record_of_a_message_gets_its_fields) {
  ShapeRef payload = shape({"temp"});
  ShapeRef topic = shape({"site", "device"});
  record(payload, {Value::of_integer(1)}, 1);
  record(payload, {Value::of_integer(2)}, 1);  // an array of two objects
  record(payload, {Value::of_integer(3)}, 3);  // the second message was a dead letter
  message(topic, {text("n"), text("p1")}, 1);
  message(topic, {text("n"), text("p2")}, 2);
  message(topic, {text("s"), text("p3")}, 3);
  adder_.run(*batch_);
  EXPECT_EQ(after(0), R"({"temp":1,"site":"n","device":"p1"})");
  EXPECT_EQ(after(1), R"({"temp":2,"site":"n","device":"p1"})");
  EXPECT_EQ(after(2), R"({"temp":3,"site":"s","device":"p3"})");
}

TEST_F(MessageFieldsTest, a_field_that_the_payload_has_too_gets_the_messages_value) {
  record(shape({"device", "temp"}), {text("me"), Value::of_integer(1)}, 1);
  message(shape({"device"}), {text("p1")}, 1);
  adder_.run(*batch_);
  EXPECT_EQ(after(0), R"({"device":"p1","temp":1})");
}

TEST_F(MessageFieldsTest, a_message_without_fields_leaves_its_records_alone) {
  ShapeRef payload = shape({"temp"});
  record(payload, {Value::of_integer(1)}, 1);
  record(payload, {Value::of_integer(2)}, 2);
  message(shape({"user"}), {text("x")}, 2);
  adder_.run(*batch_);
  EXPECT_EQ(after(0), R"({"temp":1})");
  EXPECT_EQ(after(1), R"({"temp":2,"user":"x"})");
}

}  // namespace
}  // namespace leat
