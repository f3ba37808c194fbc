// A codec that waits for something, as one does whose schema is on its way: what the pipeline does
// meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "loop/handles.h"
#include "pipeline/pipeline.h"
#include "support/hand_loop.h"
#include "support/scripted_stages.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using Strings = std::vector<std::string>;

// What the fakes below have to tell, and are told.
struct Script {
  Replay replay = Replay::kFromPosition;
  // The codec waits at these texts.
  Strings unknown;
  CodecContext* codec = nullptr;
  int codecs = 0;  // that are there
  Strings decoded;
  int waits = 0;

  SourceContext* source = nullptr;
  Strings to_give;
  bool refused = false;  // a batch was asked for, and there was no credit
  int resumed = 0;
  uint64_t acked = 0;  // offset

  Strings delivered;

  bool knows(std::string_view text) const {
    return std::find(unknown.begin(), unknown.end(), text) == unknown.end();
  }
};
Script* script = nullptr;

// Gives one message a batch, as long as it has credit.
class Messages final : public Source {
 public:
  Status open(SourceContext& context) override {
    script->source = &context;
    give();
    return {};
  }
  void resume() override {
    ++script->resumed;
    give();
  }
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& position) override { script->acked = position.offset; }
  SavedPosition saved_position(const Position& position) override {
    return {"messages", std::to_string(position.offset)};
  }
  std::string describe(const Position& /*position*/) override { return "a message"; }

  static void give() {
    while (!script->to_give.empty()) {
      BatchRef batch = script->source->new_batch(Content::kSlices);
      script->refused = !batch;
      if (!batch) return;
      std::string_view text = batch->arena.copy(script->to_give.front());
      script->to_give.erase(script->to_give.begin());
      auto size = static_cast<uint32_t>(text.size());
      batch->slices.push_back({text.data(), size, size, 1});
      batch->begin.offset = offset_;
      batch->end.offset = offset_ += size;
      script->source->emit(std::move(batch));
    }
  }
  static inline uint64_t offset_ = 0;
};

class WaitingDecoder final : public Decoder {
 public:
  WaitingDecoder() { ++script->codecs; }
  ~WaitingDecoder() override { --script->codecs; }
  Status open(CodecContext& context) override {
    script->codec = &context;
    context.go_on();  // allowed whenever it likes
    return {};
  }
  Result<Turn> decode(Batch& batch, DeadLetters& /*dead*/) override {
    std::string text(batch.slices[0].view());
    if (!script->knows(text)) {
      ++script->waits;
      return Turn::kWait;
    }
    script->decoded.push_back(text);
    batch.adopt(shape_);
    Value* values = batch.arena.array<Value>(1);
    values[0] = Value::of_text(Type::kString, batch.slices[0].view());
    batch.records.push_back({shape_.get(), values, 0, batch.slices[0].end_offset, 1});
    batch.slices.clear();
    batch.content = Content::kRecords;
    return Turn::kDone;
  }

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"text"});
};

class WaitingEncoder final : public Encoder {
 public:
  WaitingEncoder() { ++script->codecs; }
  ~WaitingEncoder() override { --script->codecs; }
  Status open(CodecContext& context) override {
    script->codec = &context;
    return {};
  }
  Result<BatchRef> encode(const Batch& in, DeadLetters& /*dead*/) override {
    std::string_view text = in.records[0].values[0].view();
    if (!script->knows(text)) {
      ++script->waits;
      return BatchRef();
    }
    BatchRef out = BatchRef::make(in.pool(), Content::kSlices);
    out->begin = in.begin;
    out->end = in.end;
    text = out->arena.copy(text);
    out->slices.push_back(
        {text.data(), static_cast<uint32_t>(text.size()), in.records[0].end_offset, 1});
    return out;
  }
};

// Takes all, a turn of the loop later.
class TestSink : public Sink {
 public:
  Status open(SinkContext& context) override {
    later_.emplace(context.loop());
    return {};
  }
  void deliver(const Delivery& delivery, Done done) override {
    take(delivery);
    later_->start(Milliseconds{0}, [done = std::move(done)] { done(Answer::delivered()); });
  }
  void close(std::function<void()> closed) override {
    later_.reset();
    closed();
  }

 private:
  virtual void take(const Delivery& delivery) = 0;
  std::optional<Timer> later_;
};

class RecordSink final : public TestSink {
  void take(const Delivery& delivery) override {
    delivery.each_record(
        [](const Record& record) { script->delivered.emplace_back(record.values[0].view()); });
  }
};

