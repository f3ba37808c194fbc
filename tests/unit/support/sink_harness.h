// Runs one sink on a loop whose time the test moves, as the engine would: open, deliver, close; or
// kill, which drops it as a crash would. Every harness ends by checking that the loop closes, so no
// handle is left over.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memory/budget.h"
#include "record/batch.h"
#include "stage/sink.h"
#include "support/hand_loop.h"

namespace leat::testing {

using Row = std::vector<std::pair<std::string_view, Value>>;

inline Value text(std::string_view s) {
  return Value::of_text(leat::Type::kString, s);
}

class SinkHarness : public SinkContext {
 public:
  explicit SinkHarness(const WriteFormat* format = nullptr) : format_(format) {}
  ~SinkHarness() override {
    kill();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return pipeline_; }
  const std::string& agent() override { return agent_; }
  Budget& budget() override { return budget_; }
  DocumentWrap wrap() override { return wrap_; }
  const WriteFormat* format() override { return format_; }
  Result<std::unique_ptr<Encoder>> new_encoder() override {
    return format_->make_encoder(format_options_);
  }
  SinkLane lane() override { return lane_; }

  HandLoop& hand_loop() { return loop_; }
  void advance(std::chrono::microseconds by) { loop_.advance(by); }
  void set_wrap(DocumentWrap wrap) { wrap_ = std::move(wrap); }
  void set_format_options(Options options) { format_options_ = std::move(options); }
  void set_lane(SinkLane lane) { lane_ = lane; }
  Sink& sink() { return *sink_; }

  // Makes and opens.
  Status start(const SinkType& type, const Options& options) {
    Result<std::unique_ptr<Sink>> made = type.make(options);
    if (!made) return fail(made.error());
    sink_ = std::move(*made);
    return sink_->open(*this);
  }

  // One batch of slices as a delivery.
  Delivery slices(const std::vector<std::string>& lines) {
    BatchRef batch = BatchRef::make(pool_, Content::kSlices);
    Delivery delivery;
    for (const std::string& line : lines) {
      std::string_view copy = batch->arena.copy(line);
      batch->slices.push_back({copy.data(), static_cast<uint32_t>(copy.size()), 0, 0});
      delivery.bytes += copy.size();
    }
    delivery.records = lines.size();
    delivery.parts.push_back({batch, 0, static_cast<uint32_t>(lines.size())});
    delivery.key = next_key();
    return delivery;
  }

  // One batch of records. Rows with the same names as the row before share its shape. Values with
  // text must point to text that outlives the delivery (literals do).
  Delivery records(const std::vector<Row>& rows) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    for (const Row& row : rows) {
      std::vector<std::string_view> names;
      for (const auto& [name, value] : row) names.push_back(name);
      if (!shape_ || !shape_->same_names(names)) shape_ = std::make_shared<const Shape>(names);
      batch->adopt(shape_);
      auto* values = batch->arena.array<Value>(row.size());
      for (size_t i = 0; i < row.size(); ++i) values[i] = row[i].second;
      batch->records.push_back({shape_.get(), values, loop_.clock().unix_us(), 0, 0});
    }
    Delivery delivery;
    delivery.records = rows.size();
    delivery.parts.push_back({batch, 0, static_cast<uint32_t>(rows.size())});
    delivery.key = next_key();
    return delivery;
  }

  // Hands a delivery over without waiting; answer() has a value once the sink has answered.
  void begin(const Delivery& delivery) {
    answer_.reset();
    sink_->deliver(delivery, [this](Answer answer) {
      EXPECT_FALSE(answer_) << "answered twice";
      answer_ = std::move(answer);
    });
    EXPECT_FALSE(answer_) << "answered from inside deliver()";
  }
  const std::optional<Answer>& answer() const { return answer_; }

  // Time may go on until the answer, by at most `most`.
  Answer deliver(const Delivery& delivery, Milliseconds most = Milliseconds{0}) {
    begin(delivery);
    if (!wait([this] { return answer_.has_value(); }, most)) {
      ADD_FAILURE() << "no answer";
      return Answer::failed("no answer");
    }
    return *answer_;
  }

  Result<std::vector<SavedPosition>> load_positions() {
    std::optional<Result<std::vector<SavedPosition>>> loaded;
    sink_->load_positions([&loaded](auto result) { loaded = std::move(result); });
    if (!wait([&loaded] { return loaded.has_value(); })) {
      ADD_FAILURE() << "positions were not loaded";
      return fail(ErrorKind::kFatal, "no answer");
    }
    return std::move(*loaded);
  }

  void close() {
    bool closed = false;
    sink_->close([&closed] { closed = true; });
    EXPECT_TRUE(wait([&closed] { return closed; })) << "never closed";
    sink_.reset();
  }

  // What a kill -9 leaves behind: nothing is finished, flushed or renamed.
  void kill() { sink_.reset(); }

  bool wait(const std::function<bool()>& condition) { return run_until(loop_, condition); }
  // While time goes on, by at most `most`.
  bool wait(const std::function<bool()>& condition, Milliseconds most) {
    return run_until(loop_, condition, most);
  }

 private:
  static std::string next_key() {
    static int count = 0;
    return "key-" + std::to_string(++count);
  }

  HandLoop loop_;
  std::string pipeline_ = "line-1";
  std::string agent_ = "gw-1";
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  DocumentWrap wrap_;
  const WriteFormat* format_;
  Options format_options_;
  SinkLane lane_;
  ShapeRef shape_;
  std::unique_ptr<Sink> sink_;
  std::optional<Answer> answer_;
};

}  // namespace leat::testing
