#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

// Counts how often it is opened, and gives nothing.
class SilentSource final : public Source {
 public:
  static inline int opened = 0;
  static inline Status files;  // what is said of those that its options name
  static inline SourceContext* context = nullptr;
  static inline bool resumed = false;
  Status open(SourceContext& its_context) override {
    ++opened;
    context = &its_context;
    resumed = false;
    return {};
  }
  void resume() override { resumed = true; }
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& /*position*/) override {}
  SavedPosition saved_position(const Position& /*position*/) override { return {}; }
  std::string describe(const Position& /*position*/) override { return "nowhere"; }
};

class SilentSink final : public Sink {
 public:
  static inline int open_now = 0;
  static inline Status answer;
  Status open(SinkContext& /*context*/) override {
    ++open_now;
    return answer;
  }
  void deliver(const Delivery& /*delivery*/, Done done) override { done(Answer::delivered()); }
  void close(std::function<void()> closed) override {
    --open_now;
    closed();
  }
};

Result<std::unique_ptr<Source>> make_source(const Options& /*options*/) {
  return std::unique_ptr<Source>(new SilentSource);
}

Result<std::unique_ptr<Sink>> make_sink(const Options& /*options*/) {
  return std::unique_ptr<Sink>(new SilentSink);
}

const SourceType kSource{.name = "silence",
                         .help = "",
                         .produces = Produces::kRecords,
                         .replay = replays<Replay::kFromPosition>,
                         .options = {},
                         .make = make_source,
                         .check_files = [](const Options&) { return SilentSource::files; }};
const SinkType kSink{.name = "nowhere",
                     .help = "",
                     .consumes = Consumes::kRecords,
                     .options = {},
                     .make = make_sink};

// A pipeline whose journal answers when the test lets it.
class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    config_.name = "p";
    config_.source.type = &kSource;
    config_.sink.type = &kSink;
    config_.delivery.spool.mode = SpoolMode::kNever;
    Result<std::unique_ptr<Pipeline>> made =
        Pipeline::make(config_, {loop_, *client_, usage_, "agent", folder_.path(), 1 << 20});
    if (!made) throw std::runtime_error(made.error().message());
    pipeline_ = std::move(*made);
    SilentSource::opened = 0;
    SilentSink::open_now = 0;
    SilentSink::answer = {};
    SilentSource::files = {};
  }
  ~PipelineTest() override {
    pipeline_.reset();
    client_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void start() {
    pipeline_->start([this](Status status) {
      result_ = std::move(status);
      pipeline_.reset();
    });
  }
  bool gone() {
    return testing::run_until(loop_, [this] { return pipeline_ == nullptr; });
  }
  // The journal answers all that it was asked so far.
  bool journal_answers() {
    bool answered = false;
    client_->load("another", [&answered](const auto&) { answered = true; });
    journal_->start();
    return testing::run_until(loop_, [&answered] { return answered; });
  }

  testing::TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
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

TEST_F(PipelineTest, opens_its_sink_ahead_and_closes_it_when_it_is_not_started) {
  EXPECT_TRUE(pipeline_->open());
  EXPECT_EQ(SilentSink::open_now, 1);
  pipeline_->discard([this] { pipeline_.reset(); });
  ASSERT_TRUE(gone());
  EXPECT_EQ(SilentSink::open_now, 0);
  EXPECT_EQ(SilentSource::opened, 0);
}

TEST_F(PipelineTest, whose_sink_cannot_be_opened_says_so_before_anything_is_started) {
  SilentSink::answer = fail(ErrorKind::kUsage, "tls.ca: no such file");
  Status opened = pipeline_->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "tls.ca: no such file");
  pipeline_->discard([this] { pipeline_.reset(); });
  ASSERT_TRUE(gone());
  EXPECT_EQ(SilentSink::open_now, 0);
}

TEST_F(PipelineTest, whose_source_names_a_file_that_is_missing_says_so_before_anything_is_started) {
  SilentSource::files = fail(ErrorKind::kUsage, "tls.ca: no such file");
  Status opened = pipeline_->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "tls.ca: no such file");
  pipeline_->discard([this] { pipeline_.reset(); });
  ASSERT_TRUE(gone());
  EXPECT_EQ(SilentSource::opened, 0);
}

TEST_F(PipelineTest, opens_its_sink_once) {
  EXPECT_TRUE(pipeline_->open());
  start();
  EXPECT_EQ(SilentSink::open_now, 1);
  ASSERT_TRUE(journal_answers());
  EXPECT_TRUE(pipeline_->status().opened);
  pipeline_->drain();
  ASSERT_TRUE(gone());
  EXPECT_EQ(SilentSink::open_now, 0);
}

// Whatever the limit, what is held stays; what is refused comes when there is more.
TEST_F(PipelineTest, goes_on_with_another_share_of_memory_while_it_runs) {
  start();
  ASSERT_TRUE(journal_answers());
  SourceContext& source = *SilentSource::context;
  size_t before = source.batch_bytes();
  pipeline_->set_memory(64 << 20);
  EXPECT_GT(source.batch_bytes(), before);
  Charge held(source.budget(), 2 << 20);
  std::vector<BatchRef> batches;
  for (int i = 0; i < 2; ++i) {
    batches.push_back(source.new_batch(Content::kRecords));
    ASSERT_TRUE(batches.back());
    batches.back()->arena.allocate(100);
    source.emit(batches.back());
  }
  pipeline_->set_memory(1 << 20);
  EXPECT_EQ(source.batch_bytes(), before);
  EXPECT_FALSE(source.new_batch(Content::kRecords));
  EXPECT_GT(pipeline_->status().memory_used, pipeline_->status().memory_limit);
  SilentSource::resumed = false;
  pipeline_->set_memory(64 << 20);
  EXPECT_TRUE(testing::run_until(loop_, [] { return SilentSource::resumed; }));
  batches.clear();
  held.set(0);
  pipeline_->abort("the test is over");
  ASSERT_TRUE(gone());
}

}  // namespace
}  // namespace leat