class SliceSink final : public TestSink {
  void take(const Delivery& delivery) override {
    delivery.each_slice([](const Slice& slice) { script->delivered.emplace_back(slice.view()); });
  }
};

const ReadFormat kWaitingReads{
    .name = "waiting",
    .wire = "waiting",
    .help = "",
    .make_framing = [](const Options&) { return std::unique_ptr<Framing>(); },
    .make_decoder = [](const Options&) -> Result<std::unique_ptr<Decoder>> {
      return std::make_unique<WaitingDecoder>();
    }};
const WriteFormat kWaitingWrites{
    .name = "waiting",
    .wire = "waiting-too",
    .media = "",
    .suffix = "",
    .help = "",
    .make_encoder = [](const Options&) -> Result<std::unique_ptr<Encoder>> {
      return std::make_unique<WaitingEncoder>();
    }};

const SourceType kMessages{.name = "messages",
                           .help = "",
                           .produces = Produces::kSlices,
                           .replay = [](const Options&) { return script->replay; },
                           .options = {},
                           .make = [](const Options&) -> Result<std::unique_ptr<Source>> {
                             return std::make_unique<Messages>();
                           }};
const SinkType kRecordSink{.name = "records",
                           .help = "",
                           .consumes = Consumes::kRecords,
                           .options = {},
                           .make = [](const Options&) -> Result<std::unique_ptr<Sink>> {
                             return std::make_unique<RecordSink>();
                           }};
const SinkType kSliceSink{.name = "slices",
                          .help = "",
                          .consumes = Consumes::kSlices,
                          .options = {},
                          .make = [](const Options&) -> Result<std::unique_ptr<Sink>> {
                            return std::make_unique<SliceSink>();
                          }};

class WaitingCodecTest : public ::testing::Test {
 protected:
  WaitingCodecTest() {
    script = &script_;
    Messages::offset_ = 0;
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", loop_.clock());
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(loop_);
    config_.name = "p";
    config_.source.type = &kMessages;
    config_.source.format = &kWaitingReads;
    config_.sink.type = &kRecordSink;
    config_.sink.batch.linger = Milliseconds{0};
    config_.delivery.spool.mode = SpoolMode::kNever;
  }
  ~WaitingCodecTest() override {
    pipeline_.reset();
    EXPECT_EQ(script_.codecs, 0);
    client_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void start(Strings messages, Strings unknown) {
    script_.to_give = std::move(messages);
    script_.unknown = std::move(unknown);
    Result<std::unique_ptr<Pipeline>> made =
        Pipeline::make(config_, {loop_, *client_, usage_, "agent", folder_.path(), 4 << 20});
    if (!made) throw std::runtime_error(made.error().message());
    pipeline_ = std::move(*made);
    journal_->start();
    pipeline_->start([this](Status status) {
      result_ = std::move(status);
      pipeline_.reset();
    });
  }
  template <typename F>
  bool until(F condition) {
    return testing::run_until(loop_, condition);
  }
  bool parked() {
    return until([this] { return script_.waits > 0; });
  }
  void schema_comes() {
    script_.unknown.clear();
    script_.codec->go_on();
  }

  Script script_;
  testing::TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  JournalUsage usage_;
  PipelineConfig config_;
  std::unique_ptr<Pipeline> pipeline_;
  Status result_;
};

TEST_F(WaitingCodecTest, parks_its_batch_and_the_source_gets_no_credit) {
  start({"a", "b"}, {"b"});
  ASSERT_TRUE(parked());
  EXPECT_TRUE(until([this] { return script_.acked == 1; })) << "what lies before it goes on";
  script_.to_give = {"c"};
  Messages::give();
  EXPECT_TRUE(script_.refused);
  for (int i = 0; i < 20; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(script_.waits, 1) << "it is asked again only when told";
  EXPECT_EQ(script_.resumed, 0);
  EXPECT_EQ(script_.delivered, Strings{"a"});
  pipeline_->abort("enough");
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
}

TEST_F(WaitingCodecTest, goes_on_in_order_when_told) {
  start({"a", "b", "c"}, {"b"});
  ASSERT_TRUE(parked());
  script_.to_give = {"d", "e"};
  Messages::give();
  EXPECT_TRUE(script_.refused);
  schema_comes();
  EXPECT_TRUE(until([this] { return script_.acked == 5; }));
  EXPECT_EQ(script_.delivered, (Strings{"a", "b", "c", "d", "e"}));
  EXPECT_GT(script_.resumed, 0) << "with credit again";
  pipeline_->drain();
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
  EXPECT_TRUE(result_);
}

#ifdef LEAT_PARALLEL
TEST_F(WaitingCodecTest, what_lies_before_it_on_a_further_loop_goes_on) {
  config_.parallel = {.max = 1, .threshold = 0, .growth = 2};
  testing::add_transform(config_, "filter", {{"where", std::string("text <> ''")}});
  Strings messages;
  for (int i = 0; i < 300; ++i) messages.push_back("m" + std::to_string(i));
  const Strings before(messages.begin(), messages.begin() + 290);
  start(messages, {messages[290]});
  ASSERT_TRUE(until([this] {
    loop_.advance(Milliseconds{100});
    return script_.waits > 0;
  }));
  EXPECT_EQ(pipeline_->status().parallel->most, 1U);
  EXPECT_TRUE(until([&] { return script_.delivered == before; })) << script_.delivered.size();
  EXPECT_EQ(script_.waits, 1) << "it is asked again only when told";
  schema_comes();
  EXPECT_TRUE(until([&] { return script_.delivered == messages; })) << script_.delivered.size();
  pipeline_->drain();
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
  EXPECT_TRUE(result_);
}
#endif

TEST_F(WaitingCodecTest, may_be_told_to_go_on_too_early) {
  start({"a", "b"}, {"b"});
  ASSERT_TRUE(parked());
  script_.codec->go_on();
  EXPECT_TRUE(until([this] { return script_.waits == 2; }));
  EXPECT_EQ(script_.decoded, Strings{"a"});
  schema_comes();
  EXPECT_TRUE(until([this] { return script_.acked == 2; }));
  EXPECT_EQ(script_.delivered, (Strings{"a", "b"}));
  pipeline_->abort("enough");
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
}

TEST_F(WaitingCodecTest, a_drain_leaves_what_can_be_read_again) {
  start({"a", "b"}, {"b"});
  ASSERT_TRUE(parked());
  pipeline_->drain();
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; })) << "it does not wait for the schema";
  EXPECT_TRUE(result_);
  EXPECT_EQ(script_.acked, 1U);
  EXPECT_EQ(script_.delivered, Strings{"a"});
}

