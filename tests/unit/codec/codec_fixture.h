// What the codec tests have in common: batches from text, and records back to text.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/text/charset.h"
#include "record/batch.h"
#include "stage/codec.h"
#include "stage/dead_letter.h"

namespace leat {

class RecordedDeadLetters final : public DeadLetters {
 public:
  struct Letter {
    std::string text;
    std::string reason;
    uint64_t offset;
    uint64_t line;
  };

  void add(const Batch& batch, size_t index, std::string_view reason) override {
    std::string text;
    append_json(text, batch.records[index]);
    Position after = batch.position_after(index);
    letters.push_back({text, std::string(reason), after.offset, after.line});
  }
  void add_text(std::string_view bytes, const Position& after, std::string_view reason) override {
    letters.push_back({std::string(bytes), std::string(reason), after.offset, after.line});
  }

  std::vector<std::string> reasons() const {
    std::vector<std::string> all;
    for (const Letter& letter : letters) all.push_back(letter.reason);
    return all;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Letter& letter : letters) all.push_back(letter.text);
    return all;
  }

  bool full() const override { return letters.size() >= most; }

  std::vector<Letter> letters;
  size_t most = SIZE_MAX;  // that may wait
};

class CodecTest : public testing::Test {
 protected:
  using Strings = std::vector<std::string>;

  // A batch of whole frames. The bytes lie alone in memory of their exact size, so that the address
  // sanitizer sees a read beyond them.
  BatchRef bytes_of(std::string_view text) {
    BatchRef batch = BatchRef::make(pool_, Content::kBytes);
    batch->bytes = {keep(text), text.size()};
    batch->arrival_us = kArrival;
    return batch;
  }

  // A batch of messages.
  BatchRef slices_of(const Strings& messages) {
    BatchRef batch = BatchRef::make(pool_, Content::kSlices);
    uint32_t n = 0;
    for (const std::string& message : messages) {
      ++n;
      batch->slices.push_back({keep(message), static_cast<uint32_t>(message.size()), n * 100, n});
    }
    batch->arrival_us = kArrival;
    return batch;
  }

  // Decodes and shows the records as JSON. `batch_` is the batch afterwards.
  Strings decode(Decoder& decoder, BatchRef batch) {
    batch_ = std::move(batch);
    Result<Turn> done = decoder.decode(*batch_, dead_);
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    EXPECT_EQ(batch_->content, Content::kRecords);
    return shown(*batch_);
  }
  Strings decode(Decoder& decoder, std::string_view text) {
    return decode(decoder, bytes_of(text));
  }

  static Strings shown(const Batch& batch) {
    Strings all;
    for (const Record& record : batch.records) append_json(all.emplace_back(), record);
    return all;
  }

  // The slices' bytes, one after another.
  static std::string joined(const Batch& batch) {
    std::string all;
    for (const Slice& slice : batch.slices) all += slice.view();
    return all;
  }
  std::string encode(Encoder& encoder, const Batch& in) {
    Result<BatchRef> out = encoder.encode(in, dead_);
    EXPECT_TRUE(out);
    if (!out) return "";
    EXPECT_EQ((*out)->content, Content::kSlices);
    encoded_ = *out;
    return joined(**out);
  }

  // A batch of one record with these fields.
  BatchRef record_of(const std::vector<std::pair<std::string_view, Value>>& fields) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    add_record(*batch, fields);
    return batch;
  }
  void add_record(Batch& batch, const std::vector<std::pair<std::string_view, Value>>& fields) {
    std::vector<std::string_view> names;
    Value* values = batch.arena.array<Value>(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      names.push_back(fields[i].first);
      values[i] = fields[i].second;
    }
    ShapeRef shape = std::make_shared<const Shape>(names);
    batch.adopt(shape);
    auto n = static_cast<uint32_t>(batch.records.size() + 1);
    batch.records.push_back({shape.get(), values, kArrival, n * 10, n});
  }
  static Value text(std::string_view text) { return Value::of_text(Type::kString, text); }

  static TextReader text_reader(const char* encoding, const char* invalid_text) {
    static constexpr Option kOptions[] = {kEncodingOption, kInvalidTextOption};
    Options options(kOptions);
    options.set("encoding", encoding);
    options.set("invalidText", invalid_text);
    return TextReader(options);
  }

  const Value& value(size_t record, std::string_view name) {
    const Record& r = batch_->records.at(record);
    int field = r.shape->find(name);
    EXPECT_GE(field, 0) << name;
    static const Value kNone;
    return field < 0 ? kNone : r.values[field];
  }

  static constexpr int64_t kArrival = 1'700'000'000'000'000;

  Budget budget_{1U << 30};
  BlockPool pool_{budget_};
  RecordedDeadLetters dead_;
  BatchRef batch_;
  BatchRef encoded_;

 private:
  char* keep(std::string_view text) {
    auto copy = std::make_unique<char[]>(text.size());
    if (!text.empty()) std::memcpy(copy.get(), text.data(), text.size());
    kept_.push_back(std::move(copy));
    return kept_.back().get();
  }
  std::vector<std::unique_ptr<char[]>> kept_;
};

}  // namespace leat
