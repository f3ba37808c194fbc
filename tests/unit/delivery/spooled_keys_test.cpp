// Keys of deliveries stay the same across the spool and a kill.
#include "delivery/spool_fixture.h"

namespace leat {
namespace {

// From a broker, which gives nothing a lasting place: what is tried, then spooled, then killed.
class SpooledKeys : public SpoolTest {
 protected:
  SpooledKeys() {
    source_.lasting = false;
    limits_.records = 4;
  }
  std::string attempt() {
    run_until([this] { return !sink_.open_attempts.empty(); });
    const auto& first = sink_.open_attempts.front();
    return first.text + "=" + first.key;
  }
  void answer_first(Answer answer) {
    auto attempt = std::move(sink_.open_attempts.front());
    sink_.open_attempts.pop_front();
    attempt.done(std::move(answer));
  }
};

TEST_F(SpooledKeys, of_what_was_tried_before_it_was_spooled_are_the_same_after_a_kill) {
  start();
  add(0, 3);
  std::string first = attempt();
  ASSERT_TRUE(first.starts_with("r0 r1 r2="));
  answer_first(Answer::retry("down"));
  run_until_acked(30);
  for (int kill = 0; kill < 2; ++kill) {
    start();
    EXPECT_EQ(attempt(), first);
  }
  answer_first(Answer::delivered());
  run_until_empty();
  EXPECT_EQ(sink_.history.back(), "r0 r1 r2");
}

TEST_F(SpooledKeys, are_the_same_also_where_some_of_it_came_from_the_journal) {
  limits_.linger = Milliseconds{60'000};
  start();
  add(0, 4);
  std::string first = attempt();
  add(4, 1);  // waits for more
  answer_first(Answer::retry("down"));
  add(5, 3);
  run_until_acked(80);
  run_until([this] { return !sink_.open_attempts.empty(); });
  EXPECT_EQ(attempt(), first);
  answer_first(Answer::delivered());
  const std::string second = attempt();
  EXPECT_TRUE(second.starts_with("r4 r5 r6 r7=")) << second;
  start();
  if (attempt() == first) answer_first(Answer::delivered());  // its position was not saved
  EXPECT_EQ(attempt(), second);
}

TEST_F(SpooledKeys, are_not_those_of_other_records_that_took_their_numbers) {
  auto tried_in_vain = [this](int first, const char* text) {
    start();
    add(first, 3);
    const std::string tried = attempt();
    EXPECT_TRUE(tried.starts_with(text)) << tried;
    answer_first(Answer::retry("down"));
    run_until([this] { return !sink_.open_attempts.empty(); });
    return tried.substr(tried.find('='));
  };
  tried_in_vain(0, "r0 r1 r2=");
  run_until_acked(30);
  answer_first(Answer::delivered());
  run_until_empty();
  change_journal("CREATE TRIGGER full BEFORE INSERT ON spool BEGIN SELECT RAISE(ABORT, 'no'); END");
  const std::string noted = tried_in_vain(3, "r3 r4 r5=");  // and no row of it is ever stored
  change_journal("DROP TRIGGER full");
  limits_.linger = Milliseconds{60'000};
  config_.spool.max_ack_hold = Milliseconds{10};
  start();
  add(10, 3);  // waits for more, and goes into the journal without having been tried
  run_until_acked(130);
  EXPECT_TRUE(sink_.open_attempts.empty());
  limits_.linger = Milliseconds{1};
  start();
  const std::string now = attempt();
  EXPECT_TRUE(now.starts_with("r10 r11 r12=")) << now;
  EXPECT_EQ(now.find(noted), std::string::npos) << now;
}

TEST_F(SpooledKeys, are_new_where_deliveries_have_other_limits_now) {
  start();
  add(0, 4);
  const std::string before = attempt();
  answer_first(Answer::retry("down"));
  run_until_acked(40);
  limits_.records = 2;
  start();
  const std::string now = attempt();
  EXPECT_TRUE(now.starts_with("r0 r1="));
  EXPECT_NE(now.substr(6), before.substr(12));
  answer_first(Answer::delivered());
  EXPECT_TRUE(attempt().starts_with("r2 r3="));
  EXPECT_NE(attempt().substr(6), before.substr(12));
}

}  // namespace
}  // namespace leat
