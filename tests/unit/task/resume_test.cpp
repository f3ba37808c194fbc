#include "task/resume.h"

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
                                                   .replay = Replay::kFromPosition,
                                                   .sink = sink_,
                                                   .journal = *client_});
    resume_->start([this](Result<ResumedFrom> result) { result_ = std::move(result); },
                   [this] { troubles_.push_back(resume_->trouble()); });
  }
  const ResumedFrom& found() {
    static const ResumedFrom kNothing;
    EXPECT_TRUE(run_until([this] { return result_.has_value(); })) << "no answer";
    if (!result_ || !*result_) return kNothing;
    return **result_;
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
  testing::ScriptedSink sink_;
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
