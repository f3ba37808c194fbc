// `window` with `session`.
#include <algorithm>
#include <map>

#include "state/state.h"
#include "transform/window_fixture.h"

namespace leat {
namespace {

class SessionWindow : public Window {};

TEST_F(SessionWindow, a_session_ends_when_nothing_has_come_for_its_gap) {
  window({{"session", session(30)}});
  EXPECT_EQ(give({{10}, {39.999}, {60}}), Lines{});
  EXPECT_EQ(give({{90}}), (Lines{R"({"n":3,"from":)" + clock(10) + R"(,"to":)" + clock(90) + "}"}));
  EXPECT_EQ(last_->records[0].time_us, 10 * kSecond);
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{60'000});
  EXPECT_EQ(end(), (Lines{R"({"n":1,"from":)" + clock(90) + R"(,"to":)" + clock(120) + "}"}));
}

TEST_F(SessionWindow, a_record_between_two_sessions_makes_them_one) {
  window({{"session", session(30)},
          {"lateness", int64_t{120'000}},
          {"set", Set{{"n", "count(*)"},
                      {"m", "avg(temp)"},
                      {"s", "stddev(temp)"},
                      {"most", "max(temp)"},
                      {"f", "first(temp)"},
                      {"l", "last(temp)"}}}});
  give({{10, temp("a", "2")}, {20, temp("a", "4")}, {60, temp("a", "5")}, {70, temp("a", "9")}});
  give({{40, temp("a", "5")}});
  EXPECT_EQ(end(), (Lines{R"({"n":5,"m":5,"s":2.5495097567963922,"most":9,"f":2,"l":9,"from":)" +
                          clock(10) + R"(,"to":)" + clock(100) + "}"}));
}

TEST_F(SessionWindow, a_late_record_counts_as_long_as_it_is_in_a_session_that_is_open) {
  window({{"session", session(30)}});
  give({{10}, {35}, {60}});
  EXPECT_EQ(give({{25}}), Lines{});  // alone it would have ended at 55
  EXPECT_EQ(transform_->dropped(), 0U);
  EXPECT_EQ(give({{200}}).size(), 1U);
  give({{150}});
  EXPECT_EQ(transform_->dropped(), 1U);
}

TEST_F(SessionWindow, sessions_come_early_and_in_turns_as_other_windows_do) {
  window({{"session", session(30)}, {"emitEarly", int64_t{1'000}}, {"key", Lines{"k"}}});
  for (int i = 0; i < 50; ++i) give({{i * 0.1, {number("k", std::to_string(i))}}});
  for (const bool at_end : {false, true}) {
    now_ += Milliseconds{1'000};
    if (at_end) transform_->state()->end_of_input();
    Lines results;
    size_t turns = 0;
    for (; transform_->state()->due() && *transform_->state()->due() <= now_; ++turns) {
      BatchRef batch = BatchRef::make(pool_, Content::kRecords);
      batch->quantum = 1000;
      const Lines given = run_now(batch);
      results.insert(results.end(), given.begin(), given.end());
      ASSERT_LT(turns, 51U);
    }
    EXPECT_GT(turns, 3U);
    EXPECT_EQ(results.size(), 50U);
    std::ranges::sort(results);
    EXPECT_EQ(std::ranges::unique(results).size(), 0U);
  }
}

TEST_F(SessionWindow, a_key_has_no_more_than_a_thousand_sessions_open) {
  window({{"session", session(1)}, {"lateness", int64_t{86'400'000}}});
  size_t early = 0;
  for (int i = 0; i < 1500; ++i) early += give({{2.0 * (i % 2 == 0 ? i : 3000 - i)}}).size();
  EXPECT_EQ(early, 500U);
  EXPECT_EQ(early + end().size(), 1500U);
}

// What each session must come to, made from the records alone: those of a key in their order, and
// wherever it is cut by a crash.
TEST_F(SessionWindow, sessions_are_what_the_same_records_come_to_elsewhere) {
  uint32_t random = 23;
  auto next = [&random](uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  const Items items{{"session", session(20)},
                    {"lateness", int64_t{100'000}},
                    {"key", Lines{"dev"}},
                    {"set", Set{{"n", "count(*)"}, {"sum", "sum(temp)"}, {"last", "last(temp)"}}}};
  std::vector<At> records;
  std::map<std::string, std::map<int64_t, int64_t>> of_device;  // time to value; no two have one
  for (int64_t i = 0; records.size() < 1500; ++i) {
    const int64_t at = 1000 + 3 * i - next(100);
    const std::string device = "d" + std::to_string(next(4));
    if (next(3) == 0 || !of_device[device].emplace(at, i).second) continue;
    records.push_back({static_cast<double>(at), temp(device, std::to_string(i))});
  }
  Lines expected;
  for (const auto& [device, values] : of_device) {
    for (auto it = values.begin(); it != values.end();) {
      const int64_t first = it->first;
      int64_t n = 0;
      int64_t sum = 0;
      int64_t last = first;
      int64_t value = 0;
      for (; it != values.end() && it->first < last + 20; ++it, ++n) {
        last = it->first;
        value = it->second;
        sum += value;
      }
      expected.push_back(R"({"dev":")" + device + R"(","n":)" + std::to_string(n) + R"(,"sum":)" +
                         std::to_string(sum) + R"(,"last":)" + std::to_string(value) +
                         R"(,"from":)" + clock(first) + R"(,"to":)" + clock(last + 20) + "}");
    }
  }
  std::ranges::sort(expected);
  for (const bool crashes : {false, true}) {
    window(items);
    Lines results;
    std::vector<std::string> log;
    for (size_t i = 0; i < records.size();) {
      const size_t n = std::min<size_t>(1 + next(30), records.size() - i);
      const Lines given = give({records.begin() + i, records.begin() + i + n});
      results.insert(results.end(), given.begin(), given.end());
      i += n;
      if (!crashes) continue;
      if (log.size() > 8) log.clear();
      const bool everything = log.empty();
      transform_->state()->save(log.emplace_back(), everything);
      if (next(3) > 0) continue;
      window(items);
      for (const std::string& row : log) ASSERT_TRUE(transform_->state()->load(row));
    }
    EXPECT_EQ(transform_->dropped(), 0U);
    EXPECT_GT(results.size(), 20U);
    const Lines rest = end();
    results.insert(results.end(), rest.begin(), rest.end());
    std::ranges::sort(results);
    EXPECT_EQ(results, expected) << crashes;
  }
}

}  // namespace
}  // namespace leat
