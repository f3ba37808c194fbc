#include "delivery/deliverer.h"

#include <gtest/gtest.h>

#include <sstream>

#include "fixture.h"

namespace leat {
namespace {

using testing::DelivererTest;
using testing::read_file;
using testing::ScriptedSink;

TEST_F(DelivererTest, cuts_deliveries_by_records_across_batches) {
  make();
  add(0, 3);
  add(3, 3);
  answer("r0 r1 r2 r3", Answer::delivered());
  deliverer_->end_of_input();
  answer("r4 r5", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(saved(), "60");
}

TEST_F(DelivererTest, cuts_deliveries_by_bytes_but_sends_a_record_larger_than_the_limit_alone) {
  limits_.bytes = 7;  // "r0\n" is 3 bytes
  make(10);
  add(0, 3);
  add(1000, 1);  // 6 bytes
  limits_.bytes = 2;
  deliverer_->end_of_input();
  answer("r0 r1", Answer::delivered());
  answer("r2", Answer::delivered());
  answer("r1000", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, sends_what_lingers) {
  make();
  add(0, 1);
  answer("r0", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(saved(), "10");
}

TEST_F(DelivererTest, saves_no_position_before_everything_below_it_is_delivered) {
  make(3);
  add(0, 12);
  run_until([this] { return sink_.open_attempts.size() == 3; });
  auto first = std::move(sink_.open_attempts.front());
  sink_.open_attempts.pop_front();
  answer("r4 r5 r6 r7", Answer::delivered());
  answer("r8 r9 r10 r11", Answer::delivered());
  EXPECT_EQ(saved(), "nothing");
  first.done(Answer::delivered());
  run_until_settled();
  EXPECT_EQ(saved(), "120");
  EXPECT_EQ(source_.acks, std::vector<uint64_t>{120});
}

TEST_F(DelivererTest, a_slot_is_free_only_when_the_position_is_in_the_journal) {
  make(1);
  add(0, 8);
  answer("r0 r1 r2 r3", Answer::delivered());
  EXPECT_TRUE(sink_.open_attempts.empty());  // the commit is still under way
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, tries_again_until_the_sink_takes_it) {
  make();
  add(0, 4);
  for (int i = 0; i < 5; ++i) answer("r0 r1 r2 r3", Answer::retry("503"));
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(deliverer_->counters().delivered, 4U);
  EXPECT_EQ(deliverer_->counters().retries, 5U);
}

TEST_F(DelivererTest, a_change_of_the_network_has_it_tried_soon) {
  config_.breaker_threshold = 1;
  config_.breaker_cooldown = Milliseconds{3'600'000};
  config_.retry_initial = config_.retry_max = Milliseconds{3'600'000};
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("no route to host"));
  loop_.advance(Milliseconds{3'000});
  answer("r0 r1 r2 r3", Answer::retry("no route to host"));
  loop_.advance(Milliseconds{3'600'000});
  answer("r0 r1 r2 r3", Answer::retry("no route to host"));  // the next would be in half an hour
  NetworkWatch::tell_all();
  bool told = false;
  loop_.post([&told] { told = true; });
  run_until([&told] { return told; });
  loop_.advance(RetryTimer::kLatest);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, a_kick_has_it_tried_at_once_and_it_says_how_long_it_would_have_waited) {
  config_.retry_initial = config_.retry_max = Milliseconds{3'600'000};
  make();
  add(0, 4);
  EXPECT_FALSE(deliverer_->next_attempt_in());
  answer("r0 r1 r2 r3", Answer::retry("503"));
  ASSERT_TRUE(deliverer_->next_attempt_in());
  EXPECT_LE(*deliverer_->next_attempt_in(), Milliseconds{3'600'000});
  deliverer_->kick();
  ASSERT_EQ(sink_.open_attempts.size(), 1U);
  deliverer_->kick();  // it is being tried
  ASSERT_EQ(sink_.open_attempts.size(), 1U);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until_settled();
  EXPECT_FALSE(deliverer_->next_attempt_in());
}

TEST_F(DelivererTest, a_held_one_gives_the_sink_nothing_and_what_is_under_way_is_finished) {
  make();
  add(0, 4);
  deliverer_->hold("no more today");
  answer("r0 r1 r2 r3", Answer::retry("503"));
  add(4, 4);
  EXPECT_TRUE(deliverer_->in_trouble());
  EXPECT_EQ(deliverer_->trouble(), "no more today");
  deliverer_->kick();
  EXPECT_TRUE(sink_.open_attempts.empty());
  deliverer_->hold("");
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_settled();
  EXPECT_FALSE(deliverer_->in_trouble());
}

TEST_F(DelivererTest, what_it_delivers_is_counted_by_how_long_that_took) {
  make();
  BatchRef batch = given(0, 4);
  batch->arrival_us = loop_.clock().unix_us() - 70'000;
  deliverer_->add(std::move(batch));
  BatchRef ahead = given(4, 4);  // the clock was set back meanwhile
  ahead->arrival_us = loop_.clock().unix_us() + 5'000'000;
  deliverer_->add(std::move(ahead));
  answer("r0 r1 r2 r3", Answer::delivered());
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_settled();
  const Latencies& took = deliverer_->counters().latencies;
  EXPECT_EQ(took.counts[2], 4U) << "between 50 and 100 ms";
  EXPECT_EQ(took.counts[0], 4U);
  EXPECT_NEAR(took.sum_seconds, 0.28, 0.1);
}

// The sink may be closed by then.
TEST_F(DelivererTest, a_stopped_one_gives_the_sink_nothing_more_whatever_waits) {
  make(2);
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::retry("503"));
  add(4, 4);  // waits for the same attempt
  add(8, 2);  // lingers
  deliverer_->stop();
  deliverer_->end_of_input();
  loop_.advance(Milliseconds{1'000});
  EXPECT_EQ(sink_.history, std::vector<std::string>{"r0 r1 r2 r3"});
}

TEST_F(DelivererTest, in_trouble_one_attempt_asks_whether_it_is_over) {
  make(3);
  add(0, 12);
  for (int i = 0; i < 3; ++i) {
    auto attempt = std::move(sink_.open_attempts.front());
    sink_.open_attempts.pop_front();
    attempt.done(Answer::retry("503"));
  }
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(sink_.open_attempts.size(), 1U);
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return sink_.open_attempts.size() == 2; });
  answer("r4 r5 r6 r7", Answer::delivered());
  answer("r8 r9 r10 r11", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, halves_a_rejected_batch_until_the_bad_record_stands_alone) {
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::rejected("400"));
  answer("r0 r1", Answer::delivered());
  answer("r2 r3", Answer::rejected("400"));
  answer("r2", Answer::rejected("400 bad"));
  answer("r3", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, std::vector<std::string>{"r2"});
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r2: 400 bad\n");
  EXPECT_EQ(saved(), "40");
  EXPECT_EQ(deliverer_->counters().delivered, 3U);
}

TEST_F(DelivererTest, takes_out_the_records_that_the_sink_names) {
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::rejected("constraint", {1, 3}));
  answer("r0 r2", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r1", "r3"}));
}

TEST_F(DelivererTest, each_record_that_the_sink_names_is_rejected_for_its_own_reason) {
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::rejected({{1, "no topic"}, {3, "a wildcard in it"}}));
  answer("r0 r2", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r1: no topic\nr3: a wildcard in it\n");
}

TEST_F(DelivererTest, the_position_waits_for_the_dead_letters_before_it) {
  std::filesystem::create_directory(folder_ / "dead.jsonl");  // nothing can be written there
  make();
  add(0, 1);
  answer("r0", Answer::rejected("422"));
  EXPECT_EQ(saved(), "nothing");
  std::filesystem::remove(folder_ / "dead.jsonl");
  run_until_settled();
  EXPECT_EQ(saved(), "10");
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r0: 422\n");
}

TEST_F(DelivererTest, a_batch_without_records_still_moves_the_position) {
  make();
  add(0, 2);
  deliverer_->add(given(2, 0));
  auto filtered = given(2, 3);
  filtered->slices.clear();
  deliverer_->add(filtered);
  deliverer_->end_of_input();
  answer("r0 r1", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(saved(), "50");
}

TEST_F(DelivererTest, the_key_of_a_batch_is_the_same_after_a_restart) {
  make();
  add(0, 6);  // the second delivery starts in the middle of a batch
  std::string first = sink_.open_attempts.front().key;
  answer("r0 r1 r2 r3", Answer::retry("503"));
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(sink_.open_attempts.front().key, first);
  answer("r0 r1 r2 r3", Answer::delivered());
  deliverer_->end_of_input();
  run_until([this] { return !sink_.open_attempts.empty(); });
  std::string second = sink_.open_attempts.front().key;
  EXPECT_NE(second, first);
  EXPECT_EQ(second.size(), 32U);
  // The process dies here; the next one reads from the saved position, in other batches.
  sink_.open_attempts.clear();
  make();
  add(4, 1);
  add(5, 1);
  deliverer_->end_of_input();
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(sink_.open_attempts.front().key, second);
  answer("r4 r5", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, stops_when_the_sink_cannot_go_on) {
  make();
  add(0, 8);
  answer("r0 r1 r2 r3", Answer::failed("no such table"));
  EXPECT_EQ(failure_, "no such table");
  EXPECT_FALSE(deliverer_->wants_more());
  EXPECT_TRUE(sink_.open_attempts.empty());
}

TEST_F(DelivererTest, holds_the_chain_back_while_enough_waits) {
  make(1);
  EXPECT_TRUE(deliverer_->wants_more());
  add(0, 8);
  EXPECT_FALSE(deliverer_->wants_more());
  answer("r0 r1 r2 r3", Answer::delivered());
  run_until([this] { return deliverer_->wants_more(); });
  answer("r4 r5 r6 r7", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, exactly_once_gives_the_sink_the_position_of_each_piece) {
  config_.exactly_once = true;
  make();
  add(0, 4);
  EXPECT_EQ(sink_.open_attempts.front().positions.front().value, "40");
  answer("r0 r1 r2 r3", Answer::rejected("400"));
  EXPECT_EQ(sink_.open_attempts.front().positions.front().value, "20");
  answer("r0 r1", Answer::delivered());
  answer("r2 r3", Answer::rejected("400", {1}));
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(sink_.open_attempts.front().positions.front().value, "40");
  answer("r2", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(saved(), "nothing");  // the sink has it, the journal need not
  EXPECT_EQ(source_.acks, std::vector<uint64_t>{40});
}

// A kill would else find the sink behind a record that is nowhere.
TEST_F(DelivererTest,
       exactly_once_stores_no_position_beyond_a_dead_letter_that_is_not_on_the_disk) {
  std::filesystem::create_directory(folder_ / "dead.jsonl");  // nothing can be written there
  config_.exactly_once = true;
  make();
  add(0, 4);
  answer("r0 r1 r2 r3", Answer::rejected("400", {1}));
  EXPECT_TRUE(sink_.open_attempts.empty());
  std::filesystem::remove(folder_ / "dead.jsonl");
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(read_file(folder_ / "dead.jsonl"), "r1: 400\n");
  EXPECT_EQ(sink_.open_attempts.front().positions.front().value, "40");
  answer("r0 r2 r3", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, nor_beyond_one_of_a_transform) {
  config_.exactly_once = true;
  make();
  letters_->append("r0: filtered");
  add(1, 4);
  EXPECT_TRUE(sink_.open_attempts.empty());
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(letters_->durable(), letters_->last());
  answer("r1 r2 r3 r4", Answer::delivered());
  run_until_settled();
}

TEST_F(DelivererTest, exactly_once_stores_the_position_of_a_batch_whose_records_are_all_bad) {
  config_.exactly_once = true;
  make();
  add(0, 2);
  deliverer_->end_of_input();
  answer("r0 r1", Answer::rejected("400", {0, 1}));
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(sink_.open_attempts.front().positions.front().value, "20");
  answer("", Answer::delivered());
  run_until_settled();
}

Answer first_is_bad(uint32_t index) {
  Answer answer = Answer::rejected("bad", {index});
  answer.only_the_first = true;
  return answer;
}

TEST_F(DelivererTest, what_lies_before_the_first_bad_record_goes_first_and_then_what_lies_behind) {
  limits_.records = 10;
  make();
  add(0, 10);
  answer("r0 r1 r2 r3 r4 r5 r6 r7 r8 r9", first_is_bad(6));
  // In pieces of half of what lay before it.
  answer("r0 r1 r2", Answer::delivered());
  answer("r3 r4 r5", Answer::delivered());
  answer("r7 r8 r9", first_is_bad(2));
  answer("r7 r8", Answer::delivered());
  run_until_settled();
  EXPECT_EQ(rejected_, (std::vector<std::string>{"r6", "r9"}));
  EXPECT_EQ(saved(), "100");
}

TEST_F(DelivererTest, a_piece_that_may_have_arrived_is_tried_again_as_it_was) {
  limits_.records = 8;
  make(2);
  add(0, 12);
  run_until([this] { return sink_.open_attempts.size() == 2; });
  auto second = std::move(sink_.open_attempts.back());
  sink_.open_attempts.pop_back();
  second.done(Answer::retry("no answer"));
  answer("r0 r1 r2 r3 r4 r5 r6 r7", first_is_bad(2));
  answer("r0", Answer::delivered());
  answer("r8 r9 r10 r11", Answer::delivered());
}

// A pipeline whose records had all become dead letters waited for room that it had, for ever.
TEST_F(DelivererTest, what_holds_no_record_is_settled_and_told) {
  make();
  source_.saves = false;
  auto owed_only = [this](int first) {
    BatchRef batch = given(first, 2);
    batch->slices.clear();
    return batch;
  };
  deliverer_->add(owed_only(0));
  run_until([this] { return told_ > 0; });
  EXPECT_TRUE(deliverer_->settled());
  told_ = 0;
  deliverer_->add(owed_only(2));
  deliverer_->hurry();
  EXPECT_TRUE(deliverer_->settled());
  EXPECT_EQ(told_, 1);
}

// 97 times the bytes were sent before where the first was named, 15 times where none was.
TEST_F(DelivererTest, scattered_bad_records_cost_a_few_times_the_bytes_at_most) {
  constexpr int kRecords = 20'000;
  struct Case {
    const char* what;
    std::function<Answer(uint32_t index)> refuse;
    double times;
  };
  Answer unnamed_first = Answer::rejected("bad");
  unnamed_first.only_the_first = true;
  const Case cases[] = {
      {"the first is named", first_is_bad, 2},
      {"the first, unnamed", [&](uint32_t) { return unnamed_first; }, 3},
      {"something in it", [](uint32_t) { return Answer::rejected("bad"); }, 3},
      {"something in it, or all", [](uint32_t) { return Answer::refused("bad"); }, 3},
  };
  for (const Case& one : cases) {
    limits_.records = 5000;
    make();
    sink_.history.clear();
    rejected_.clear();
    size_t sent = 0;
    for (int next = 0; next < kRecords || !deliverer_->settled();) {
      for (; next < kRecords && deliverer_->wants_more(); next += 1000) add(next, 1000);
      if (next == kRecords) deliverer_->end_of_input();
      run_until([&] {
        return !sink_.open_attempts.empty() || deliverer_->settled() ||
               (next < kRecords && deliverer_->wants_more());
      });
      if (sink_.open_attempts.empty()) continue;
      ScriptedSink::Attempt attempt = std::move(sink_.open_attempts.front());
      sink_.open_attempts.pop_front();
      std::istringstream records(attempt.text);
      Answer answer = Answer::delivered();
      uint32_t index = 0;
      for (std::string word; records >> word; ++index) {
        ++sent;
        if (std::stoi(word.substr(1)) % 50 == 0 && answer.outcome == Outcome::kDelivered)
          answer = one.refuse(index);
      }
      attempt.done(answer);
    }
    EXPECT_EQ(rejected_.size(), 400U) << one.what;
    EXPECT_LE(static_cast<double>(sent), one.times * kRecords) << one.what;
    EXPECT_LE(sink_.history.size(), size_t{5'000}) << one.what;
  }
}

}  // namespace
}  // namespace leat
