// A budget of bytes on a network, with a clock that the test moves and a meter that it fills.
#include "control/network_budget.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

// 2025-10-09T08:53:20Z, a Thursday, as the clock begins.
constexpr std::chrono::hours kDay{24};

BudgetConfig per_month(int64_t bytes, BudgetAction at80 = BudgetAction::kWarn) {
  BudgetConfig out;
  out.bytes = bytes;
  out.at80 = at80;
  return out;
}
BudgetConfig per_day(int64_t bytes) {
  BudgetConfig out = per_month(bytes);
  out.per = BudgetPeriod::kDay;
  return out;
}

class BudgetTest : public ::testing::Test {
 protected:
  BudgetTest() { open(); }
  ~BudgetTest() override { close(); }

  void open() {
    loop_ = std::make_unique<testing::HandLoop>(clock_);
    meter_ = std::make_unique<Meter>();
    Result<std::unique_ptr<Journal>> journal = Journal::open(folder_ / "journal.db", clock_);
    if (!journal) throw std::runtime_error(journal.error().message());
    journal_ = std::move(*journal);
    client_ = journal_->make_client(*loop_);
    journal_->start();
    budget_ = std::make_unique<NetworkBudget>(
        NetworkBudget::Setup{.loop = *loop_,
                             .journal = *client_,
                             .on_change =
                                 [this] {
                                   ++changes_;
                                   if (budget_ && budget_->why(false).empty()) ++lets_go_;
                                 },
                             .tell = [this](const std::string& text) { told_.push_back(text); },
                             .meter = *meter_,
                             .clock_is_right = [this] { return clock_is_right_; }});
    bool loaded = false;
    budget_->load([&loaded](const Status& status) { loaded = status.has_value(); });
    EXPECT_TRUE(testing::run_until(*loop_, [&loaded] { return loaded; }));
  }
  void close() {
    budget_.reset();
    client_.reset();
    journal_.reset();
    loop_.reset();
  }
  void kill_and_start(const BudgetConfig& config) {
    journaled();
    close();
    open();
    budget_->set(config);
  }
  // What was asked of the journal is there, and what the meter said was heard.
  void journaled() {
    bool there = false;
    client_->flush([&there] { there = true; });
    EXPECT_TRUE(testing::run_until(*loop_, [&there] { return there; }));
  }
  void use(size_t bytes) {
    meter_->add(bytes);
    journaled();
  }
  int64_t used() { return budget_->status()->used; }
  std::string holds() { return std::string(budget_->status()->holds); }

  testing::TempDir folder_;
  testing::FakeClock clock_;
  std::unique_ptr<testing::HandLoop> loop_;
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::unique_ptr<NetworkBudget> budget_;
  bool clock_is_right_ = true;
  int changes_ = 0;
  int lets_go_ = 0;  // changes at which nothing was held
  std::vector<std::string> told_;
};

