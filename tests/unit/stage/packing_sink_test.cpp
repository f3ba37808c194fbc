#include "stage/packing_sink.h"

#include "codec/text/slice_writer.h"
#include "support/scripted_stages.h"
#include "support/sink_harness.h"

namespace leat::testing {
namespace {

// Three records to a slice, "a b c\n"; a record "bad" is refused, and "away" is waited for.
class Threes final : public Encoder {
 public:
  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override {
    BatchRef out = batch_like(in);
    SliceWriter slices(out->arena);
    size_t count = 0;
    for (size_t i = 0; i < in.records.size(); ++i) {
      const Record& record = in.records[i];
      const std::string_view v = record.values[0].view();
      if (v == "away") return BatchRef();
      const bool last = i + 1 == in.records.size();
      if (v == "bad") {
        dead.add(in, i, "v: bad");
      } else {
        if (count++ > 0) slices.append(' ');
        slices.append(v);
      }
      if (count < 3 && !last) continue;
      if (count == 0) break;
      slices.append('\n');
      out->slices.push_back(slices.finish(record.end_offset, record.end_line));
      count = 0;
      if (!last) return stop_behind(i, in, std::move(out));  // a slice a turn
    }
    return out;
  }
};

const WriteFormat kThrees{
    .name = "threes",
    .wire = "threes",
    .media = "text/plain",
    .suffix = "threes",
    .help = "",
    .packs = true,
    .make_encoder = [](const Options& options) -> Result<std::unique_ptr<Encoder>> {
      if (options.path() == "broken") return fail(ErrorKind::kUsage, "no such schema");
      return std::make_unique<Threes>();
    },
    .header = [](const Encoder&) -> std::string { return "header"; },
};

const SinkType kPacked{
    .name = "packed",
    .help = "",
    .options = {},
    .make = [](const Options&) -> Result<std::unique_ptr<Sink>> {
      return std::make_unique<PackingSink>(std::make_unique<ScriptedSink>());
    },
};

class NeverOpened final : public Sink {
 public:
  Status open(SinkContext&) override { return fail(ErrorKind::kFatal, "opened"); }
  void deliver(const Delivery&, Done) override {}
  void close(std::function<void()> closed) override {
    ADD_FAILURE() << "closed, and never opened";
    closed();
  }
};

const SinkType kNeverOpened{
    .name = "never",
    .help = "",
    .options = {},
    .make = [](const Options&) -> Result<std::unique_ptr<Sink>> {
      return std::make_unique<PackingSink>(std::make_unique<NeverOpened>());
    },
};

class PackingSinkTest : public ::testing::Test {
 protected:
  using Records = std::vector<std::string>;

  void SetUp() override {
    ScriptedSink::made = nullptr;
    ASSERT_TRUE(harness_.start(kPacked, Options()));
  }
  Delivery records(std::initializer_list<const char*> values) {
    std::vector<Row> rows;
    for (const char* value : values) rows.push_back({{"v", text(value)}});
    return harness_.records(rows);
  }
  void begin(const Delivery& delivery) {
    harness_.sink().deliver(delivery,
                            [this](Answer answer) { answers_.push_back(std::move(answer)); });
  }
  ScriptedSink& inner() { return *ScriptedSink::made; }
  bool wait_for_attempts(size_t count) {
    return harness_.wait([this, count] { return inner().attempts.size() == count; });
  }

  SinkHarness harness_{&kThrees};
  std::vector<Answer> answers_;
};

TEST_F(PackingSinkTest, each_delivery_is_packed_for_itself_and_in_order) {
  const Delivery first = records({"a", "b", "c", "d"});
  const Delivery second = records({"e"});
  begin(first);
  begin(second);
  ASSERT_TRUE(wait_for_attempts(2));
  EXPECT_EQ(inner().attempts[0].records, (Records{"a b c", "d"}));
  EXPECT_EQ(inner().attempts[1].records, (Records{"e"}));
  inner().attempts[1].done(Answer::retry("full"));
  inner().attempts[0].done(Answer::delivered());
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].reason, "full");
  EXPECT_EQ(answers_[1].outcome, Outcome::kDelivered);
}

TEST_F(PackingSinkTest, what_cannot_be_packed_is_refused_by_its_place_before_anything_is_sent) {
  const Delivery delivery = records({"a", "b", "bad", "c", "bad"});
  const Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{2, 4}));
  EXPECT_EQ(answer.why(1).reason, "v: bad");
  EXPECT_EQ(answer.why(1).code, "encode");
  EXPECT_TRUE(inner().attempts.empty());
}

TEST_F(PackingSinkTest, a_delivery_of_nothing_but_bad_records_is_refused_too) {
  const Answer answer = harness_.deliver(records({"bad"}));
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{0}));
}

TEST_F(PackingSinkTest, the_places_that_the_sink_refuses_are_of_slices_unless_each_is_a_record) {
  const auto refused = [this](const Delivery& delivery, std::vector<uint32_t> places) {
    inner().attempts.clear();
    harness_.begin(delivery);
    EXPECT_TRUE(wait_for_attempts(1));
    inner().attempts[0].done(Answer::rejected("too long", std::move(places)));
    return *harness_.answer();
  };
  Answer of_many = refused(records({"a", "b", "c", "d"}), {1});
  EXPECT_EQ(of_many.outcome, Outcome::kRejected);
  EXPECT_EQ(of_many.reason, "too long");
  EXPECT_TRUE(of_many.bad_records.empty()) << "the engine finds out by halving";
  EXPECT_EQ(refused(records({"a"}), {0}).bad_records, (std::vector<uint32_t>{0}));
}

TEST_F(PackingSinkTest, what_the_format_waits_for_is_tried_again) {
  EXPECT_EQ(harness_.deliver(records({"away"})).outcome, Outcome::kRetry);
}

TEST_F(PackingSinkTest, nothing_of_a_delivery_is_kept_once_it_is_answered) {
  const size_t before = harness_.budget().used();
  {
    const Delivery delivery = records({"a", "b", "c", "d", "e", "f", "g", "h"});
    begin(delivery);
    ASSERT_TRUE(wait_for_attempts(1));
    inner().attempts[0].done(Answer::delivered());
  }
  EXPECT_EQ(harness_.budget().used(), before);
}

TEST_F(PackingSinkTest, a_document_begins_with_what_the_encoder_says) {
  EXPECT_EQ(inner().context->wrap().open, "header");
}

TEST_F(PackingSinkTest, positions_without_records_go_to_the_sink) {
  Delivery positions;
  positions.positions = {{"p", "7"}};
  harness_.begin(positions);
  ASSERT_TRUE(wait_for_attempts(1));
  EXPECT_EQ(inner().attempts[0].positions.size(), 1U);
}

TEST_F(PackingSinkTest, closes_in_the_middle_of_a_delivery) {
  const Delivery packed = records({"a"});
  begin(packed);
  ASSERT_TRUE(wait_for_attempts(1));
  const Delivery packing = records({"b", "c", "d", "e"});
  begin(packing);
  harness_.close();
  EXPECT_TRUE(answers_.empty());
}

TEST_F(PackingSinkTest, closes_without_having_opened_the_sink_where_there_is_no_encoder) {
  harness_.kill();
  harness_.set_format_options(Options({}, "broken"));
  const Status started = harness_.start(kNeverOpened, Options());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message(), "no such schema");
  harness_.close();
}

}  // namespace
}  // namespace leat::testing
