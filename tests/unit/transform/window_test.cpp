#include <algorithm>
#include <cmath>
#include <map>

#include "state/state.h"
#include "transform/window_fixture.h"

namespace leat {
namespace {

TEST_F(Window, gives_a_window_when_time_has_come_to_its_end) {
  window();
  EXPECT_EQ(give({{0}, {30}, {59.999999}}), Lines{});
  EXPECT_EQ(give({{60}, {61}}), Lines{minute(0, 3)});
  EXPECT_EQ(last_->records[0].time_us, 0);
  EXPECT_EQ(last_->records[0].end_offset, 200U);
  EXPECT_EQ(give({{200}}), Lines{minute(1, 2)});
  EXPECT_EQ(end(), Lines{minute(3, 1)});
}

TEST_F(Window, lateness_keeps_a_window_open_and_what_comes_later_is_dropped) {
  window({{"lateness", int64_t{5'000}}});
  EXPECT_EQ(give({{10}, {64.9}, {59}}), Lines{});
  EXPECT_EQ(give({{65}, {59.9}}), Lines{minute(0, 2)});
  EXPECT_EQ(transform_->dropped(), 1U);
  EXPECT_EQ(end(), Lines{minute(1, 2)});
}

TEST_F(Window, how_late_a_record_is_does_not_depend_on_where_batches_begin) {
  for (bool apart : {false, true}) {
    window();
    if (apart) {
      give({{10}, {61}});
      give({{11}});
    } else {
      give({{10}, {61}, {11}});
    }
    EXPECT_EQ(transform_->dropped(), 1U);
  }
}

class CorrectedWindow : public Window {
 protected:
  void correcting(Items items = {}) {
    items.emplace("late", std::string("emit"));
    window(items);
  }
  static std::string first(int from, int n) { return with(minute(from, n), "false"); }
  static std::string corrected(int from, int n) { return with(minute(from, n), "true"); }

 private:
  static std::string with(const std::string& json, const char* correction) {
    return json.substr(0, json.size() - 1) + ",\"windowCorrection\":" + correction + "}";
  }
};

TEST_F(CorrectedWindow, a_late_record_gives_the_result_once_more) {
  correcting();
  EXPECT_EQ(give({{10}, {61}}), Lines{first(0, 1)});
  EXPECT_EQ(give({{11}}), Lines{corrected(0, 2)});
  EXPECT_EQ(give({{12}, {62}, {13}}), (Lines{corrected(0, 3), corrected(0, 4)}));
  EXPECT_EQ(transform_->dropped(), 0U);
  EXPECT_EQ(end(), Lines{first(1, 2)});
}

TEST_F(CorrectedWindow, what_is_given_does_not_depend_on_where_batches_begin) {
  correcting();
  EXPECT_EQ(give({{10}, {61}, {11}}), (Lines{first(0, 1), corrected(0, 2)}));
  EXPECT_EQ(give({{130}, {62}, {12}}), (Lines{first(1, 1), corrected(1, 2), corrected(0, 3)}));
}

TEST_F(CorrectedWindow, a_key_whose_first_record_is_late_has_a_result_too) {
  correcting({{"key", Lines{"dev"}}, {"correctionField", std::string("again")}});
  EXPECT_EQ(give({{61, {text("dev", "a")}}}), Lines{});
  EXPECT_EQ(give({{10, {text("dev", "b")}}}), Lines{R"({"dev":"b","n":1,"from":)" + clock(0) +
                                                    R"(,"to":)" + clock(60) + R"(,"again":true})"});
}

TEST_F(CorrectedWindow, after_correct_for_late_records_are_dropped_and_nothing_is_kept) {
  correcting({{"correctFor", int64_t{120'000}}, {"lateness", int64_t{1'000}}});
  EXPECT_EQ(give({{10}, {180.9}}), Lines{first(0, 1)});
  EXPECT_EQ(give({{11}}), Lines{corrected(0, 2)});
  EXPECT_EQ(give({{181}, {12}}), Lines{});
  EXPECT_EQ(transform_->dropped(), 1U);
  EXPECT_EQ(end(), Lines{first(3, 2)});
  EXPECT_LT(transform_->state()->all_bytes(), 10U);
}

TEST_F(CorrectedWindow, each_of_the_windows_that_overlap_is_corrected) {
  correcting({{"slide", int64_t{30'000}}});
  give({{10}, {50}, {200}});
  const Lines again = give({{40}});
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[1], corrected(0, 3));
}

TEST_F(CorrectedWindow, is_corrected_where_it_was_saved_and_not_given_twice) {
  const Items items{{"set", Set{{"n", "count(*)"}, {"l", "last(v)"}}}};
  correcting(items);
  give({{10, {number("v", "1")}}, {61, {number("v", "2")}}});
  std::vector<std::string> log(1);
  transform_->state()->save(log[0], true);
  EXPECT_EQ(give({{11, {number("v", "3")}}})[0].substr(0, 14), R"({"n":2,"l":3,")");
  transform_->state()->save(log.emplace_back(), false);
  correcting(items);
  for (const std::string& row : log) ASSERT_TRUE(transform_->state()->load(row));
  EXPECT_EQ(give({{62, {number("v", "4")}}}), Lines{});
  EXPECT_EQ(give({{12, {number("v", "5")}}})[0].substr(0, 14), R"({"n":3,"l":5,")");
  const Lines last = end();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].substr(0, 14), R"({"n":2,"l":4,")");
}

TEST_F(CorrectedWindow, those_that_are_kept_go_first_for_want_of_room) {
  correcting({{"key", Lines{"dev"}}, {"maxKeys", int64_t{2}}});
  EXPECT_EQ(give({{10, {text("dev", "a")}}, {61, {text("dev", "a")}}}).size(), 1U);
  EXPECT_EQ(give({{62, {text("dev", "b")}}}), Lines{}) << "its result was given";
  EXPECT_EQ(transform_->state()->evicted(), 1U);
  EXPECT_EQ(end().size(), 2U);
}

TEST_F(CorrectedWindow, early_results_are_no_corrections_and_the_final_one_comes_all_the_same) {
  correcting({{"emitEarly", int64_t{10'000}}});
  give({{1}});
  now_ += Milliseconds{10'000};
  EXPECT_EQ(tick(), Lines{first(0, 1)});
  EXPECT_EQ(give({{61}}), Lines{first(0, 1)});
  EXPECT_EQ(give({{2}}), Lines{corrected(0, 2)});
  now_ += Milliseconds{10'000};
  EXPECT_EQ(tick(), Lines{first(1, 1)});
}

TEST_F(CorrectedWindow, much_that_is_corrected_comes_in_turns) {
  correcting({{"key", Lines{"dev"}}});
  std::vector<At> early;
  std::vector<At> late;
  for (int i = 0; i < 100; ++i) {
    early.push_back({1, {text("dev", std::to_string(i))}});
    late.push_back({2, {text("dev", std::to_string(i))}});
  }
  early.push_back({61, {text("dev", "x")}});
  EXPECT_EQ(give(early).size(), 100U);
  std::vector<TestRecord> records;
  for (const At& one : late) records.push_back(one.fields);
  BatchRef batch = batch_of(records);
  for (Record& record : batch->records) record.time_us = 2 * kSecond;
  size_t given = 0;
  const std::vector<size_t> turns = run_in_turns(batch, 1000);
  for (const size_t one : turns) given += one;
  EXPECT_EQ(given, 100U);
  EXPECT_GT(turns.size(), 5U);
}

TEST_F(CorrectedWindow, is_for_windows_of_a_fixed_length) {
  const Items set{{"set", Set{{"n", "count(*)"}}}};
  Items items = set;
  items.emplace("session", session(60));
  items.emplace("late", std::string("emit"));
  EXPECT_NE(refusal("window", items).find("t.late: emit is for windows of a fixed length"),
            std::string::npos);
  items = set;
  items.emplace("every", int64_t{60'000});
  items.emplace("correctFor", int64_t{60'000});
  EXPECT_NE(refusal("window", items).find("t.correctFor: is only for late emit"),
            std::string::npos);
}

TEST_F(Window, late_records_are_dead_letters_where_that_is_asked_for) {
  window({{"late", std::string("deadLetter")}});
  give({{61}, {11, {number("x", "5")}}});
  EXPECT_EQ(dead_.records, Lines{R"({"x":5})"});
  EXPECT_EQ(dead_.reasons, Lines{"late: its window is closed"});
  EXPECT_EQ(transform_->dropped(), 0U);
}

TEST_F(Window, counts_for_each_key_what_sql_would) {
  window({{"key", Lines{"dev"}},
          {"set", Set{{"mean", "avg(temp)"},
                      {"all", "count(*)"},
                      {"some", " count( temp ) "},
                      {"least", "min(temp)"},
                      {"most", "max(\"temp\")"},
                      {"sum", "sum(temp)"},
                      {"sd", "stddev(temp)"}}}});
  give({{1, temp("a", "2")},
        {2, temp("b", "1.5")},
        {3, temp("a", "4")},
        {4, {text("dev", "a"), plain("temp", Type::kNull)}},
        {5, {text("dev", "a")}},
        {6, temp("b", "2")},
        {7, {text("dev", "c"), text("temp", "hot")}}});
  const std::string span = R"("from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:01:00Z"})";
  EXPECT_EQ(
      end(),
      (Lines{
          R"({"dev":"a","mean":3,"all":4,"some":2,"least":2,"most":4,"sum":6,"sd":1.4142135623730951,)" +
              span,
          R"({"dev":"b","mean":1.75,"all":2,"some":2,"least":1.5,"most":2,"sum":3.5,"sd":0.3535533905932738,)" +
              span,
          R"({"dev":"c","mean":null,"all":1,"some":1,"least":null,"most":null,"sum":null,"sd":null,)" +
              span}));
}

TEST_F(Window, sums_of_whole_numbers_are_exact_as_long_as_they_can_be) {
  window({{"set", Set{{"s", "sum(x)"}}}});
  give({{1, {number("x", "9223372036854775806")}}, {2, {number("x", "1")}}});
  EXPECT_EQ(end()[0].substr(0, 25), R"({"s":9223372036854775807,)");
  give({{1, {number("x", "9223372036854775807")}}, {2, {number("x", "1")}}});
  EXPECT_EQ(end()[0].substr(0, 15), R"({"s":9223372036)");
}

TEST_F(Window, first_and_last_are_by_event_time_and_of_any_type) {
  window({{"set", Set{{"f", "first(x)"}, {"l", "last(x)"}, {"g", "last(y)"}}}});
  give({{20, {text("x", "b")}},
        {10, {typed("x", Type::kJson, "[1]")}},
        {15, {number("x", "1.50")}}});
  give({{30, {boolean("x", true), plain("y", Type::kTime, 5)}}, {25, {text("x", "late")}}});
  EXPECT_EQ(end()[0].substr(0, 57), R"({"f":[1],"l":true,"g":"1970-01-01T00:00:00.000005Z","from)");
}

TEST_F(Window, percentiles_are_between_the_numbers_and_beside_what_is_kept_of_others) {
  window({{"set", Set{{"m", "median(x)"},
                      {"l", "last(s)"},
                      {"p", "percentile( x , 0.9)"},
                      {"q", "percentile(y, 0.25)"}}}});
  for (int i = 0; i <= 1000; ++i)
    give({{i * 0.05, {number("x", std::to_string(i * 7 % 1001)), text("s", std::to_string(i))}}});
  give({{55, {text("x", "hot"), plain("y", Type::kNull)}}});
  const std::string result = end()[0];
  EXPECT_EQ(result.substr(0, 5), R"({"m":)");
  EXPECT_NEAR(std::stod(result.substr(5)), 500, 10);
  EXPECT_NEAR(std::stod(result.substr(result.find("\"p\":") + 4)), 900, 6);
  EXPECT_NE(result.find(R"("l":"1000")"), std::string::npos) << result;
  EXPECT_NE(result.find(R"("q":null)"), std::string::npos) << result;
  give({{1, {number("x", "1")}}, {2, {number("x", "2")}}, {3, {number("y", "4")}}});
  EXPECT_EQ(end()[0].substr(0, 30), R"({"m":1.5,"l":null,"p":1.9,"q":)");
}

TEST_F(Window, percentiles_survive_a_crash_and_the_joining_of_sessions) {
  const Items items{
      {"session", session(30)},
      {"lateness", int64_t{600'000}},
      {"set", Set{{"m", "median(temp)"}, {"f", "first(temp)"}, {"n", "count(temp)"}}}};
  window(items);
  std::vector<std::string> log;
  for (int i = 0; i < 600; ++i) {
    if (i != 300) give({{i * 0.1 + (i > 300 ? 40 : 0), temp("a", std::to_string(i))}});
    if (i % 50 != 0) continue;
    transform_->state()->save(log.emplace_back(), log.size() == 1);
    window(items);
    for (const std::string& row : log) ASSERT_TRUE(transform_->state()->load(row));
  }
  EXPECT_EQ(transform_->state()->identity(),
            R"(window session 30000 ms, median("temp"), first("temp"), count("temp"))");
  give({{50, temp("a", "300")}});
  const std::string result = end()[0];
  EXPECT_NEAR(std::stod(result.substr(5)), 299.5, 6) << result;
  EXPECT_NE(result.find(R"("f":0,"n":600,)"), std::string::npos) << result;
}

TEST_F(Window, having_leaves_results_out) {
  window({{"key", Lines{"dev"}}, {"having", std::string("n > 1 AND dev <> 'b'")}});
  give({{1, temp("a", "1")},
        {2, temp("a", "1")},
        {3, temp("b", "1")},
        {4, temp("b", "1")},
        {5, temp("c", "1")}});
  const Lines results = end();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].substr(0, 18), R"({"dev":"a","n":2,")");
}

TEST_F(Window, the_partition_that_is_furthest_behind_counts_as_long_as_it_is_not_silent) {
  window({{"idle", int64_t{60'000}}});
  give({{10}}, 1);
  EXPECT_EQ(give({{70}}, 2), Lines{});
  EXPECT_EQ(give({{20}}, 1), Lines{});
  EXPECT_EQ(give({{65}}, 1), Lines{minute(0, 2)});
  now_ += Milliseconds{59'999};
  EXPECT_EQ(give({{190}}, 2), Lines{});
  now_ += Milliseconds{1};
  EXPECT_EQ(give({{191}}, 2), (Lines{minute(1, 2)}));
  EXPECT_EQ(give({{100}}, 1), Lines{});
  EXPECT_EQ(transform_->dropped(), 1U);
}

TEST_F(Window, a_partition_that_has_ended_holds_nobody_back) {
  window();
  give({{10}}, 1);
  give({{70}}, 2);
  EXPECT_EQ(give({}, 1, true), Lines{});
  EXPECT_EQ(give({{71}}, 2), Lines{minute(0, 1)});
}

TEST_F(Window, when_nothing_comes_any_more_time_goes_on_with_the_clock) {
  window({{"idle", int64_t{10'000}}, {"lateness", int64_t{2'000}}});
  give({{50}});
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{12'000});
  now_ += Milliseconds{11'999};
  EXPECT_EQ(tick(), Lines{});
  now_ += Milliseconds{1};
  EXPECT_EQ(tick(), Lines{minute(0, 1)});
  EXPECT_EQ(transform_->state()->due(), std::nullopt);
  give({{61}});
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{61'000});
}

TEST_F(Window, many_results_come_in_turns) {
  window({{"key", Lines{"k"}}});
  std::vector<At> records;
  for (int i = 0; i < 100; ++i) records.push_back({1, {number("k", std::to_string(i))}});
  give(records);
  transform_->state()->end_of_input();
  size_t turns = 0;
  size_t results = 0;
  while (transform_->state()->due()) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    batch->quantum = 1000;
    results += run_now(batch).size();
    ++turns;
    ASSERT_LT(turns, 101U);
  }
  EXPECT_EQ(results, 100U);
  EXPECT_GT(turns, 5U);
}

TEST_F(Window, behind_the_end_of_its_input_it_begins_anew) {
  window();
  give({{1000}});
  EXPECT_EQ(end().size(), 1U);
  give({{10}});
  EXPECT_EQ(end(), Lines{minute(0, 1)});
  EXPECT_EQ(transform_->dropped(), 0U);
}

TEST_F(Window, at_the_bound_the_result_of_the_oldest_comes_early) {
  window({{"key", Lines{"k"}}, {"maxKeys", int64_t{2}}});
  const Lines early = give({{70, {number("k", "1")}},
                            {71, {number("k", "2")}},
                            {72, {number("k", "3")}},
                            {73, {number("k", "1")}}});
  ASSERT_EQ(early.size(), 2U);
  EXPECT_EQ(transform_->state()->evicted(), 2U);
  EXPECT_EQ(early[0].substr(0, 14), R"({"k":1,"n":1,")");
  EXPECT_EQ(last_->records[0].end_offset, 400U);
  EXPECT_EQ(end().size(), 2U);
}

TEST_F(Window, what_grows_under_keys_that_are_there_stays_within_half_of_the_memory) {
  window({{"key", Lines{"k"}}, {"set", Set{{"x", "last(v)"}}}});
  Budget small(1 << 20);
  size_t early = 0;
  for (const size_t size : {size_t{1}, size_t{4'000}}) {
    const std::string value(size, 'x');
    for (int k = 0; k < 200; ++k) {
      BlockPool pool(small);
      BatchRef batch = BatchRef::make(pool, Content::kRecords);
      batch->adopt(std::make_shared<const Shape>(std::vector<std::string_view>{"k", "v"}));
      Record record{.shape = batch->shapes().back().get()};
      record.values = batch->arena.array<Value>(2);
      record.values[0] = Value::of_integer(k);
      record.values[1] = Value::of_text(Type::kString, value);
      record.time_us = 70 * kSecond;
      batch->records.push_back(record);
      batch->acknowledger = &source_;
      early += run_now(batch).size();
      ASSERT_LE(transform_->held(), (size_t{1} << 19) + 128 * 1024);
      last_.reset();  // it is of this pool
    }
  }
  EXPECT_GT(early, 0U);
  EXPECT_TRUE(dead_.records.empty());
  EXPECT_GE(early + end().size(), 200U);
}

TEST_F(Window, or_the_record_with_another_key_is_a_dead_letter) {
  window({{"key", Lines{"k"}}, {"maxKeys", int64_t{1}}, {"atBound", std::string("deadLetter")}});
  give({{1, {number("k", "1")}}, {2, {number("k", "2")}}, {3, {number("k", "1")}}});
  EXPECT_EQ(dead_.records, Lines{R"({"k":2})"});
  EXPECT_EQ(end()[0].substr(0, 14), R"({"k":1,"n":2,")");
}

TEST_F(Window, wherever_it_is_cut_by_a_crash_the_results_are_the_same) {
  const Items items{{"key", Lines{"dev"}},
                    {"lateness", int64_t{5'000}},
                    {"set", Set{{"a", "avg(temp)"}, {"l", "last(temp)"}, {"n", "count(*)"}}}};
  std::vector<At> records;
  uint32_t random = 7;
  auto next = [&random](uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  for (int i = 0; i < 2000; ++i)
    records.push_back(
        {i * 0.5 - next(8), temp("d" + std::to_string(next(9)), std::to_string(next(100)))});
  auto all = [&](bool crashes) {
    Lines out;
    std::vector<std::string> log;
    window(items);
    source_.shift = 0;
    for (size_t i = 0; i < records.size();) {
      const size_t n = std::min<size_t>(1 + next(50), records.size() - i);
      const Lines given = give({records.begin() + i, records.begin() + i + n}, 3 - source_.shift);
      out.insert(out.end(), given.begin(), given.end());
      i += n;
      if (!crashes) continue;
      if (log.size() > 10) log.clear();
      const bool everything = log.empty();
      transform_->state()->save(log.emplace_back(), everything);
      if (next(3) > 0) continue;
      window(items);
      source_.shift = next(4);  // its number is another one; its name is not
      for (const std::string& row : log) EXPECT_TRUE(transform_->state()->load(row));
    }
    const Lines rest = end();
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
  };
  const Lines expected = all(false);
  EXPECT_GT(expected.size(), 100U);
  EXPECT_EQ(all(true), expected);
}

TEST_F(Window, another_length_is_another_state_and_lateness_is_not) {
  window();
  const std::string identity = transform_->state()->identity();
  window({{"lateness", int64_t{1}}, {"having", std::string("n > 0")}});
  EXPECT_EQ(transform_->state()->identity(), identity);
  window({{"every", int64_t{1'000}}});
  EXPECT_NE(transform_->state()->identity(), identity);
  window({{"set", Set{{"n", "count(x)"}}}});
  EXPECT_NE(transform_->state()->identity(), identity);
}

// What each window must come to, made from the records alone.
TEST_F(Window, windows_that_overlap_are_what_the_same_records_come_to_elsewhere) {
  for (const auto& [slide, late_by] :
       std::vector<std::pair<int64_t, uint32_t>>{{20, 0}, {20, 30}, {7, 90}, {25, 300}, {60, 90}}) {
    window({{"slide", slide * 1000},
            {"lateness", int64_t{30'000}},
            {"key", Lines{"dev"}},
            {"set", Set{{"n", "count(*)"}, {"sum", "sum(temp)"}, {"last", "last(temp)"}}}});
    std::map<std::pair<int64_t, std::string>, std::vector<std::pair<int64_t, int64_t>>> expected;
    Lines results;
    uint64_t dropped = 0;
    int64_t time = INT64_MIN / 2;
    uint32_t random = 11;
    auto next = [&random](uint32_t below) {
      random = random * 1664525 + 1013904223;
      return (random >> 8) % below;
    };
    for (int64_t i = 0; i < 1000; ++i) {
      const int64_t at = 1000 + i - next(late_by + 1);
      const std::string device = "d" + std::to_string(next(3));
      time = std::max(time, at - 30);
      bool counts = false;
      for (int64_t start = at / slide * slide; start > at - 60; start -= slide) {
        if (start + 60 <= time) continue;
        expected[{start, device}].emplace_back(at, i);
        counts = true;
      }
      dropped += counts ? 0 : 1;
      const Lines given = give({{static_cast<double>(at), temp(device, std::to_string(i))}});
      results.insert(results.end(), given.begin(), given.end());
    }
    const Lines rest = end();
    results.insert(results.end(), rest.begin(), rest.end());
    Lines lines;
    for (const auto& [key, records] : expected) {
      int64_t sum = 0;
      std::pair<int64_t, int64_t> last{INT64_MIN, 0};
      for (const auto& record : records) {
        sum += record.second;
        if (record.first >= last.first) last = record;
      }
      lines.push_back("{\"dev\":\"" + key.second + "\",\"n\":" + std::to_string(records.size()) +
                      ",\"sum\":" + std::to_string(sum) +
                      ",\"last\":" + std::to_string(last.second) + ",\"from\":" + clock(key.first) +
                      ",\"to\":" + clock(key.first + 60) + "}");
    }
    std::ranges::sort(results);
    std::ranges::sort(lines);
    EXPECT_EQ(results, lines) << slide << ' ' << late_by;
    EXPECT_EQ(transform_->dropped(), dropped);
  }
}

TEST_F(Window, what_has_been_counted_so_far_comes_early_by_the_clock) {
  window({{"emitEarly", int64_t{10'000}}, {"idle", int64_t{600'000}}});
  EXPECT_EQ(give({{10}, {20}, {70}}), Lines{minute(0, 2)});
  EXPECT_EQ(give({{80}}), Lines{});
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{10'000});
  now_ += Milliseconds{10'000};
  EXPECT_EQ(tick(), Lines{minute(1, 2)});
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{10'000});
  EXPECT_EQ(give({{90}}), Lines{});
  now_ += Milliseconds{10'001};
  EXPECT_EQ(give({{95}}), Lines{minute(1, 4)});
  EXPECT_EQ(end(), Lines{minute(1, 4)});
}

TEST_F(Window, what_comes_early_comes_in_turns_and_each_once) {
  window({{"emitEarly", int64_t{1'000}}, {"key", Lines{"k"}}});
  for (int i = 0; i < 200; ++i) give({{i % 3 * 0.1 + 1, {number("k", std::to_string(i))}}});
  now_ += Milliseconds{1'000};
  Lines results;
  size_t turns = 0;
  for (; transform_->state()->due() <= now_; ++turns) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    batch->quantum = 1000;
    const Lines given = run_now(batch);
    results.insert(results.end(), given.begin(), given.end());
    ASSERT_LT(turns, 201U);
  }
  EXPECT_GT(turns, 10U);
  EXPECT_EQ(results.size(), 200U);
  std::ranges::sort(results);
  EXPECT_EQ(std::ranges::unique(results).size(), 0U);
}

TEST_F(Window, what_has_not_changed_since_does_not_come_early_again) {
  window({{"emitEarly", int64_t{10'000}}, {"key", Lines{"k"}}, {"idle", int64_t{600'000}}});
  auto early = [this] {
    now_ += Milliseconds{10'000};
    Lines out;
    for (const std::string& line : tick()) out.push_back(line.substr(0, 12));
    return out;
  };
  give({{1, {number("k", "1")}}, {2, {number("k", "2")}}});
  EXPECT_EQ(early(), (Lines{R"({"k":1,"n":1)", R"({"k":2,"n":1)"}));
  EXPECT_EQ(early(), Lines{});
  give({{3, {number("k", "2")}}});
  EXPECT_EQ(early(), Lines{R"({"k":2,"n":2)"});
  EXPECT_EQ(end().size(), 2U);  // what is final comes whether it is known or not
}

TEST_F(Window, functions_are_known_in_any_letters_and_names_with_any_in_quotes) {
  window({{"set", Set{{"a", "AVG( \"v*2\" )"}, {"b", "Count(*)"}, {"c", "max(\"a \"\"b\"\"\")"}}}});
  const std::string identity = transform_->state()->identity();
  EXPECT_EQ(identity, R"(window every 60000 ms by 60000 ms, avg("v*2"), count(*), max("a \"b\""))");
  give({{1, {number("v*2", "3"), number("a \"b\"", "7")}}});
  EXPECT_EQ(end()[0].substr(0, 20), R"({"a":3,"b":1,"c":7,")");
}

TEST_F(Window, refuses_what_cannot_be_counted) {
  auto refused = [this](Items items) {
    items.emplace("every", int64_t{1'000});
    items.emplace("set", Set{{"n", "count(*)"}});
    return refusal("window", items);
  };
  EXPECT_EQ(refused({{"set", Set{{"m", "mode(x)"}}}}),
            "t.set.m: must be one of avg, count, first, last, max, median, min, percentile, stddev "
            "and sum of a field (\"avg(temp)\"), or \"count(*)\"");
  for (const char* bad : {"percentile(x)", "percentile(x, 95)", "percentile(x, -0.1)",
                          "percentile(x, )", "percentile(x, 0.5 )1"})
    EXPECT_NE(refused({{"set", Set{{"m", bad}}}}), "") << bad;
  for (const char* bad : {"avg", "avg(x) + 1", "", "(x)", "avg(a.b, c)", "avg(-v)",
                          "avg(\"a\" + \"b\")", "count(DISTINCT d)", "avg(\"\")", "avg(\"a)"})
    EXPECT_NE(refused({{"set", Set{{"m", bad}}}}), "") << bad;
  EXPECT_EQ(refused({{"set", Set{{"m", "avg(v*2)"}}}}),
            "t.set.m: \"v*2\" is not the name of a field: compute it by a map before the window "
            "(\"set\": {\"x\": \"v * 2\"}), or put a name with such characters into double quotes");
  EXPECT_EQ(refused({{"set", Set{{"m", "avg(*)"}}}}), "t.set.m: lacks the name of a field");
  EXPECT_EQ(refused({{"key", Lines{"n"}}}), "t.set.n: a result would have the field \"n\" twice");
  for (const int64_t slide : {61'000, 59})
    EXPECT_EQ(
        refusal("window",
                {{"every", int64_t{60'000}}, {"slide", slide}, {"set", Set{{"n", "count(*)"}}}}),
        "t.slide: must not be longer than every, nor shorter than 1/1000 of it");
  const std::string both = refusal(
      "window",
      {{"every", int64_t{1'000}}, {"session", session(1)}, {"set", Set{{"n", "count(*)"}}}});
  EXPECT_EQ(both, "t.every: one of every and session is needed, and not both");
  EXPECT_EQ(refusal("window", {{"set", Set{{"n", "count(*)"}}}}), both);
  EXPECT_EQ(refused({{"key", Lines{"a", "a"}}}),
            "t.key: a result would have the field \"a\" twice");
  EXPECT_EQ(refused({{"endField", std::string("windowStart")}}),
            "t.endField: a result would have the field \"windowStart\" twice");
  EXPECT_EQ(refused({{"having", std::string("n >")}}).substr(0, 10), "t.having: ");
}

class WindowResults : public TransformTest {
 protected:
  // Of these values in one window, when it has closed.
  std::string of(const Lines& values, int64_t seconds = 0) {
    use("window",
        {{"every", int64_t{60'000}}, {"set", Options::Map{{"s", "sum(v)"}, {"m", "avg(v)"}}}});
    std::string out;
    for (const std::string& value : values) out += at(seconds, value);
    return out + at(seconds + 120, "0");
  }

 private:
  std::string at(int64_t seconds, const std::string& value) {
    BatchRef batch = batch_of({{number("v", value)}});
    batch->records[0].time_us = seconds * 1'000'000;
    std::string out;
    for (const std::string& line : run(batch)) out += line;
    return out;
  }
};

TEST_F(WindowResults, a_sum_is_right_that_goes_over_the_end_only_on_its_way) {
  EXPECT_TRUE(of({"9223372036854775807", "9223372036854775807", "-9223372036854775807",
                  "-9223372036854775800"})
                  .starts_with(R"({"s":7,"m":1.75,)"));
  EXPECT_TRUE(of({"-9223372036854775807", "-9223372036854775807", "9223372036854775807",
                  "9223372036854775800"})
                  .starts_with(R"({"s":-7,"m":-1.75,)"));
  EXPECT_TRUE(of({"1e308", "1e308", "-1e308"}).starts_with(R"({"s":1e+308,)"));
}

TEST_F(WindowResults, a_window_that_ends_behind_the_last_year_ends_there) {
  const std::string out = of({"1"}, 253'402'300'799);
  EXPECT_NE(out.find(R"("windowEnd":"9999-12-31T23:59:59.999999Z")"), std::string::npos) << out;
}

}  // namespace
}  // namespace leat
