// A `window`, what is given to it, and when.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>

#include "state/state.h"
#include "transform/fixture.h"

namespace leat {

constexpr int64_t kSecond = 1'000'000;

// One whose partitions have these names.
class Named final : public Acknowledger {
 public:
  SavedPosition saved_position(const Position& position) override {
    return {"file " + std::to_string(position.partition + shift), ""};
  }
  std::string describe(const Position& /*position*/) override { return ""; }
  uint32_t shift = 0;
};

class Window : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;
  using Set = Options::Map;

  void window(Items items = {}) {
    if (!items.contains("session")) items.emplace("every", int64_t{60'000});
    items.emplace("set", Set{{"n", "count(*)"}});
    items.emplace("startField", std::string("from"));
    items.emplace("endField", std::string("to"));
    use("window", items);
  }
  // What is less than so many seconds apart.
  static Options::Item session(int64_t gap) {
    const TransformType* type = find_transform("window");
    const auto option = std::ranges::find(type->options, "session", &Option::name);
    auto fields = std::make_shared<Options>(option->fields, "t.session");
    fields->set("gap", gap * 1000);
    return fields;
  }
  // At this many seconds.
  struct At {
    double seconds;
    TestRecord fields = {};
  };
  Lines give(const std::vector<At>& records, uint32_t partition = 7, bool last = false) {
    std::vector<TestRecord> all;
    for (const At& one : records) all.push_back(one.fields);
    BatchRef batch = batch_of(all);
    batch->begin.partition = batch->end.partition = partition;
    batch->end.last = last;
    batch->acknowledger = &source_;
    for (size_t i = 0; i < records.size(); ++i)
      batch->records[i].time_us = std::llround(records[i].seconds * 1e6);
    return run_now(batch);
  }
  // Without records, as when it is due.
  Lines tick() {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    return run_now(batch);
  }
  Lines run_now(BatchRef batch) {
    transform_->state()->set_now(now_);
    return run(std::move(batch));
  }
  Lines end() {
    transform_->state()->end_of_input();
    EXPECT_EQ(transform_->state()->due(), Milliseconds{0});
    Lines out = tick();
    EXPECT_EQ(transform_->state()->due(), std::nullopt);
    return out;
  }
  static TestRecord temp(const std::string& device, const std::string& value) {
    return {text("dev", device), number("temp", value)};
  }
  static std::string clock(int64_t second) {
    char text[32];
    std::snprintf(text, sizeof(text), "\"1970-01-01T%02d:%02d:%02dZ\"",
                  static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60),
                  static_cast<int>(second % 60));
    return text;
  }
  // "[minute]n" of results without keys.
  static std::string minute(int from, int n) {
    return "{\"n\":" + std::to_string(n) + ",\"from\":" + clock(60 * from) +
           ",\"to\":" + clock(60 * from + 60) + "}";
  }

  Named source_;
  Milliseconds now_{1'000'000};
};

}  // namespace leat
