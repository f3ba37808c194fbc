#include "delivery/linger.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace leat {
namespace {

class LingerTest : public testing::DelivererTest {
 protected:
  LingerTest() {
    limits_ = {
        .records = 100, .bytes = 1 << 20, .linger = Milliseconds{200}, .spacing = Milliseconds{5}};
  }

  // What the sink was given until now.
  const std::vector<std::string>& given_to_sink() const { return sink_.history; }
  // The sink answers, and the slot is free again.
  void delivered(const std::string& records) {
    const size_t acknowledged = source_.acks.size();
    answer(records, Answer::delivered());
    testing::run_until(loop_, [this, acknowledged] { return source_.acks.size() > acknowledged; });
  }
  using Given = std::vector<std::string>;
};

TEST_F(LingerTest, an_idle_sink_is_not_kept_waiting) {
  make();
  add(0, 1);
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
}

TEST_F(LingerTest, what_comes_together_goes_together) {
  make();
  add(0, 1);
  add(1, 1);
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(given_to_sink(), Given{"r0 r1"});
}

TEST_F(LingerTest, while_the_sink_is_at_work_more_is_collected) {
  make(2);
  add(0, 1);
  loop_.advance(Milliseconds{1});
  add(1, 1);
  loop_.advance(Milliseconds{50});
  add(2, 1);
  loop_.advance(Milliseconds{50});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
  delivered("r0");
  EXPECT_EQ(given_to_sink(), (Given{"r0", "r1 r2"}));
}

TEST_F(LingerTest, where_a_slot_is_free_it_lingers_no_longer_than_that_all_the_same) {
  make(2);
  add(0, 1);
  loop_.advance(Milliseconds{1});
  add(1, 1);
  loop_.advance(Milliseconds{199});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(given_to_sink(), (Given{"r0", "r1"}));
}

TEST_F(LingerTest, deliveries_that_are_not_full_begin_a_spacing_apart) {
  make();
  add(0, 1);
  loop_.advance(Milliseconds{1});
  delivered("r0");
  add(1, 1);
  loop_.advance(Milliseconds{4});
  add(2, 1);
  EXPECT_EQ(given_to_sink(), Given{"r0"});
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(given_to_sink(), (Given{"r0", "r1 r2"}));
}

// A file that is being read, what a chain has not come to yet, a row of the journal.
TEST_F(LingerTest, an_idle_sink_is_kept_waiting_while_more_of_the_input_is_here) {
  make();
  more_waits_ = true;
  add(0, 1);
  loop_.advance(Milliseconds{50});
  EXPECT_TRUE(given_to_sink().empty());
  more_waits_ = false;
  loop_.advance(Milliseconds{5});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
}

TEST_F(LingerTest, but_not_for_longer_than_it_lingers) {
  make();
  more_waits_ = true;
  add(0, 1);
  loop_.advance(Milliseconds{200});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
}

TEST_F(LingerTest, a_full_one_waits_for_nothing) {
  limits_.records = 2;
  make(3);
  more_waits_ = true;
  add(0, 4);
  EXPECT_EQ(given_to_sink(), (Given{"r0 r1", "r2 r3"}));
}

TEST_F(LingerTest, without_a_spacing_it_lingers_though_the_sink_is_idle) {
  limits_.spacing = Milliseconds{0};
  make();
  add(0, 1);
  loop_.advance(Milliseconds{199});
  EXPECT_TRUE(given_to_sink().empty());
  loop_.advance(Milliseconds{1});
  EXPECT_EQ(given_to_sink(), Given{"r0"});
}

}  // namespace
}  // namespace leat
