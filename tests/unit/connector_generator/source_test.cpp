#include <algorithm>
#include <string>
#include <vector>

#include "support/source_harness.h"

namespace leat {

extern const SourceType kGeneratorSource;

namespace testing {
namespace {

class GeneratorTest : public SourceHarness {
 protected:
  GeneratorTest() : SourceHarness(kGeneratorSource) {
    most_ = Milliseconds{0};  // a rate is kept in time
  }
  void given(BatchRef batch) override {
    largest_ = std::max(largest_, batch->records.size());
    EXPECT_EQ(batch->begin.offset + batch->records.size(), batch->end.offset);
    for (size_t i = 0; i < batch->records.size(); ++i) {
      EXPECT_EQ(batch->position_after(i).offset, batch->begin.offset + i + 1);
      EXPECT_EQ(batch->records[i].time_us, batch->records[i].value(0).integer * 1000);
      append_json(lines_.emplace_back(), batch->records[i]);
    }
  }
  bool wait_for_records(size_t count) {
    return wait([this, count] { return lines_.size() >= count; });
  }

  std::vector<std::string> lines_;
  size_t largest_ = 0;
};

TEST_F(GeneratorTest, makes_as_many_records_as_asked_and_ends) {
  options_.set("count", int64_t{1000});
  EXPECT_TRUE(kGeneratorSource.bounded(options_));
  start();
  ASSERT_TRUE(wait_end());
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
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{
                        R"({"ts":1760000000000,"device":"gw-052/plc-02","seq":0,"temp":49.85,)"
                        R"("vib":1.076,"state":"run","ok":true})",
                        R"({"ts":1760000000006,"device":"gw-105/plc-00","seq":1,"temp":57.97,)"
                        R"("vib":1.1785,"state":"run","ok":true})"}));
}

TEST_F(GeneratorTest, resumed_stream_is_the_same_as_one_that_was_not_interrupted) {
  options_.set("count", int64_t{2000});
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  std::vector<std::string> whole = std::exchange(lines_, {});

  journal_.clear();
  credit_ = 3;
  batch_bytes_ = 8 * 1024;
  start();
  settle();
  deliver();
  stop();
  ASSERT_EQ(batches_, 3u);
  ASSERT_LT(lines_.size(), whole.size());
  credit_ = SIZE_MAX;
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(lines_, whole);
}

TEST_F(GeneratorTest, finished_stream_stays_finished_after_a_restart) {
  options_.set("count", int64_t{10});
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(lines_.size(), 10u);
}

TEST_F(GeneratorTest, another_seed_is_another_stream_from_its_own_beginning) {
  options_.set("count", int64_t{10});
  start();
  ASSERT_TRUE(wait_end());
  deliver();
  stop();
  std::vector<std::string> first = std::exchange(lines_, {});
  options_.set("seed", int64_t{2});
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(lines_.size(), 10u);
  EXPECT_NE(lines_, first);
}

TEST_F(GeneratorTest, batches_keep_to_the_size_asked_for) {
  batch_bytes_ = 4 * 1024;
  options_.set("count", int64_t{500});
  start();
  ASSERT_TRUE(wait_end());
  EXPECT_GT(largest_, 1u);
  EXPECT_LE(largest_, 4 * 1024 / (7 * sizeof(Value)));
}

TEST_F(GeneratorTest, stops_without_credit_and_goes_on_with_it) {
  credit_ = 2;
  start();
  settle();
  EXPECT_EQ(batches_, 2u);
  EXPECT_EQ(uv_loop_alive(loop_.uv()), 0) << "something keeps the loop awake without credit";
  give_credit(1);
  source_->resume();
  settle();
  EXPECT_EQ(batches_, 3u);
}

TEST_F(GeneratorTest, keeps_to_the_rate) {
  options_.set("rate", int64_t{100});
  start();
  ASSERT_TRUE(wait_for_records(1)) << "the first record is due at once";
  settle();
  EXPECT_EQ(lines_.size(), 1u);
  loop_.advance(std::chrono::milliseconds(500));
  ASSERT_TRUE(wait_for_records(2));
  settle();
  EXPECT_EQ(lines_.size(), 51u);
}

TEST_F(GeneratorTest, does_not_make_up_for_time_without_credit) {
  options_.set("rate", int64_t{100});
  credit_ = 0;
  start();
  settle();
  loop_.advance(std::chrono::seconds(60));
  give_credit();
  ASSERT_TRUE(wait_for_records(1));
  settle();
  EXPECT_EQ(lines_.size(), 1u);
}

TEST_F(GeneratorTest, damaged_position_is_an_error_not_a_new_start) {
  journal_ = {{"seed 1, devices 512", "12x"}};
  Result<std::unique_ptr<Source>> made = kGeneratorSource.make(options_);
  Status opened = (*made)->open(*this);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(),
            "generator: saved position \"12x\" is not a number of records");
}

}  // namespace
}  // namespace testing
}  // namespace leat
