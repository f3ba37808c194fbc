#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "sink_harness.h"

namespace leat {
namespace {

// Counts how often it is opened, and gives nothing.
class SilentSource final : public Source {
 public:
  static inline int opened = 0;
  Status open(SourceContext& /*context*/) override {
    ++opened;
    return {};
  }
  void resume() override {}
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& /*position*/) override {}
  SavedPosition saved_form(const Position& /*position*/) override { return {}; }
  std::string describe(const Position& /*position*/) override { return "nowhere"; }
};

class SilentSink final : public Sink {
 public:
  Status open(SinkContext& /*context*/) override { return {}; }
  void deliver(const Delivery& /*delivery*/, Done done) override { done(Answer::delivered()); }
  void close(std::function<void()> closed) override { closed(); }
};

Result<std::unique_ptr<Source>> make_source(const Options& /*options*/) {
  return std::unique_ptr<Source>(new SilentSource);
}

Result<std::unique_ptr<Sink>> make_sink(const Options& /*options*/) {
  return std::unique_ptr<Sink>(new SilentSink);
}

const SourceType kSource{.name = "silence",
                         .help = "",
                         .gives = Gives::kRecords,
                         .replay = replays<Replay::kFromPosition>,
                         .options = {},
                         .make = make_source};
const SinkType kSink{
    .name = "nowhere", .help = "", .takes = Takes::kRecords, .options = {}, .make = make_sink};

// A pipeline whose journal answers when the test lets it.
class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    uv_loop_init(&loop_);
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db");
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(&loop_);
    config_.name = "p";
    config_.source.type = &kSource;
    config_.sink.type = &kSink;
    config_.delivery.spool.mode = SpoolMode::kNever;
    Result<std::unique_ptr<Pipeline>> made = Pipeline::make(
        config_, {&loop_, clock_, *client_, usage_, "agent", folder_.path(), 1 << 20});
    if (!made) throw std::runtime_error(made.error().message());
    pipeline_ = std::move(*made);
    SilentSource::opened = 0;
  }
  ~PipelineTest() override {
    pipeline_.reset();
    client_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
  }

  void start() {
    pipeline_->start([this](Status status) {
      result_ = std::move(status);
      pipeline_.reset();
    });
  }
  bool gone() {
    return testing::run_until(&loop_, [this] { return pipeline_ == nullptr; });
  }
  // The journal answers all that it was asked so far.
  bool journal_answers() {
    bool answered = false;
    client_->load("another", [&answered](const auto&) { answered = true; });
    journal_->start();
    return testing::run_until(&loop_, [&answered] { return answered; });
  }

  testing::TempDir folder_;
  uv_loop_t loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  SystemClock clock_;
  JournalUsage usage_;
  PipelineConfig config_;
  std::unique_ptr<Pipeline> pipeline_;
  Status result_;
};

TEST_F(PipelineTest, opens_its_source_when_the_journal_has_said_where_to_resume) {
  start();
  EXPECT_EQ(SilentSource::opened, 0);
  ASSERT_TRUE(journal_answers());
  EXPECT_EQ(SilentSource::opened, 1);
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
}

TEST_F(PipelineTest, may_be_drained_and_destroyed_before_the_journal_answers) {
  start();
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_TRUE(result_);
  ASSERT_TRUE(journal_answers());
  EXPECT_EQ(SilentSource::opened, 0);
}

}  // namespace
}  // namespace leat
