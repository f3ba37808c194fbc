// Batches made by hand, transforms made from option tables, and what comes out as JSON.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "record/batch.h"
#include "stage/transform.h"

namespace leat {

// A field of a record under test: number("temp", "44.50"), text("state", "idle"), …
struct TestField {
  std::string name;
  Type type;
  Form form;
  std::string text;
  int64_t integer = 0;
};
using TestRecord = std::vector<TestField>;

inline TestField number(std::string name, std::string text) {
  Type type = number_from_text(text).type;
  return {std::move(name), type, Form::kText, std::move(text)};
}
inline TestField text(std::string name, std::string value) {
  return {std::move(name), Type::kString, Form::kPlain, std::move(value)};
}
inline TestField typed(std::string name, Type type, std::string value, Form form = Form::kPlain) {
  return {std::move(name), type, form, std::move(value)};
}
inline TestField plain(std::string name, Type type, int64_t integer = 0) {
  return {std::move(name), type, Form::kPlain, "", integer};
}
inline TestField boolean(std::string name, bool value) {
  return plain(std::move(name), Type::kBool, value ? 1 : 0);
}

struct CollectedDeadLetters final : DeadLetters {
  void add(const Batch& batch, size_t index, std::string_view reason) override {
    std::string json;
    append_json(json, batch.records[index]);
    records.push_back(json);
    reasons.emplace_back(reason);
  }
  void add_text(std::string_view, const Position&, std::string_view) override {
    ADD_FAILURE() << "a transform has no undecoded bytes";
  }
  bool full() const override { return records.size() >= most; }
  std::vector<std::string> records;
  std::vector<std::string> reasons;
  size_t most = SIZE_MAX;  // that may wait
};

class TransformTest : public ::testing::Test {
 protected:
  // Record i ends at offset 100 * (i + 1) and line i + 1, with the event time 1000 + i.
  BatchRef batch_of(const std::vector<TestRecord>& records) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    batch->begin = {7, 5000, 50};
    batch->end = {7, 5000 + 100 * records.size(), 50 + records.size()};
    batch->arrival_us = 77;
    batch->end.last = true;
    for (const TestRecord& fields : records) batch->records.push_back(record_of(*batch, fields));
    return batch;
  }

  // Records with one number each.
  BatchRef numbers(const std::string& name, const std::vector<std::string>& values) {
    std::vector<TestRecord> records;
    for (const std::string& value : values) records.push_back({number(name, value)});
    return batch_of(records);
  }

  Result<std::unique_ptr<Transform>> make(const std::string& type,
                                          const std::map<std::string, Options::Item>& items) {
    const TransformType* found = find_transform(type);
    Options options(found->options, "t");
    for (const auto& [name, item] : items) options.set(name, item);
    return found->make(options);
  }
  // The message with which making it is refused; "" when it is not.
  std::string refusal(const std::string& type, const std::map<std::string, Options::Item>& items) {
    auto made = make(type, items);
    if (made) return "";
    EXPECT_EQ(made.error().kind(), ErrorKind::kUsage);
    return made.error().message();
  }
  void use(const std::string& type, const std::map<std::string, Options::Item>& items) {
    auto made = make(type, items);
    ASSERT_TRUE(made) << made.error().message();
    transform_ = std::move(*made);
  }

  // The records after the transform, as JSON. `last_` keeps the batch.
  std::vector<std::string> run(BatchRef batch) {
    Status status = transform_->run(batch, dead_);
    failure_ = status ? "" : status.error().message();
    last_ = batch;
    std::vector<std::string> out;
    for (const Record& record : batch->records) append_json(out.emplace_back(), record);
    return out;
  }

  using Lines = std::vector<std::string>;

  // The same, in turns of `quantum` bytes; how many records each turn gave.
  std::vector<size_t> run_in_turns(BatchRef batch, size_t quantum) {
    std::vector<size_t> turns;
    while (batch) {
      batch->quantum = quantum;
      BatchRef before = batch;
      uint64_t begin = batch->begin.offset;
      turns.push_back(run(batch).size());
      batch = std::exchange(before->rest, {});
      EXPECT_GT(last_->end.offset, begin);
      if (batch) {
        EXPECT_EQ(batch->begin.offset, last_->end.offset);
      }
    }
    return turns;
  }

  Budget budget_{64 << 20};
  BlockPool pool_{budget_};
  std::unique_ptr<Transform> transform_;
  CollectedDeadLetters dead_;
  std::string failure_;
  BatchRef last_;

 private:
  Record record_of(Batch& batch, const TestRecord& fields) {
    std::vector<std::string_view> names;
    for (const TestField& field : fields) names.push_back(field.name);
    Record record;
    for (const ShapeRef& shape : batch.shapes())
      if (shape->same_names(names)) record.shape = shape.get();
    if (record.shape == nullptr) {
      batch.adopt(std::make_shared<const Shape>(names));
      record.shape = batch.shapes().back().get();
    }
    record.values = batch.arena.array<Value>(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) record.values[i] = value_of(batch, fields[i]);
    auto row = static_cast<uint32_t>(batch.records.size());
    record.time_us = 1000 + row;
    record.end_offset = 100 * (row + 1);
    record.end_line = row + 1;
    return record;
  }

  static Value value_of(Batch& batch, const TestField& field) {
    Value value = Value::of_text(field.type, batch.arena.copy(field.text), field.form);
    if (value.is_text()) return value;
    value = Value::of_integer(field.integer);
    value.type = field.type;
    return value;
  }
};

}  // namespace leat
