#include "letters/letter_retry.h"

#include <algorithm>
#include <deque>

#include "task/fixture.h"

namespace leat {
namespace {

using testing::TaskTest;
using Lines = std::vector<std::string>;

class LetterRetryTest : public TaskTest {
 protected:
  ~LetterRetryTest() override { let_go(); }  // it may end now, and say so in done_

  std::string path() const { return folder_ / "dead.jsonl"; }

  void retry(LetterFilter filter = {}, LetterFrom from = LetterFrom::kBest) {
    EXPECT_TRUE(begin(std::move(filter), from));
  }
  Status begin(LetterFilter filter = {}, LetterFrom from = LetterFrom::kBest,
               const std::string& edited = "") {
    done_.reset();
    return task_->feed([=, this](FeedHost& host) -> std::unique_ptr<Feed> {
      return std::make_unique<LetterRetry>(
          host, LetterRetrySetup{
                    .path = path(),
                    .filter = filter,
                    .from = from,
                    .edited = edited,
                    .done = [this](LetterRetryResult result) { done_ = std::move(result); }});
    });
  }
  // {"a":1}, as it was to be delivered.
  void leave_one_of_the_sink() {
    testing::write_file(
        path(),
        R"({"id":"0123456789abcdef","time":"2026-01-02T03:04:05.678Z","stage":"script sink",)"
        R"("reason":"no","source":"f1:0","raw":"{\"a\":1}","lineEnd":"\n",)"
        R"("rawIs":"output","format":"ndjson"})"
        "\n");
  }
  bool done() {
    return run_until([this] { return done_.has_value(); });
  }
  // As many are on the disk.
  bool wait_letters(size_t count) {
    return run_until([=, this] { return letters().size() == count; });
  }

  struct Shown {
    Letter letter;
    LetterState state;
    std::string line;
  };
  std::vector<Shown> letters() {
    std::vector<Shown> out;
    Result<LetterReader> reader = LetterReader::open(path());
    LetterLine line;
    while (*reader->next(line)) {
      const std::string& kept = kept_.emplace_back(line.text);  // the letter looks into it
      std::optional<Letter> letter = read_letter(kept);
      if (letter) out.push_back({*letter, line.state, kept});
    }
    return out;
  }
  size_t open_letters() {
    size_t open = 0;
    for (const Shown& one : letters()) open += one.state == LetterState::kOpen ? 1 : 0;
    return open;
  }

  // So that records fail in it.
  void filter_by(const std::string& where) {
    config_.transforms.clear();
    testing::add_transform(config_, "filter", {{"where", where}});
  }
  // One more start, of another configuration maybe.
  void start_anew() {
    end_of_input();
    ASSERT_TRUE(ended());
    start();
  }
  // A line that cannot be read, as a dead letter on the disk.
  void leave_one_unreadable() {
    start();
    read({R"({"a":1)"});
    ASSERT_TRUE(wait_letters(1));
  }

  std::optional<LetterRetryResult> done_;
  std::deque<std::string> kept_;
};

TEST_F(LetterRetryTest, a_letter_goes_through_the_chain_again_and_is_marked_when_it_is_delivered) {
  filter_by("json_extract(x, '$.a') > 0");
  start();
  read({R"({"x":"no JSON","n":1})"});
  ASSERT_TRUE(wait_letters(1));
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters()[0].letter.payload, "{\"x\":\"no JSON\",\"n\":1}\n");

  filter_by("n > 0");
  start_anew();
  retry();
  EXPECT_EQ(attempted(), (Lines{R"({"x":"no JSON","n":1})"}));
  EXPECT_EQ(open_letters(), 1U) << "a crash now must not lose it";
  answer(Answer::delivered());
  ASSERT_TRUE(done());
  EXPECT_TRUE(done_->status);
  EXPECT_EQ(done_->retried, 1U);
  EXPECT_EQ(done_->dead_again, 0U);
  EXPECT_EQ(open_letters(), 0U);