TEST_F(WaitingCodecTest, a_drain_waits_for_what_cannot_come_again) {
  script_.replay = Replay::kNone;
  start({"a", "b"}, {"b"});
  ASSERT_TRUE(parked());
  pipeline_->drain();
  for (int i = 0; i < 20; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  ASSERT_NE(pipeline_, nullptr);
  schema_comes();
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
  EXPECT_TRUE(result_);
  EXPECT_EQ(script_.delivered, (Strings{"a", "b"}));
}

TEST_F(WaitingCodecTest, an_abort_says_that_what_cannot_come_again_is_lost) {
  script_.replay = Replay::kNone;
  start({"a", "b"}, {"b"});
  ASSERT_TRUE(parked());
  EXPECT_TRUE(until([this] { return script_.acked == 1; }));
  pipeline_->abort("stopped");
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
  ASSERT_FALSE(result_);
  EXPECT_NE(result_.error().message().find("waits for its codec, and is lost"), std::string::npos)
      << result_.error().message();
}

TEST_F(WaitingCodecTest, an_encoder_may_wait_too) {
  ReadFormat lines = kWaitingReads;
  config_.source.format = &lines;
  lines.make_decoder = [](const Options&) -> Result<std::unique_ptr<Decoder>> {
    class Known final : public Decoder {
     public:
      Result<Turn> decode(Batch& batch, DeadLetters& dead) override {
        Strings unknown = std::exchange(script->unknown, {});
        Result<Turn> turn = decoder_.decode(batch, dead);
        script->unknown = std::move(unknown);
        return turn;
      }

     private:
      WaitingDecoder decoder_;
    };
    return std::make_unique<Known>();
  };
  config_.sink.type = &kSliceSink;
  config_.sink.format = &kWaitingWrites;
  start({"a", "b", "c"}, {"b"});
  ASSERT_TRUE(parked());
  EXPECT_TRUE(until([this] { return script_.acked == 1; }));
  schema_comes();
  EXPECT_TRUE(until([this] { return script_.acked == 3; }));
  EXPECT_EQ(script_.delivered, (Strings{"a", "b", "c"}));
  EXPECT_EQ(script_.decoded, (Strings{"a", "b", "c"})) << "each once";
  pipeline_->drain();
  EXPECT_TRUE(until([this] { return pipeline_ == nullptr; }));
  EXPECT_TRUE(result_);
}

}  // namespace
}  // namespace leat
