#include "task/resume.h"

#include <algorithm>

#include "spool/spool.h"
#include "task/fixture.h"

namespace leat {
namespace {

using Saved = std::vector<SavedPosition>;

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    journal_->start();
  }
  ~ResumeTest() override {
    resume_.reset();
    client_.reset();
    journal_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void save(Saved positions) {
    std::optional<Status> saved;
    client_->commit("p", std::move(positions), [&saved](Status status) { saved = status; });
    ASSERT_TRUE(run_until([&saved] { return saved.has_value(); }));
    ASSERT_TRUE(*saved);
  }
  // Rows of the spool, each with so many records; the name of its epoch.
  std::string spool(const std::vector<uint32_t>& rows) {
    std::string epoch;
    client_->open_spool("p", [&epoch](Result<SpoolState> state) { epoch = state->epoch; });
    EXPECT_TRUE(run_until([&epoch] { return !epoch.empty(); }));
    uint64_t first = 0;
    size_t stored = 0;
    for (uint32_t records : rows) {
      SpoolRow row;
      row.first = first;
      row.records = records;
      row.content = "content";
      first += records;
      client_->append("p", std::move(row), {}, JournalClient::Durability::kProcess,
                      [&stored](const Result<uint64_t>& bytes) { stored += bytes ? 1 : 0; });
    }
    EXPECT_TRUE(run_until([&] { return stored == rows.size(); }));
    return epoch;
  }

  void start() {
    result_.reset();
    resume_ = std::make_unique<Resume>(ResumeSetup{.loop = loop_,
                                                   .name = "p",
                                                   .config = config_,
                                                   .source = source_,
                                                   .replay = replay_,
                                                   .sink = sink_,
                                                   .journal = *client_,
                                                   .moved = moved_});
    resume_->start([this](Result<ResumedFrom> result) { result_ = std::move(result); },
                   [this] { troubles_.push_back(resume_->trouble()); });
  }
  const ResumedFrom& found() {
    static const ResumedFrom kNothing;
    EXPECT_TRUE(run_until([this] { return result_.has_value(); })) << "no answer";
    if (!result_ || !*result_) return kNothing;
    return **result_;
  }
  std::string saved_in_journal() {
    std::optional<std::string> out;
    client_->load("p", [&out](Result<Saved> saved) {
      std::sort(saved->begin(), saved->end(),
                [](const auto& a, const auto& b) { return a.partition < b.partition; });
      out.emplace();
      for (const SavedPosition& one : *saved)
        *out += (out->empty() ? "" : " ") + one.partition + "=" + one.value;
    });
    EXPECT_TRUE(run_until([&out] { return out.has_value(); }));
    return out.value_or("no answer");
  }
  // The sink says where it is, as often as it is asked.
  void sink_answers(Result<Saved> answer) {
    ASSERT_TRUE(run_until([this] { return !sink_.asked.empty(); })) << "it was not asked";
    auto done = std::move(sink_.asked.front());
    sink_.asked.pop_front();
    done(std::move(answer));
  }
  bool run_until(const std::function<bool()>& condition) {
    return testing::run_until(loop_, condition, Milliseconds{1'000});
  }

  testing::TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  DeliveryConfig config_;
  Replay replay_ = Replay::kFromPosition;
  SourceType source_ = testing::kScriptedSource<Produces::kBytes, Replay::kFromPosition>;
  testing::ScriptedSink sink_;
  Delivery moved_;
  std::unique_ptr<Resume> resume_;
  std::optional<Result<ResumedFrom>> result_;
  std::vector<std::string> troubles_;
};

TEST_F(ResumeTest, the_first_start_finds_nothing) {
  start();
  EXPECT_TRUE(found().saved.empty());
  EXPECT_EQ(found().spool_left.records, 0U);
  EXPECT_TRUE(sink_.asked.empty());
}

TEST_F(ResumeTest, finds_what_the_journal_has_saved) {
  save({{"f1", "80"}});
  start();
  ASSERT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(found().saved[0].value, "80");
}

TEST_F(ResumeTest, finds_what_is_spooled_and_how_far_that_is_delivered) {
  std::string epoch = spool({3, 4});
  save({{"f1", "80"}, {Spool::partition(epoch), "5"}});
  start();
  EXPECT_EQ(found().spool_delivered, 5U);
  EXPECT_EQ(found().spool_left.records, 2U);
  ASSERT_EQ(found().saved.size(), 1U) << "the spool's place is none of the source";
  EXPECT_EQ(found().saved[0].partition, "f1");
}

TEST_F(ResumeTest, with_exactly_once_the_sinks_word_counts_and_the_journals_is_a_note) {
  config_.exactly_once = true;
  save({{"f1", "80"}});
  start();
  sink_answers(Saved{{"f1", "120"}});
  ASSERT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(found().saved[0].value, "120");
  ASSERT_EQ(found().noted.size(), 1U);
  EXPECT_EQ(found().noted[0].value, "80");
}

TEST_F(ResumeTest, with_a_spool_the_sink_says_how_far_that_is_delivered) {
  config_.exactly_once = true;
  config_.spool.mode = SpoolMode::kAlways;
  std::string epoch = spool({3, 4});
  save({{"f1", "80"}});
  start();
  sink_answers(Saved{{Spool::partition(epoch), "3"}});
  EXPECT_EQ(found().spool_delivered, 3U);
  EXPECT_EQ(found().spool_left.records, 4U);
  ASSERT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(found().saved[0].value, "80");
}

TEST_F(ResumeTest, an_order_to_begin_anew_is_carried_out_once) {
  save({{"f1", "80"}, {"f2", "90"}, {"reset:", "start"}});
  start();
  EXPECT_TRUE(found().saved.empty());
  EXPECT_EQ(saved_in_journal(), "");
  save({{"f1", "10"}});
  start();
  EXPECT_EQ(found().saved.size(), 1U);
}

TEST_F(ResumeTest, an_operators_order_forgets_what_transforms_remember_and_a_schedules_does_not) {
  save({{"f1", "80"}, {"state:", "x"}, {"reset:", "anew"}});
  start();
  ASSERT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(found().saved[0].partition, "state:");
  EXPECT_EQ(saved_in_journal(), "state:=x");
  save({{"f1", "80"}, {"reset:", "start"}});
  start();
  EXPECT_TRUE(found().saved.empty());
  EXPECT_EQ(saved_in_journal(), "");
}

TEST_F(ResumeTest, an_order_goes_to_where_the_source_says_that_is) {
  source_.move_position = [](const SavedPosition& saved,
                             const PositionTarget& target) -> Result<std::optional<MovedPosition>> {
    if (target.file != saved.partition) return std::optional<MovedPosition>();
    if (target.file == "f3") return fail(ErrorKind::kData, "f3: is gone");
    return std::optional<MovedPosition>(
        MovedPosition{{saved.partition, std::to_string(target.offset)}, "f1", 80, target.offset});
  };
  save({{"f1", "80"}, {"f2", "90"}, {"f3", "5"}, {"reset:f1", "42"}, {"reset:f3", "end"}});
  start();
  EXPECT_EQ(found().saved.size(), 3U);
  EXPECT_EQ(saved_in_journal(), "f1=42 f2=90 f3=5") << "what cannot be carried out is let go";
}

TEST_F(ResumeTest, a_source_that_has_no_place_to_go_back_to_keeps_what_it_has_saved) {
  replay_ = Replay::kHoldsAckOnce;
  save({{"qos2 a", "7"}, {"reset:", "start"}});
  start();
  EXPECT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(saved_in_journal(), "qos2 a=7");
}

TEST_F(ResumeTest, with_exactly_once_the_sink_is_told_before_the_order_is_forgotten) {
  config_.exactly_once = true;
  save({{"reset:", "start"}});
  start();
  sink_answers(Saved{{"f1", "120"}});
  ASSERT_TRUE(run_until([this] { return !sink_.attempts.empty(); }));
  ASSERT_EQ(sink_.attempts.front().positions.size(), 1U);
  EXPECT_EQ(sink_.attempts.front().positions[0].partition, "f1");
  EXPECT_EQ(sink_.attempts.front().positions[0].value, "");
  EXPECT_EQ(saved_in_journal(), "reset:=start");
  EXPECT_FALSE(result_.has_value());
  sink_.attempts.front().done(Answer::delivered());
  EXPECT_TRUE(found().saved.empty());
  EXPECT_EQ(saved_in_journal(), "");
}

TEST_F(ResumeTest, an_order_for_one_file_counts_beside_that_for_all_and_the_sink_is_told_once) {
  config_.exactly_once = true;
  source_.move_position = [](const SavedPosition& saved,
                             const PositionTarget& target) -> Result<std::optional<MovedPosition>> {
    if (!target.file.empty() && target.file != saved.partition)
      return std::optional<MovedPosition>();
    return std::optional<MovedPosition>(
        MovedPosition{{saved.partition, std::to_string(target.offset)}, "", 1, target.offset});
  };
  save({{"reset:", "start"}, {"reset:f1", "42"}});
  start();
  sink_answers(Saved{{"f1", "120"}, {"f2", "7"}});
  ASSERT_TRUE(run_until([this] { return !sink_.attempts.empty(); }));
  std::string told;
  for (const SavedPosition& one : sink_.attempts.front().positions)
    told += one.partition + "=" + one.value + " ";
  EXPECT_EQ(told, "f2=0 f1=42 ");
  sink_.attempts.front().done(Answer::delivered());
  EXPECT_EQ(found().saved.size(), 2U);
}

TEST_F(ResumeTest, what_the_sink_keeps_of_a_position_that_was_reset_is_none) {
  config_.exactly_once = true;
  start();
  sink_answers(Saved{{"f1", ""}, {"f2", "7"}});
  ASSERT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(found().saved[0].partition, "f2");
}

TEST_F(ResumeTest, with_exactly_once_a_sink_that_does_not_take_it_is_asked_again) {
  config_.exactly_once = true;
  save({{"reset:", "start"}});
  start();
  sink_answers(Saved{{"f1", "120"}});
  ASSERT_TRUE(run_until([this] { return !sink_.attempts.empty(); }));
  sink_.attempts.front().done(Answer::retry("connection lost"));
  sink_answers(Saved{{"f1", "120"}});
  ASSERT_TRUE(run_until([this] { return sink_.attempts.size() == 2; }));
  sink_.attempts.back().done(Answer::delivered());
  EXPECT_TRUE(found().saved.empty());
}

TEST_F(ResumeTest, spooled_records_are_dropped_up_to_where_it_was_ordered_and_no_further) {
  std::string epoch = spool({3, 4});
  save({{"f1", "80"}, {"drop:", "3"}});
  start();
  EXPECT_EQ(found().spool_left.records, 4U);
  EXPECT_EQ(found().spool_delivered, 3U);
  EXPECT_EQ(saved_in_journal(), "f1=80 spool:" + epoch + "=3");
}

TEST_F(ResumeTest, numbers_of_dropped_records_are_not_used_again_whatever_the_sink_says) {
  config_.exactly_once = true;
  config_.spool.mode = SpoolMode::kAlways;
  std::string epoch = spool({3, 4});
  save({{"drop:", "7"}});
  start();
  sink_answers(Saved{{Spool::partition(epoch), "2"}});
  EXPECT_EQ(found().spool_left.records, 0U);
  EXPECT_EQ(found().spool_delivered, 7U);
}

TEST_F(ResumeTest, a_sink_that_is_away_is_asked_again) {
  config_.exactly_once = true;
  start();
  sink_answers(fail(ErrorKind::kUnavailable, "connection refused"));
  EXPECT_EQ(resume_->trouble(), "connection refused");
  sink_answers(Saved{{"f1", "120"}});
  EXPECT_EQ(resume_->trouble(), "");
  EXPECT_EQ(found().saved.size(), 1U);
  EXPECT_EQ(troubles_, (std::vector<std::string>{"connection refused"}));
}

TEST_F(ResumeTest, what_the_sink_can_never_say_is_an_error) {
  config_.exactly_once = true;
  start();
  sink_answers(fail(ErrorKind::kFatal, "no such table"));
  ASSERT_TRUE(result_.has_value());
  ASSERT_FALSE(*result_);
  EXPECT_EQ(result_->error().message(), "no such table");
}

TEST_F(ResumeTest, is_silent_when_it_is_gone_before_the_answers) {
  config_.exactly_once = true;
  start();
  ASSERT_TRUE(run_until([this] { return !sink_.asked.empty(); }));
  resume_.reset();
  sink_answers(Saved{{"f1", "120"}});
  start();
  resume_.reset();
  bool answered = false;
  client_->flush([&answered] { answered = true; });
  ASSERT_TRUE(run_until([&answered] { return answered; }));
  EXPECT_FALSE(result_.has_value());
}

}  // namespace
}  // namespace leat