  retry();
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->retried, 0U) << "it is not tried twice";
}

TEST_F(LetterRetryTest, one_that_fails_again_keeps_its_id_and_is_tried_once) {
  leave_one_unreadable();
  const uint64_t id = letters()[0].letter.id;
  EXPECT_NE(id, 0U);
  retry();
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->retried, 1U);
  EXPECT_EQ(done_->dead_again, 1U);
  ASSERT_EQ(done_->reasons.size(), 1U);
  EXPECT_EQ(done_->reasons[0].first, id);
  ASSERT_EQ(letters().size(), 2U);
  EXPECT_EQ(letters()[0].state, LetterState::kDone);
  EXPECT_EQ(letters()[1].state, LetterState::kOpen);
  EXPECT_EQ(letters()[1].letter.id, id);
  EXPECT_EQ(letters()[1].letter.attempt, 2U);
  EXPECT_EQ(letters()[1].letter.source, "f1:1") << "where it was at first";
}

TEST_F(LetterRetryTest, from_the_stage_that_failed_a_record_has_the_types_it_had) {
  filter_by("json_extract(x, '$.a') > 0");
  config_.source.fields = {{"t", Type::kFloat}, {"at", Type::kTime}};
  start();
  read({R"({"x":"no JSON","t":3,"at":"2026-01-02T03:04:05Z"})"});
  ASSERT_TRUE(wait_letters(1));
  const Letter letter = letters()[0].letter;
  EXPECT_EQ(letter.types, R"({"t":"float","at":"time"})");

  config_.source.fields.clear();
  filter_by("typeof(t) = 'real'");
  start_anew();
  retry({}, LetterFrom::kStage);
  EXPECT_EQ(attempted().size(), 1U) << "an integer would have been filtered";
  answer(Answer::delivered());
  ASSERT_TRUE(done());
  retry({}, LetterFrom::kStage);
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->retried, 0U);
}

TEST_F(LetterRetryTest, what_the_sink_refused_goes_to_the_sink_as_it_was) {
  start();
  read({R"({"a":1})", R"({"a":2})"});
  answer(Answer::rejected("no", {1}));
  answer(Answer::delivered());
  ASSERT_TRUE(wait_letters(1));
  EXPECT_EQ(letters()[0].letter.raw_is, RawIs::kOutput);
  EXPECT_EQ(letters()[0].letter.format, "ndjson");
  retry();
  EXPECT_EQ(attempted(), (Lines{R"({"a":2})"}));
  answer(Answer::rejected("no again", {0}));
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->dead_again, 1U);
  EXPECT_EQ(letters()[1].letter.id, letters()[0].letter.id);
  EXPECT_EQ(letters()[1].letter.reason, "no again");
}

TEST_F(LetterRetryTest, one_that_waited_in_the_spool_keeps_its_name_and_is_refused_at_once) {
  config_.delivery.spool.mode = SpoolMode::kAlways;
  start();
  leave_one_of_the_sink();
  retry();
  ASSERT_TRUE(done());
  EXPECT_EQ(open_letters(), 0U) << "the spool has it";
  answer(Answer::refused("no again"));
  ASSERT_TRUE(wait_letters(2));
  EXPECT_EQ(letters()[1].letter.id, letters()[0].letter.id);
  EXPECT_EQ(letters()[1].letter.attempt, 2U);
  EXPECT_EQ(task_->status().dead_letters, 0U) << "it was one before";
}

TEST_F(LetterRetryTest, one_that_the_sink_has_while_it_comes_into_the_spool_keeps_its_name) {
  config_.delivery.spool.mode = SpoolMode::kOnTrouble;
  start();
  leave_one_of_the_sink();
  retry();
  answer(Answer::retry("down"));
  ASSERT_TRUE(done());
  EXPECT_EQ(open_letters(), 0U) << "the spool has it";
  retry();  // what was tried before is over
  ASSERT_TRUE(done());
  answer(Answer::refused("no again"));
  ASSERT_TRUE(wait_letters(2));
  EXPECT_EQ(letters()[1].letter.id, letters()[0].letter.id);
  EXPECT_EQ(letters()[1].letter.attempt, 2U);
}

