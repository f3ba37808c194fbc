// A pipeline of two tasks: what each does is seen together.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"
#include "support/hand_loop.h"
#include "support/scripted_stages.h"
#include "support/temp_dir.h"
#include "task/memory_share.h"

namespace leat {
namespace {

using testing::ScriptedSink;
using testing::ScriptedSource;
using Lines = std::vector<std::string>;

class PipelineOfTwoTasks : public ::testing::Test {
 protected:
  PipelineOfTwoTasks() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }
  ~PipelineOfTwoTasks() override {
    pipeline_.reset();
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void make() {
    Result<std::unique_ptr<Pipeline>> made =
        Pipeline::make(config_, {loop_, *client_, usage_, "agent", folder_.path(), kMemory}, plan_);
    if (!made) throw std::runtime_error(made.error().message());
    pipeline_ = std::move(*made);
    pipeline_->start([this](Status status) {
      result_ = std::move(status);
      last_ = pipeline_->status();
      pipeline_.reset();
    });
  }
  void start() {
    make();
    ASSERT_TRUE(run_until([] { return source(0).context != nullptr && source(1).context; }));
  }

  // Of the first or the second task, while it is there.
  static ScriptedSource& source(size_t task) { return *ScriptedSource::all.at(task); }
  static ScriptedSink& sink(size_t task) { return *ScriptedSink::all.at(task); }

  void read(size_t task, const Lines& lines, uint32_t partition = 1) {
    SourceContext& context = *source(task).context;
    BatchRef batch = context.new_batch(Content::kBytes);
    ASSERT_TRUE(batch) << "no credit";
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    batch->arrival_us = loop_.clock().unix_us();
    batch->begin = {partition, offsets_[task]};
    batch->end = {partition, offsets_[task] += text.size()};
    char* bytes = batch->arena.array<char>(text.size());
    std::copy(text.begin(), text.end(), bytes);
    batch->bytes = {bytes, text.size()};
    context.emit(std::move(batch));
  }
  static void ends(size_t task, Status status = {}) {
    source(task).context->finished(std::move(status));
  }
  bool attempted(size_t task) {
    return run_until([task] { return !sink(task).attempts.empty(); });
  }
  void answer(size_t task, Answer answer) {
    ASSERT_TRUE(attempted(task)) << "nothing came";
    ScriptedSink::Attempt attempt = std::move(sink(task).attempts.front());
    sink(task).attempts.pop_front();
    attempt.done(std::move(answer));
  }
  bool gone() {
    return run_until([this] { return pipeline_ == nullptr; });
  }
  bool run_until(const std::function<bool()>& condition) {
    return testing::run_until(loop_, condition, Milliseconds{1'000});
  }

  static constexpr size_t kMemory = 8 << 20;
  testing::TempDir folder_;
  testing::HandLoop loop_;
  JournalUsage usage_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  PipelineConfig config_ =
      testing::json_config(testing::kScriptedSource<Produces::kBytes, Replay::kFromPosition>);
  std::vector<TaskPlan> plan_ = {{"p/1", Options()}, {"p/2", Options()}};
  std::unique_ptr<Pipeline> pipeline_;
  uint64_t offsets_[2] = {0, 0};
  Status result_;
  PipelineStatus last_;  // as it ended
};

TEST_F(PipelineOfTwoTasks, ends_when_both_have_ended) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":2})"});
  ends(0);
  ends(1);
  answer(0, Answer::delivered());
  ASSERT_TRUE(run_until([this] { return pipeline_->status().delivered == 1; }));
  ASSERT_TRUE(attempted(1));
  ASSERT_TRUE(run_until([] { return sink(0).closed; }));
  EXPECT_FALSE(sink(0).finished) << "not before all is delivered";
  EXPECT_NE(pipeline_, nullptr) << "the second is not through";
  ScriptedSink::finishes = 0;
  answer(1, Answer::delivered());
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
  EXPECT_EQ(ScriptedSink::finishes, 1) << "one has the last word for all";
}

// The second is a lane of the first one's source.
class PipelineOfTwoLanes : public PipelineOfTwoTasks {
 protected:
  PipelineOfTwoLanes() { plan_ = {{"p", Options()}, {"p", Options(), true}}; }
  ~PipelineOfTwoLanes() override { ScriptedSink::open_as = {}; }
};

TEST_F(PipelineOfTwoLanes, the_second_goes_on_where_the_first_has_found_out) {
  start();
  EXPECT_TRUE(sink(1).context->began_anew());
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":22})"}, 2);
  answer(0, Answer::delivered());
  answer(1, Answer::delivered());
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
  start();
  for (size_t task : {0U, 1U}) {
    std::vector<SavedPosition> saved = source(task).context->saved();
    std::ranges::sort(saved, {}, &SavedPosition::partition);
    ASSERT_EQ(saved.size(), 2U) << "each knows of all";
    EXPECT_EQ(saved[0].value, "8");
    EXPECT_EQ(saved[1].value, "9");
    EXPECT_FALSE(sink(task).context->began_anew());
  }
  pipeline_->drain();
  ASSERT_TRUE(gone());
}

TEST_F(PipelineOfTwoLanes, each_delivers_at_its_own_time_and_one_has_the_last_word) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":2})"}, 2);
  ASSERT_TRUE(attempted(0) && attempted(1));
  ends(1);
  ends(0);
  ScriptedSink::finishes = 0;
  answer(1, Answer::delivered());
  ASSERT_TRUE(run_until([] { return sink(1).closed; }));
  EXPECT_EQ(ScriptedSink::finishes, 0);
  answer(0, Answer::delivered());
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
  EXPECT_EQ(ScriptedSink::finishes, 1);
  EXPECT_EQ(last_.delivered, 2U);
}

