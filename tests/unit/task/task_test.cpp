#include "task/fixture.h"

namespace leat {
namespace {

using testing::TaskTest;
using Lines = std::vector<std::string>;

TEST_F(TaskTest, brings_what_the_source_reads_to_the_sink_and_acknowledges_it_after_that) {
  start();
  ASSERT_TRUE(read({R"({"a":1})", R"({"a":2})"}));
  EXPECT_EQ(attempted(), (Lines{R"({"a":1})", R"({"a":2})"}));
  EXPECT_TRUE(source().acks.empty());
  answer(Answer::delivered());
  ASSERT_TRUE(run_until([] { return !source().acks.empty(); }));
  EXPECT_EQ(source().acks, (std::vector<uint64_t>{16}));
}

TEST_F(TaskTest, ends_when_its_input_has_ended_and_all_of_it_is_delivered) {
  start();
  read({R"({"a":1})"});
  end_of_input();
  attempted();
  EXPECT_FALSE(ended_);
  EXPECT_FALSE(sink().finished);
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  EXPECT_TRUE(sink().finished);
}

TEST_F(TaskTest, goes_on_behind_what_was_delivered) {
  start();
  read({R"({"a":1})"});
  end_of_input();
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  start();
  ASSERT_EQ(source().context->saved().size(), 1U);
  EXPECT_EQ(source().context->saved()[0].partition, "f1");
  EXPECT_EQ(source().context->saved()[0].value, "8");
}

TEST_F(TaskTest, with_exactly_once_the_sink_says_where_to_go_on) {
  config_.delivery.exactly_once = true;
  make();
  ASSERT_TRUE(run_until([] { return !sink().asked.empty(); }));
  EXPECT_EQ(source().context, nullptr);
  sink().asked.front()(std::vector<SavedPosition>{{"f1", "800"}});
  ASSERT_NE(source().context, nullptr);
  ASSERT_EQ(source().context->saved().size(), 1U);
  EXPECT_EQ(source().context->saved()[0].value, "800");
}

TEST_F(TaskTest, a_source_that_is_gone_is_not_told_that_what_it_saved_is_saved) {
  start();
  int told = 0;
  auto count = [&told](const Status& /*status*/) { ++told; };
  source().context->save({"f1", "5"}, count);
  source().context->note({{"f2", "6"}}, SourceContext::Survives::kKill, count);
  let_go();
  bool committed = false;
  client_->commit("q", {{"f3", "7"}}, [&committed](const Status& /*status*/) { committed = true; });
  ASSERT_TRUE(run_until([&committed] { return committed; }));
  EXPECT_EQ(told, 0);
}

TEST_F(TaskTest, a_source_gets_no_credit_while_enough_waits_and_is_told_when_there_is_some) {
  start();
  int granted = 0;
  while (granted < 100 && read({R"({"a":1})"})) ++granted;
  EXPECT_GT(granted, 0);
  EXPECT_LT(granted, 100);
  EXPECT_EQ(source().resumed, 0);
  ASSERT_TRUE(run_until([] { return source().resumed > 0; }));
  EXPECT_TRUE(read({R"({"a":2})"}));
}

TEST_F(TaskTest, the_first_batch_that_comes_without_credit_is_an_error_already) {
  start();
  auto error_at = [this](BatchRef batch) {
    ::testing::internal::CaptureStderr();
    emit(std::move(batch), {R"({"a":1})"});
    return ::testing::internal::GetCapturedStderr().find("without credit") != std::string::npos;
  };
  BatchRef batch = source().context->new_batch(Content::kBytes);
  EXPECT_FALSE(error_at(batch));
  EXPECT_EQ(task_->status().without_credit, 0U);
  BatchRef second = source().context->new_batch(Content::kBytes);
  BatchRef third = source().context->new_batch(Content::kBytes);
  EXPECT_TRUE(error_at(second)) << "the third is in its place";
  EXPECT_EQ(task_->status().without_credit, 1U);
}

TEST_F(TaskTest, batches_that_come_without_credit_are_kept_and_said) {
  start();
  std::vector<BatchRef> hoarded;
  for (int i = 0; i < 12; ++i) hoarded.push_back(source().context->new_batch(Content::kBytes));
  Lines expected;
  ::testing::internal::CaptureStderr();
  for (size_t i = 0; i < hoarded.size(); ++i) {
    ASSERT_TRUE(hoarded[i]);
    expected.push_back("{\"a\":" + std::to_string(i) + "}");
    emit(std::move(hoarded[i]), {expected.back()});
  }
  std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("internal error: the source script emits batches without credit"),
            std::string::npos)
      << log;
  EXPECT_GT(task_->status().without_credit, 0U);
  end_of_input();
  Lines delivered;
  while (!ended_) {
    if (!run_until([this] { return ended_ || !sink().attempts.empty(); })) break;
    if (ended_) break;
    for (const std::string& record : sink().attempts.front().records) delivered.push_back(record);
    answer(Answer::delivered());
  }
  EXPECT_EQ(delivered, expected);
}

TEST_F(TaskTest, a_bad_line_becomes_a_dead_letter_with_its_place_before_its_position_is_saved) {
  testing::add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  config_.sink.batch = {.records = 3, .bytes = 1 << 20, .linger = Milliseconds{60'000}};
  start();
  read({R"({"a":1})", "{", R"({"a":3})"});
  read({"[", R"({"a":5})"});
  end_of_input();
  EXPECT_EQ(attempted(), (Lines{R"({"a":1})", R"({"a":3})", R"({"a":5})"}));
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  std::string letters = testing::read_file(folder_ / "dead.jsonl");
  EXPECT_NE(letters.find("\"source\":\"f1:2\""), std::string::npos) << letters;
  EXPECT_NE(letters.find("\"source\":\"f1:4\""), std::string::npos) << letters;
}

TEST_F(TaskTest, is_drained_without_reading_more) {
  start();
  read({R"({"a":1})"});
  attempted();
  task_->drain();
  EXPECT_FALSE(source().context->new_batch(Content::kBytes));
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  EXPECT_FALSE(sink().finished);
}

// Duplicates cost little; a restart that hangs costs its timeout.
TEST_F(TaskTest, is_drained_at_a_sink_that_never_answers_when_all_can_be_read_again) {
  start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(read({R"({"a":1})"}));
  attempted();
  task_->drain();
  loop_.advance(Deliverer::kAnswerWithin - Milliseconds{1});
  EXPECT_FALSE(ended_);
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  EXPECT_EQ(sink().attempts.size(), 1U) << "it was given more, or the answer was made up";
  EXPECT_TRUE(source().acks.empty());
  start();
  EXPECT_TRUE(source().context->saved().empty()) << "what was not answered is not read again";
}

TEST_F(TaskTest, is_drained_at_a_sink_that_never_answers_when_all_is_in_the_journal) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kOnTrouble;
  start();
  ASSERT_TRUE(read({R"({"a":1})"}));
  attempted();
  task_->drain();
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
  start();
  EXPECT_EQ(attempted(), (std::vector<std::string>{R"({"a":1})"})) << "it is not in the journal";
}

TEST_F(TaskTest, a_drain_waits_for_what_is_nowhere_else_however_long_the_sink_is_silent) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kNever;
  start();
  ASSERT_TRUE(read({R"({"a":1})"}));
  attempted();
  task_->drain();
  loop_.advance(3 * Deliverer::kDrainWithin);
  for (int i = 0; i < 20; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_FALSE(ended_);
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_TRUE(result_);
}

TEST_F(TaskTest, a_drain_waits_for_a_sink_that_is_slow_but_answers) {
  config_.sink.batch.records = 1;
  start();
  ASSERT_TRUE(read({R"({"a":1})", R"({"a":2})", R"({"a":3})"}));
  attempted();
  task_->drain();
  for (int i = 0; i < 3; ++i) {
    attempted();
    loop_.advance(Milliseconds{2'000});
    EXPECT_FALSE(ended_);
    answer(Answer::delivered());
  }
  ASSERT_TRUE(ended());
  EXPECT_EQ(source().acks, (std::vector<uint64_t>{8, 16, 24}));
}

TEST_F(TaskTest, a_drain_does_not_wait_for_each_of_many_slow_answers_when_all_can_be_read_again) {
  config_.sink.batch.records = 1;
  start();
  std::vector<std::string> lines(100, R"({"a":1})");
  ASSERT_TRUE(read(lines));
  attempted();
  task_->drain();
  size_t answers = 0;
  while (run_until([this] { return ended_ || !sink().attempts.empty(); }) && !ended_) {
    loop_.advance(Milliseconds{2'000});
    // The journal's thread knows nothing of that time, and the end waits for what it writes.
    bool written = false;
    client_->flush([&written] { written = true; });
    ASSERT_TRUE(testing::run_until(static_cast<Loop&>(loop_), [&written] { return written; }));
    if (ended_) break;
    ++answers;
    answer(Answer::delivered());
  }
  ASSERT_TRUE(ended_);
  EXPECT_TRUE(result_);
  EXPECT_LE(answers, 5U);
}

TEST_F(TaskTest, of_what_can_be_read_again_the_position_is_saved_at_the_end_however_that_comes) {
  journal_->set_commit_every(Milliseconds{3'600'000});
  auto position = [this] {
    make();
    EXPECT_TRUE(run_until([] { return source().context != nullptr; }));
    const std::vector<SavedPosition>& saved = source().context->saved();
    return saved.empty() ? "" : saved[0].value;
  };
  start();
  read({R"({"a":1})"});
  answer(Answer::delivered());
  EXPECT_EQ(source().acks, (std::vector<uint64_t>{8}));  // told before it is saved
  task_->drain();
  ASSERT_TRUE(ended());
  EXPECT_EQ(position(), "8");
  read({R"({"a":2})"});
  answer(Answer::delivered());
  task_->abort("stopped");
  ASSERT_TRUE(ended());
  EXPECT_EQ(position(), "16");
  read({R"({"a":3})"});
  end_of_input();
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  EXPECT_EQ(position(), "24");
}

TEST_F(TaskTest, what_a_source_forgets_is_not_saved_after_that) {
  journal_->set_commit_every(Milliseconds{3'600'000});
  start();
  read({R"({"a":1})"});
  answer(Answer::delivered());
  bool forgotten = false;
  source().context->note({{"f1", ""}}, SourceContext::Survives::kKill,
                         [&forgotten](const Status&) { forgotten = true; });
  ASSERT_TRUE(run_until([&forgotten] { return forgotten; }));
  task_->drain();
  ASSERT_TRUE(ended());
  start();
  EXPECT_TRUE(source().context->saved().empty());
}

TEST_F(TaskTest, a_source_that_cannot_give_again_and_has_no_credit_for_long_is_spooled) {
  config_.source.type = &testing::kScriptedSource<Produces::kBytes, Replay::kNone>;
  config_.delivery.spool.mode = SpoolMode::kOnTrouble;
  config_.delivery.spool.max_ack_hold = Milliseconds{3'600'000};
  config_.sink.batch.records = 1;
  start();
  each_turn_ = [this] {
    read({R"({"a":1})"});
    loop_.advance(Milliseconds{50});
  };
  attempted();  // and the sink does not answer
  EXPECT_TRUE(run_until([this] { return task_->status().spooled > 0; }));
  each_turn_ = nullptr;
}

TEST_F(TaskTest, says_what_is_left_when_it_is_aborted) {
  start();
  read({R"({"a":1})", R"({"a":2})"});
  attempted();
  task_->abort("stopped");
  ASSERT_TRUE(ended());
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().message(),
            "stopped: 2 records in flight are not confirmed; they are read again when the "
            "pipeline starts next");
}

TEST_F(TaskTest, fails_with_what_the_source_says_after_all_before_it_is_delivered) {
  start();
  read({R"({"a":1})"});
  ::testing::internal::CaptureStderr();
  source().context->finished(fail(ErrorKind::kUnavailable, "read /x: gone"));
  answer(Answer::delivered());
  EXPECT_EQ(::testing::internal::GetCapturedStderr().find("gone"), std::string::npos)
      << "the source has said it, and the last word will";
  ASSERT_TRUE(ended());
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().message(), "read /x: gone");
  EXPECT_EQ(result_.error().kind(), ErrorKind::kUnavailable) << "whether it may pass is not lost";
  EXPECT_FALSE(sink().finished);
}

TEST_F(TaskTest, a_run_of_which_nothing_came_but_dead_letters_fails) {
  start();
  read({R"({"a":1})"});
  end_of_input();
  answer(Answer::rejected("no such column"));
  ASSERT_TRUE(ended());
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().message(), "nothing was delivered, and there is 1 dead letter");
  EXPECT_FALSE(sink().finished);
  EXPECT_NE(testing::read_file(folder_ / "dead.jsonl").find("no such column"), std::string::npos);
}

TEST_F(TaskTest, one_dead_letter_more_than_max_dead_letters_ends_it_at_once) {
  testing::add_transform(config_, "filter", {{"where", std::string("a > 0")}});
  config_.max_dead_letters.count = 1;
  start();
  read({"{", R"({"a":1})"});
  EXPECT_EQ(attempted(), (Lines{R"({"a":1})"}));
  EXPECT_FALSE(ended_);
  ASSERT_TRUE(run_until([this] { return read({"{", R"({"a":2})"}); }));
  ASSERT_TRUE(ended());
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().message(), "2 dead letters, and maxDeadLetters allows 1");
}

TEST_F(TaskTest, a_limit_holds_the_source_back_after_what_it_read) {
  config_.limits.records_per_second = 1;
  start();
  read({R"({"a":1})", R"({"a":2})"});
  attempted();
  EXPECT_FALSE(source().context->new_batch(Content::kBytes));
}

TEST_F(TaskTest, says_how_long_the_oldest_record_waits_and_how_long_nothing_was_read) {
  auto since = [this](int64_t then_us) { return loop_.clock().unix_us() - then_us; };
  start();
  EXPECT_FALSE(task_->status().since_read);
  EXPECT_FALSE(task_->status().oldest_waits_for);
  const int64_t first_us = loop_.clock().unix_us();
  ASSERT_TRUE(read({R"({"a":1})"}));
  attempted();
  loop_.advance(Milliseconds{700});
  const int64_t second_us = loop_.clock().unix_us();
  ASSERT_TRUE(read({R"({"a":2})"}));
  loop_.advance(Milliseconds{300});
  EXPECT_EQ(task_->status().since_read, Milliseconds{300});
  EXPECT_EQ(task_->status().oldest_waits_for, Milliseconds{since(first_us) / 1000});
  const int64_t first_took_us = since(first_us);
  answer(Answer::delivered());
  attempted();
  EXPECT_EQ(task_->status().oldest_waits_for, Milliseconds{since(second_us) / 1000});
  const int64_t second_took_us = since(second_us);
  answer(Answer::delivered());
  EXPECT_FALSE(task_->status().oldest_waits_for);
  const Latencies& took = task_->status().latencies;
  EXPECT_NEAR(took.sum_seconds, static_cast<double>(first_took_us + second_took_us) / 1e6, 1e-6);
}

TEST_F(TaskTest, its_stages_are_source_chain_and_sink) {
  start();
  ASSERT_TRUE(read({R"({"a":1})", "{"}));
  answer(Answer::delivered());
  std::vector<StageStatus> stages = task_->status().stages;
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages.front().name, "script");
  EXPECT_EQ(stages.front().counters.out, 2U);
  EXPECT_EQ(stages[1].counters.failed, 1U);
  EXPECT_EQ(stages.back().name, "script sink");
  EXPECT_EQ(stages.back().counters.in, 1U);
  EXPECT_EQ(stages.back().counters.out, 1U);
}

TEST_F(TaskTest, with_exactly_once_a_kick_asks_the_sink_now_where_to_go_on) {
  config_.delivery.exactly_once = true;
  make();
  ASSERT_TRUE(run_until([] { return !sink().asked.empty(); }));
  auto asked = std::exchange(sink().asked, {});
  asked.front()(fail(ErrorKind::kUnavailable, "connection refused"));
  EXPECT_TRUE(task_->status().next_attempt_in);
  EXPECT_TRUE(sink().asked.empty());
  task_->kick();
  EXPECT_EQ(sink().asked.size(), 1U);
}

}  // namespace
}  // namespace leat