TEST_F(LetterRetryTest, several_records_of_one_payload_are_not_all_repeated_for_one_of_them) {
  filter_by("json_extract(x, '$.a') > 0");
  start();
  read({R"([{"x":"no JSON"},{"x":"{\"a\":1}"}])"});
  answer(Answer::delivered());
  ASSERT_TRUE(wait_letters(1));
  EXPECT_FALSE(letters()[0].letter.payload);
  EXPECT_EQ(letters()[0].letter.record, R"({"x":"no JSON"})");
}

TEST_F(LetterRetryTest, a_part_of_a_line_is_never_given_for_the_whole) {
  start();
  testing::write_file(
      path(), R"({"id":"0123456789abcdef","time":"2026-01-02T03:04:05.678Z","stage":"script",)"
              R"("reason":"too long","source":"f1:0","raw":"{\"a\":1}","rawIs":"part"})"
              "\n");
  retry();
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->refused, 1U);
  EXPECT_EQ(open_letters(), 1U);
}

TEST_F(LetterRetryTest, an_edited_letter_is_tried_in_its_place) {
  leave_one_unreadable();
  const uint64_t id = letters()[0].letter.id;
  EXPECT_TRUE(begin({.ids = {id}}, LetterFrom::kBest,
                    R"({"id":")" + letter_id_text(id) +
                        R"(","stage":"decode json","source":"f1:0","raw":"{\"a\":1}",)"
                        R"("rawIs":"payload"})"));
  EXPECT_EQ(attempted(), (Lines{R"({"a":1})"}));
  answer(Answer::delivered());
  ASSERT_TRUE(done());
  EXPECT_EQ(open_letters(), 0U);
}

TEST_F(LetterRetryTest, many_are_tried_a_few_at_a_time_between_those_of_the_source) {
  config_.sink.batch.records = 10;
  start();
  std::string text;
  for (uint64_t i = 1; i <= 1'000; ++i)
    text += R"({"id":")" + letter_id_text(i) +
            R"(","time":"2026-01-02T03:04:05.678Z","stage":"decode json","reason":"x",)"
            R"("source":"f1:0","raw":"{\"n\":)" +
            std::to_string(i) +
            R"(}","rawIs":"payload"})"
            "\n";
  testing::write_file(path(), text);
  retry();
  ASSERT_TRUE(read({R"({"a":1})"}));
  std::vector<std::string> records;
  ASSERT_TRUE(run_until([&] {
    while (!sink().attempts.empty()) {
      EXPECT_LE(sink().attempts.front().records.size(), 10U);
      std::ranges::copy(sink().attempts.front().records, std::back_inserter(records));
      answer(Answer::delivered());
    }
    return done_.has_value();
  }));
  EXPECT_EQ(done_->retried, 1'000U);
  EXPECT_EQ(open_letters(), 0U);
  EXPECT_EQ(records.size(), 1'001U);
  EXPECT_LT(std::ranges::find(records, R"({"a":1})") - records.begin(), 200);
  std::erase(records, R"({"a":1})");
  EXPECT_EQ(records.front(), R"({"n":1})");
  EXPECT_EQ(records.back(), R"({"n":1000})");
}

TEST_F(LetterRetryTest, what_it_holds_counts_against_the_budget) {
  config_.sink.batch.records = 1;
  auto held = [this](size_t reason_bytes) {
    start();
    std::string text;
    for (uint64_t i = 1; i <= 20; ++i)
      text += R"({"id":")" + letter_id_text(i) +
              R"(","time":"2026-01-02T03:04:05.678Z","stage":"decode json","reason":")" +
              std::string(reason_bytes, 'x') +
              R"(","source":"f1:0","raw":"{\"n\":1}","rawIs":"payload"})"
              "\n";
    testing::write_file(path(), text);
    retry();
    attempted();
    int turns = 0;
    EXPECT_TRUE(run_until([&turns] { return ++turns > 50; }));
    const size_t used = budget_.used();
    task_->abort("test");
    EXPECT_TRUE(ended());
    return used;
  };
  EXPECT_GT(held(4'000), held(1) + 32'000);
}