TEST_F(PipelineOfTwoLanes, each_may_use_more_than_its_part_of_the_memory) {
  start();
  EXPECT_EQ(source(1).context->batch_bytes(), batch_bytes_for(kMemory, {}));
  EXPECT_EQ(&source(0).context->budget(), &source(1).context->budget()) << "it binds both";
  pipeline_->drain();
  ASSERT_TRUE(gone());
}

TEST_F(PipelineOfTwoLanes, may_be_told_to_end_before_the_first_knows_where_it_goes_on) {
  make();
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
}

TEST_F(PipelineOfTwoLanes, ends_when_one_of_its_sinks_cannot_be_opened) {
  ScriptedSink::open_as = fail(ErrorKind::kUsage, "no such certificate");
  make();
  ASSERT_TRUE(gone());
  ASSERT_FALSE(result_);
  EXPECT_NE(result_.error().message().find("no such certificate"), std::string::npos);
}

TEST_F(PipelineOfTwoTasks, counts_what_both_do) {
  start();
  read(0, {R"({"a":1})", R"({"a":2})", "{"});
  read(1, {R"({"a":3})"});
  answer(0, Answer::delivered());
  answer(1, Answer::retry("connection refused"));
  ASSERT_TRUE(run_until([this] { return pipeline_->status().retries == 1; }));
  PipelineStatus now = pipeline_->status();
  EXPECT_EQ(now.records, 4U);
  EXPECT_EQ(now.delivered, 2U);
  EXPECT_EQ(now.dead_letters, 1U);
  EXPECT_EQ(now.waiting, 1U);
  EXPECT_EQ(now.trouble, "connection refused");
  EXPECT_TRUE(now.opened);
  ASSERT_EQ(now.stages.size(), 3U) << "both have the same";
  EXPECT_EQ(now.stages.front().counters.out, 4U);
  EXPECT_EQ(now.stages.back().counters.out, 2U);
  EXPECT_EQ(now.dead_letter_reasons.size(), 1U);
  answer(1, Answer::delivered());
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_EQ(last_.delivered, 3U);
  EXPECT_EQ(last_.waiting, 0U);
}

TEST_F(PipelineOfTwoTasks, a_drain_waits_for_both) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":2})"});
  ASSERT_TRUE(attempted(0) && attempted(1));
  pipeline_->drain();
  EXPECT_FALSE(source(0).context->new_batch(Content::kBytes)) << "nothing new is read";
  EXPECT_FALSE(source(1).context->new_batch(Content::kBytes));
  answer(0, Answer::delivered());
  ASSERT_TRUE(run_until([this] { return pipeline_->status().delivered == 1; }));
  EXPECT_NE(pipeline_, nullptr);
  answer(1, Answer::delivered());
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
  EXPECT_EQ(last_.delivered, 2U);
}

TEST_F(PipelineOfTwoTasks, fails_with_the_first_of_them_when_the_other_has_delivered_what_it_read) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":2})"});
  ASSERT_TRUE(attempted(0) && attempted(1));
  answer(0, Answer::failed("no such table"));
  ASSERT_TRUE(run_until([] { return !source(1).context->new_batch(Content::kBytes); }))
      << "the other is drained";
  EXPECT_NE(pipeline_, nullptr);
  answer(1, Answer::delivered());
  ASSERT_TRUE(gone());
  ASSERT_FALSE(result_);
  EXPECT_NE(result_.error().message().find("no such table"), std::string::npos)
      << result_.error().message();
  EXPECT_EQ(last_.delivered, 1U);
}

TEST_F(PipelineOfTwoTasks, one_of_which_nothing_came_but_dead_letters_is_no_failure_by_itself) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":2})"});
  ends(0);
  ends(1);
  answer(0, Answer::rejected("no such column"));
  answer(1, Answer::delivered());
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
}

// Each was asked while the other had not let go of its stages yet, and nobody judged.
TEST_F(PipelineOfTwoTasks,
       a_run_of_which_nothing_came_but_dead_letters_fails_when_both_end_at_once) {
  start();
  for (size_t task : {0U, 1U}) {
    read(task, {R"({"a":1})"});
    ends(task);
  }
  ASSERT_TRUE(attempted(0) && attempted(1));
  for (size_t task : {0U, 1U}) answer(task, Answer::rejected("no such column"));
  ASSERT_TRUE(gone());
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().message(), "nothing was delivered, and there are 2 dead letters");
}

TEST_F(PipelineOfTwoTasks, the_memory_is_for_both) {
  start();
  EXPECT_EQ(source(0).context->batch_bytes(), batch_bytes_for(kMemory / 2, {}));
  EXPECT_EQ(source(1).context->batch_bytes(), batch_bytes_for(kMemory / 2, {}));
  EXPECT_LT(batch_bytes_for(kMemory / 2, {}), batch_bytes_for(kMemory, {}));
  pipeline_->set_memory(2 * kMemory);
  EXPECT_EQ(source(1).context->batch_bytes(), batch_bytes_for(kMemory, {}));
  pipeline_->drain();
  ASSERT_TRUE(gone());
}

TEST_F(PipelineOfTwoTasks, each_goes_on_where_it_was) {
  start();
  read(0, {R"({"a":1})"});
  read(1, {R"({"a":22})"});
  answer(0, Answer::delivered());
  answer(1, Answer::delivered());
  pipeline_->drain();
  ASSERT_TRUE(gone());
  start();
  ASSERT_EQ(source(0).context->saved().size(), 1U);
  ASSERT_EQ(source(1).context->saved().size(), 1U);
  EXPECT_EQ(source(0).context->saved()[0].value, "8");
  EXPECT_EQ(source(1).context->saved()[0].value, "9");
  pipeline_->drain();
  ASSERT_TRUE(gone());
}

}  // namespace
}  // namespace leat