TEST_F(BudgetTest, without_one_nothing_is_counted_or_held) {
  meter_->add(1'000);
  EXPECT_FALSE(budget_->status());
  EXPECT_EQ(budget_->why(false), "");
}

TEST_F(BudgetTest, is_warned_of_at_80_percent_and_holds_what_is_delivered_at_all_of_it) {
  budget_->set(per_month(10'000));
  use(7'999);
  EXPECT_TRUE(told_.empty());
  use(1);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_.back(), "80 % of the budget is used: 7.8 KiB of 9.8 KiB in this month");
  EXPECT_EQ(holds(), "nothing");
  use(1'999);
  EXPECT_EQ(budget_->why(true), "");
  use(1);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(budget_->why(true), "the budget of this month is used (agent.limits.budget)");
  EXPECT_EQ(holds(), "all");
  use(5'000);
  EXPECT_EQ(told_.size(), 2U) << "said once";
  EXPECT_EQ(used(), 15'000);
}

TEST_F(BudgetTest, only_what_is_of_high_priority_goes_on_where_it_says_so) {
  budget_->set(per_month(1'000, BudgetAction::kOnlyPriority));
  use(800);
  EXPECT_EQ(budget_->why(false), "80 % of the budget of this month is used (agent.limits.budget)");
  EXPECT_EQ(budget_->why(true), "");
  EXPECT_EQ(holds(), "lowPriority");
  use(200);
  EXPECT_NE(budget_->why(true), "");
}

TEST_F(BudgetTest, a_new_period_ends_what_was_held_at_its_time) {
  budget_->set(per_day(1'000));
  use(1'000);
  EXPECT_EQ(holds(), "all");
  loop_->advance(std::chrono::hours{15});
  EXPECT_NE(budget_->why(false), "");
  const int before = changes_;
  loop_->advance(std::chrono::minutes{7});  // it is midnight since 20 s
  EXPECT_EQ(budget_->why(false), "") << "nobody had to ask";
  EXPECT_GT(changes_, before);
  EXPECT_EQ(told_.back(), "the budget is there anew: 0 B of 1000 B in this day is used");
  EXPECT_EQ(used(), 0);
}

TEST_F(BudgetTest, while_nothing_is_used_nothing_wakes_and_nothing_is_written) {
  budget_->set(per_month(1'000'000));
  use(10);
  EXPECT_FALSE(loop_->next_due());
}

TEST_F(BudgetTest, what_was_used_is_known_after_a_kill_and_is_never_less) {
  const BudgetConfig config = per_month(100'000);
  budget_->set(config);
  use(12'345);
  kill_and_start(config);
  EXPECT_GE(used(), 12'345);
  EXPECT_LE(used(), 12'345 + 2 * 100) << "a thousandth more, for each start";
  const int64_t before = used();
  use(50);
  EXPECT_EQ(used(), before + 50);
  budget_->end();
  kill_and_start(config);
  EXPECT_EQ(used(), before + 50) << "to the byte, after an end in good order";
}

TEST_F(BudgetTest, what_was_used_up_stays_so_over_a_restart) {
  const BudgetConfig config = per_month(1'000);
  budget_->set(config);
  use(1'000);
  kill_and_start(config);
  EXPECT_NE(budget_->why(true), "");
}

TEST_F(BudgetTest, another_budget_counts_at_once) {
  budget_->set(per_month(1'000));
  use(1'000);
  EXPECT_EQ(holds(), "all");
  budget_->set(per_month(2'000));
  EXPECT_EQ(holds(), "nothing");
  EXPECT_EQ(used(), 1'000);
  budget_->set(std::nullopt);
  EXPECT_FALSE(budget_->status());
  budget_->set(per_day(2'000));
  EXPECT_EQ(used(), 0) << "of another period";
}

TEST_F(BudgetTest, a_clock_that_is_put_back_begins_no_new_period) {
  budget_->set(per_day(1'000));
  use(1'000);
  clock_is_right_ = false;
  clock_.step(-3 * kDay);
  EXPECT_EQ(holds(), "all");
  clock_.step(3 * kDay);
  EXPECT_EQ(holds(), "all");
  EXPECT_EQ(used(), 1'000) << "and nor does the way back";
}

TEST_F(BudgetTest, one_that_was_ahead_and_is_right_again_does_not_hold_it_for_ever) {
  budget_->set(per_day(1'000));
  clock_.step(1'000 * kDay);
  EXPECT_EQ(used(), 0);
  use(1'000);
  EXPECT_EQ(holds(), "all");
  clock_.step(-1'000 * kDay);
  EXPECT_EQ(holds(), "all") << "what was used is used";
  clock_.step(kDay);
  EXPECT_EQ(holds(), "nothing");
}

TEST_F(BudgetTest, a_clock_that_is_years_ahead_after_a_start_is_not_believed_at_once) {
  const BudgetConfig config = per_month(1'000);
  budget_->set(config);
  use(1'000);
  clock_is_right_ = false;
  clock_.step(1'000 * kDay);
  EXPECT_EQ(holds(), "all");
  loop_->advance(std::chrono::hours{2});
  EXPECT_EQ(holds(), "nothing") << "it may be right, and nobody says so";
}

TEST_F(BudgetTest, before_any_clock_is_right_it_counts_for_the_period_that_comes) {
  const auto before = std::chrono::microseconds(clock_.unix_us());
  clock_.step(-before);  // 1970
  budget_->set(per_month(1'000));
  use(400);
  EXPECT_EQ(budget_->status()->since_us, 0);
  clock_.step(before);
  EXPECT_EQ(used(), 400);
  EXPECT_GT(budget_->status()->since_us, 0);
}

std::string day(int64_t us) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(us)))};
  return std::to_string(static_cast<int>(date.year())) + "-" +
         std::to_string(static_cast<unsigned>(date.month())) + "-" +
         std::to_string(static_cast<unsigned>(date.day()));
}
std::string span(BudgetPeriod per, std::chrono::sys_days at, int first_day = 1) {
  BudgetConfig config;
  config.per = per;
  config.first_day = first_day;
  const BudgetSpan found = budget_span(
      config, std::chrono::microseconds(at.time_since_epoch()).count() + 12 * 3'600'000'000LL);
  return day(found.since_us) + " " + day(found.until_us);
}

TEST(BudgetSpan, is_a_day_a_week_or_a_month_from_its_first_day) {
  using namespace std::chrono;
  constexpr auto kMonth = BudgetPeriod::kMonth;
  constexpr auto kWeek = BudgetPeriod::kWeek;
  EXPECT_EQ(span(BudgetPeriod::kDay, sys_days{2024y / 2 / 29}), "2024-2-29 2024-3-1");
  EXPECT_EQ(span(kMonth, sys_days{2025y / 12 / 31}), "2025-12-1 2026-1-1");
  EXPECT_EQ(span(kMonth, sys_days{2026y / 1 / 1}), "2026-1-1 2026-2-1");
  EXPECT_EQ(span(kMonth, sys_days{2026y / 1 / 14}, 15), "2025-12-15 2026-1-15");
  EXPECT_EQ(span(kMonth, sys_days{2026y / 1 / 15}, 15), "2026-1-15 2026-2-15");
  EXPECT_EQ(span(kWeek, sys_days{2026y / 11 / 22}), "2026-11-16 2026-11-23") << "a Sunday";
  EXPECT_EQ(span(kWeek, sys_days{2026y / 11 / 23}), "2026-11-23 2026-11-30") << "a Monday";
}

TEST_F(BudgetTest, one_that_is_used_up_under_other_options_too_lets_nothing_go_in_between) {
  budget_->set(per_month(1'000));
  use(2'000);
  EXPECT_EQ(holds(), "all");
  lets_go_ = 0;
  budget_->set(per_month(1'001));
  EXPECT_EQ(holds(), "all");
  EXPECT_EQ(lets_go_, 0);
  budget_->set(per_month(10'000));
  EXPECT_EQ(holds(), "nothing");
  EXPECT_GT(lets_go_, 0);
}

TEST_F(BudgetTest, another_first_day_keeps_what_was_used_where_its_period_reaches_back_to_it) {
  BudgetConfig config = per_month(10'000);
  budget_->set(config);
  use(5'000);
  for (const int first : {5, 20, 1}) {  // it is the 9th
    config.first_day = first;
    budget_->set(config);
    EXPECT_EQ(used(), 5'000) << first;
  }
  clock_.advance(23 * kDay);  // 1 November
  EXPECT_EQ(used(), 0);
}

}  // namespace
}  // namespace leat
