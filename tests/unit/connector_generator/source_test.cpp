#include <gtest/gtest.h>

#include "stage/source.h"
#include "support/hand_loop.h"

namespace leat {

extern const SourceType kGeneratorSource;

namespace testing {
namespace {

// Runs the source as the engine would, with as much credit as the test gives.
class GeneratorTest : public ::testing::Test, public SourceContext {
 protected:
  GeneratorTest() : options_(kGeneratorSource.options) {}
  ~GeneratorTest() override {
    stop();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  const std::string& agent() override { return name_; }
  bool exactly_once() override { return false; }
  size_t batch_bytes() const override { return batch_bytes_; }
  Budget& budget() override { return budget_; }
  const Framing* framing() override { return nullptr; }
  bool needs_preamble() override { return false; }
  const std::vector<SavedPosition>& saved() override { return saved_; }
  BatchRef new_batch(Content content) override {
    if (credit_ == 0) return {};
    --credit_;
    return BatchRef::make(pool_, content);
  }
  void emit(BatchRef batch) override {
    ++batches_;
    largest_ = std::max(largest_, batch->records.size());
    EXPECT_EQ(batch->begin.offset + batch->records.size(), batch->end.offset);
    for (size_t i = 0; i < batch->records.size(); ++i) {
      EXPECT_EQ(batch->position_after(i).offset, batch->begin.offset + i + 1);
      EXPECT_EQ(batch->records[i].time_us, batch->records[i].value(0).integer * 1000);
      lines_.emplace_back();
      append_json(lines_.back(), batch->records[i]);
    }
    if (source_) saved_ = {source_->saved_form(batch->end)};
  }
  void finished(Status status) override {
    EXPECT_TRUE(status);
    EXPECT_FALSE(finished_) << "finished twice";
    finished_ = true;
  }
  void window_full(bool) override {}
  void save(SavedPosition, std::function<void(Status)>) override {}
  void progress(uint64_t, std::optional<uint64_t>) override {}

  void start() {
    finished_ = false;
    Result<std::unique_ptr<Source>> made = kGeneratorSource.make(options_);
    ASSERT_TRUE(made);
    source_ = std::move(*made);
    Status opened = source_->open(*this);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  void stop() {
    if (!source_) return;
    bool closed = false;
    source_->stop([&closed] { closed = true; });
    EXPECT_TRUE(closed);
    source_.reset();
  }
  bool wait_for_records(size_t count) {
    return run_until(loop_, [this, count] { return lines_.size() >= count; });
  }
  bool wait_for_end() {
    return run_until(loop_, [this] { return finished_; });
  }
  // Everything that is ready now, without waiting for a timer.
  void turn() {
    for (int i = 0; i < 100; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }

  HandLoop loop_;
  std::string name_ = "line-1";
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  Options options_;
  size_t batch_bytes_ = 64 * 1024;
  size_t credit_ = SIZE_MAX;
  std::vector<SavedPosition> saved_;
  std::unique_ptr<Source> source_;
  std::vector<std::string> lines_;
  size_t batches_ = 0;
  size_t largest_ = 0;
  bool finished_ = false;
};

TEST_F(GeneratorTest, makes_as_many_records_as_asked_and_ends) {
  options_.set("count", int64_t{1000});
  EXPECT_TRUE(kGeneratorSource.bounded(options_));
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(lines_.size(), 1000u);
}

TEST_F(GeneratorTest, without_a_count_it_has_no_end) {
  EXPECT_FALSE(kGeneratorSource.bounded(options_));
  start();
  EXPECT_TRUE(wait_for_records(5000));
  EXPECT_FALSE(finished_);
}

TEST_F(GeneratorTest, records_are_pinned_for_a_seed) {
  options_.set("count", int64_t{2});
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{
                        R"({"ts":1760000000000,"device":"gw-052/plc-02","seq":0,"temp":49.85,)"
                        R"("vib":1.076,"state":"run","ok":true})",
                        R"({"ts":1760000000006,"device":"gw-105/plc-00","seq":1,"temp":57.97,)"
                        R"("vib":1.1785,"state":"run","ok":true})"}));
}

TEST_F(GeneratorTest, resumed_stream_is_the_same_as_one_that_was_not_interrupted) {
  options_.set("count", int64_t{2000});
  start();
  ASSERT_TRUE(wait_for_end());
  stop();
  std::vector<std::string> whole = std::exchange(lines_, {});

  batches_ = 0;
  saved_.clear();
  credit_ = 3;
  batch_bytes_ = 8 * 1024;
  start();
  turn();
  stop();
  ASSERT_EQ(batches_, 3u);
  ASSERT_LT(lines_.size(), whole.size());
  credit_ = SIZE_MAX;
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(lines_, whole);
}

TEST_F(GeneratorTest, finished_stream_stays_finished_after_a_restart) {
  options_.set("count", int64_t{10});
  start();
  ASSERT_TRUE(wait_for_end());
  stop();
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(lines_.size(), 10u);
}

TEST_F(GeneratorTest, another_seed_is_another_stream_from_its_own_beginning) {
  options_.set("count", int64_t{10});
  start();
  ASSERT_TRUE(wait_for_end());
  stop();
  std::vector<std::string> first = std::exchange(lines_, {});
  options_.set("seed", int64_t{2});
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(lines_.size(), 10u);
  EXPECT_NE(lines_, first);
}

TEST_F(GeneratorTest, batches_keep_to_the_size_asked_for) {
  batch_bytes_ = 4 * 1024;
  options_.set("count", int64_t{500});
  start();
  ASSERT_TRUE(wait_for_end());
  EXPECT_GT(largest_, 1u);
  EXPECT_LE(largest_, 4 * 1024 / (7 * sizeof(Value)));
}

TEST_F(GeneratorTest, stops_without_credit_and_goes_on_with_it) {
  credit_ = 2;
  start();
  turn();
  EXPECT_EQ(batches_, 2u);
  EXPECT_EQ(uv_loop_alive(loop_.uv()), 0) << "something keeps the loop awake without credit";
  credit_ = 1;
  source_->resume();
  source_->resume();
  turn();
  EXPECT_EQ(batches_, 3u);
}

TEST_F(GeneratorTest, keeps_to_the_rate) {
  options_.set("rate", int64_t{100});
  start();
  ASSERT_TRUE(wait_for_records(1)) << "the first record is due at once";
  turn();
  EXPECT_EQ(lines_.size(), 1u);
  loop_.advance(std::chrono::milliseconds(500));
  ASSERT_TRUE(wait_for_records(2));
  turn();
  EXPECT_EQ(lines_.size(), 51u);
}

TEST_F(GeneratorTest, does_not_make_up_for_time_without_credit) {
  options_.set("rate", int64_t{100});
  credit_ = 0;
  start();
  turn();
  loop_.advance(std::chrono::seconds(60));
  credit_ = SIZE_MAX;
  source_->resume();
  ASSERT_TRUE(wait_for_records(1));
  turn();
  EXPECT_EQ(lines_.size(), 1u);
}

TEST_F(GeneratorTest, damaged_position_is_an_error_not_a_new_start) {
  saved_ = {{"seed 1, devices 512", "12x"}};
  Result<std::unique_ptr<Source>> made = kGeneratorSource.make(options_);
  Status opened = (*made)->open(*this);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(),
            "generator: saved position \"12x\" is not a number of records");
}

}  // namespace
}  // namespace testing
}  // namespace leat