TEST_F(LetterRetryTest, it_goes_on_when_there_is_room_again_whoever_made_it) {
  config_.sink.in_flight = 2;
  leave_one_unreadable();
  leave_one_of_the_sink();
  ASSERT_TRUE(read({R"({"n":1})"}));
  attempted();
  Charge somebody(budget_, budget_.limit() - budget_.used());
  retry();
  int turns = 0;
  ASSERT_TRUE(run_until([&turns] { return ++turns > 50; }));
  EXPECT_EQ(sink().attempts.size(), 1U);
  somebody.set(0);
  EXPECT_TRUE(run_until([] { return sink().attempts.size() == 2; }));
}

TEST_F(LetterRetryTest, only_one_goes_on_at_a_time_and_a_bounded_source_waits_for_its_end) {
  start();
  leave_one_of_the_sink();
  retry();
  attempted();
  EXPECT_FALSE(begin());
  end_of_input();
  done_.reset();
  int turns = 0;
  ASSERT_TRUE(run_until([&turns] { return ++turns > 50; }));
  EXPECT_FALSE(ended_) << "while a letter is on its way";
  answer(Answer::delivered());
  ASSERT_TRUE(ended());
  ASSERT_TRUE(done_);
  EXPECT_TRUE(done_->status);
}

TEST_F(LetterRetryTest, one_that_is_asked_for_while_the_task_starts_begins_when_it_has) {
  leave_one_unreadable();
  task_->abort("test");
  ASSERT_TRUE(ended());
  make();
  EXPECT_TRUE(begin());
  EXPECT_FALSE(begin()) << "there is one";
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->dead_again, 1U);
}

TEST_F(LetterRetryTest, one_that_ends_with_its_pipeline_says_so_and_leaves_what_was_not_delivered) {
  start();
  leave_one_of_the_sink();
  retry();
  attempted();
  task_->abort("test");
  ASSERT_TRUE(ended());
  let_go();
  ASSERT_TRUE(done_);
  EXPECT_FALSE(done_->status);
  EXPECT_EQ(open_letters(), 1U) << testing::read_file(path());
}

TEST_F(LetterRetryTest, with_exactly_once_the_sink_knows_letters_whose_marks_a_crash_has_cost) {
  config_.delivery.exactly_once = true;
  make();
  auto resume = [this](std::vector<SavedPosition> saved) {
    ASSERT_TRUE(run_until([] { return !sink().asked.empty(); }));
    sink().asked.front()(std::move(saved));
    sink().asked.pop_front();
    ASSERT_TRUE(run_until([] { return source().context != nullptr; }));
  };
  resume({});
  leave_one_of_the_sink();
  retry();
  attempted();
  std::vector<SavedPosition> saved = sink().attempts.front().positions;
  ASSERT_EQ(saved.size(), 1U);
  EXPECT_EQ(saved[0].partition, "dead-letters");
  EXPECT_EQ(saved[0].value, "0123456789abcdef:1");
  task_->abort("a crash, when the sink has it");
  ASSERT_TRUE(ended());
  EXPECT_EQ(open_letters(), 1U);

  make();
  resume(saved);
  retry();
  ASSERT_TRUE(done());
  EXPECT_EQ(done_->known, 1U);
  EXPECT_EQ(done_->retried, 0U);
  EXPECT_TRUE(sink().attempts.empty());
  EXPECT_EQ(open_letters(), 0U);
}

}  // namespace
}  // namespace leat
