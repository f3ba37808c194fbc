// `deadband` with `tolerance`, and `sample` with `pick` "last".
#include <cmath>

#include "state/state.h"
#include "transform/fixture.h"

namespace leat {
namespace {

struct Point {
  int64_t time_us;
  double value;
};

class Thinning : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;
  static constexpr int64_t kSecond = 1'000'000;

  void deadband(const std::string& tolerance, Items items = {}) {
    items.emplace("field", std::string("v"));
    items.emplace("tolerance", tolerance);
    use("deadband", items);
  }
  void last_of(int64_t span_ms, Items items = {}) {
    items.emplace("span", span_ms);
    items.emplace("pick", std::string("last"));
    use("sample", items);
  }

  // At these seconds; of the records that come out the value of "v".
  struct At {
    double seconds;
    std::string value;
  };
  Lines give(const std::vector<At>& points, const std::string& device = "a", bool last = false) {
    std::vector<TestRecord> records;
    for (const At& one : points) records.push_back({text("dev", device), number("v", one.value)});
    BatchRef batch = batch_of(records);
    batch->end.last = last;
    for (size_t i = 0; i < points.size(); ++i)
      batch->records[i].time_us = std::llround(points[i].seconds * 1e6);
    return values_of(run_now(std::move(batch)));
  }
  Lines tick() { return values_of(run_now(BatchRef::make(pool_, Content::kRecords))); }
  Lines end() {
    transform_->state()->end_of_input();
    if (!transform_->state()->due()) return {};
    EXPECT_EQ(transform_->state()->due(), Milliseconds{0});
    Lines out = tick();
    EXPECT_EQ(transform_->state()->due(), std::nullopt);
    return out;
  }
  Lines run_now(BatchRef batch) {
    transform_->state()->set_now(now_);
    return run(std::move(batch));
  }
  Lines values_of(const Lines& records) const {
    Lines out;
    for (const std::string& json : records) {
      const size_t at = json.find("\"v\":") + 4;
      out.push_back(json.substr(at, json.size() - at - 1));
    }
    return out;
  }
  std::string saved(bool all = true) {
    std::string out;
    transform_->state()->save(out, all);
    return out;
  }

  // What comes out of these, in batches of up to `most`, until the end.
  std::vector<Point> thinned(const std::vector<Point>& points, size_t most) {
    std::vector<Point> out;
    const auto collect = [&] {
      for (const Record& record : last_->records)
        out.push_back({record.time_us, real_of(record.values[0])});
    };
    for (size_t from = 0; from < points.size(); from += most) {
      const size_t to = std::min(from + most, points.size());
      Lines texts;
      for (size_t i = from; i < to; ++i) {
        char text[32];
        std::snprintf(text, sizeof(text), "%.17g", points[i].value);
        texts.emplace_back(text);
      }
      BatchRef batch = numbers("v", texts);
      for (size_t i = from; i < to; ++i) batch->records[i - from].time_us = points[i].time_us;
      run_now(batch);
      collect();
    }
    transform_->state()->end_of_input();
    while (transform_->state()->due()) {
      tick();
      collect();
    }
    return out;
  }

  Milliseconds now_{5'000'000};
};

// --- deadband by lines ------------------------------------------------------------------------

TEST_F(Thinning, of_a_straight_line_the_ends_pass) {
  deadband("0.1");
  EXPECT_EQ(give({{0, "0"}, {1, "1"}, {2, "2"}, {3, "3"}}), Lines{"0"});
  EXPECT_EQ(give({{4, "4"}, {5, "4"}, {6, "4"}}), Lines{"4"});
  EXPECT_EQ(end(), Lines{"4"});
  EXPECT_EQ(last_->records[0].time_us, 6 * kSecond);
}

TEST_F(Thinning, what_passes_is_the_record_that_was_held_as_it_was) {
  use("deadband", {{"field", std::string("v")}, {"tolerance", std::string("1")}});
  const TestRecord held{number("v", "44.50"),
                        typed("s", Type::kString, R"(a\nb)", Form::kText),
                        typed("j", Type::kJson, R"({"x":[1,2]})"),
                        typed("d", Type::kDecimal, "12345678901234567890.10", Form::kText),
                        plain("z", Type::kNull),
                        plain("t", Type::kTime, 1'760'000'000'000'000),
                        boolean("b", true)};
  EXPECT_EQ(
      run(batch_of({{number("v", "44")}, held, {number("v", "99")}})),
      (Lines{R"({"v":44})", R"({"v":44.50,"s":"a\nb","j":{"x":[1,2]},"d":12345678901234567890.10,)"
                            R"("z":null,"t":"2025-10-09T08:53:20Z","b":true})"}));
  EXPECT_EQ(last_->records[1].time_us, 1001);
  EXPECT_EQ(last_->records[1].end_offset, 300U) << "where the record ends that let it pass";
}

TEST_F(Thinning, what_was_held_has_the_types_that_it_had) {
  deadband("1");
  TestRecord held{number("v", "1")};
  for (Type type : {Type::kInteger, Type::kFloat, Type::kDecimal})
    held.push_back(typed(type_name(type), type, "5", Form::kText));
  const std::vector<Type> types{Type::kInteger, Type::kInteger, Type::kFloat, Type::kDecimal};
  EXPECT_EQ(run(batch_of({{number("v", "1")}, held})).size(), 1U);
  EXPECT_EQ(end().size(), 1U);
  for (size_t i = 0; i < types.size(); ++i)
    EXPECT_EQ(last_->records[0].values[i].type, types[i]) << i;
}

TEST_F(Thinning, many_shapes_cost_no_more_than_their_share) {
  deadband("1");
  for (int i = 0; i < 30'000; ++i)
    run(batch_of({{number("v", "1"), number("field " + std::to_string(i), "2")}}));
  EXPECT_LT(transform_->held(), 5U << 20) << "a sixteenth of the memory";
}

TEST_F(Thinning, what_is_no_number_ends_the_line_and_a_record_without_it_passes) {
  deadband("1");
  EXPECT_EQ(give({{0, "1"}, {1, "1"}}), Lines{"1"});
  EXPECT_EQ(run(batch_of({{text("dev", "a"), plain("v", Type::kNull)}})).size(), 1U)
      << "late, since its time is 1 ms";
  BatchRef broken = batch_of({{text("dev", "a"), text("v", "broken")}});
  broken->records[0].time_us = 2 * kSecond;
  EXPECT_EQ(values_of(run(broken)), (Lines{"1", "\"broken\""}));
  EXPECT_EQ(give({{3, "1"}, {4, "1"}, {5, "7"}}), (Lines{"1", "1"}));
  EXPECT_EQ(run(batch_of({{text("w", "x")}})), Lines{R"({"w":"x"})"});
}

TEST_F(Thinning, each_key_has_a_line_of_its_own) {
  deadband("0.5", {{"key", Lines{"dev"}}});
  EXPECT_EQ(give({{0, "1"}, {1, "1"}}, "a"), Lines{"1"});
  EXPECT_EQ(give({{0, "9"}, {1, "9"}}, "b"), Lines{"9"});
  EXPECT_EQ(give({{2, "5"}}, "a"), Lines{"1"});
  EXPECT_EQ(end(), (Lines{"9", "5"})) << "the one heard of longest ago first";
}

TEST_F(Thinning, one_that_comes_late_passes_and_changes_nothing) {
  deadband("0.1");
  EXPECT_EQ(give({{0, "0"}, {10, "10"}, {5, "77"}, {20, "20"}}), (Lines{"0", "77"}));
  EXPECT_EQ(end(), Lines{"20"});
}

TEST_F(Thinning, of_one_time_what_is_near_is_left_out) {
  deadband("0.5");
  EXPECT_EQ(give({{0, "1"}, {0, "1.4"}, {0, "3"}, {0, "3.1"}, {1, "3"}, {1, "3.2"}, {1, "9"}}),
            (Lines{"1", "3", "3.2", "9"}));
}

TEST_F(Thinning, at_least_so_often_by_event_time_one_passes) {
  deadband("1", {{"maxSilence", int64_t{60'000}}});
  EXPECT_EQ(give({{0, "1"}, {30, "1"}, {59.9, "1"}}), Lines{"1"});
  EXPECT_EQ(give({{60, "1"}, {61, "1"}, {150, "1"}}), (Lines{"1", "1"}));
  EXPECT_EQ(last_->records[0].time_us, 60 * kSecond);
  EXPECT_EQ(last_->records[1].time_us, 150 * kSecond);
}

TEST_F(Thinning, a_clock_that_was_ahead_does_not_silence_it) {
  deadband("1", {{"maxSilence", int64_t{60'000}}});
  EXPECT_EQ(give({{315'360'000, "1"}, {315'360'001, "1"}}), Lines{"1"});
  EXPECT_EQ(give({{0, "2"}, {1, "2"}}), (Lines{"1", "2"}));
  EXPECT_EQ(give({{2, "9"}}), Lines{"2"});
}

TEST_F(Thinning, what_is_held_passes_when_its_key_is_silent) {
  deadband("1", {{"maxSilence", int64_t{60'000}}, {"key", Lines{"dev"}}});
  EXPECT_EQ(transform_->state()->due(), std::nullopt);
  give({{0, "1"}, {1, "1.5"}}, "a");
  now_ += Milliseconds{10'000};
  give({{0, "2"}, {1, "2.5"}}, "b");
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{50'000});
  now_ += Milliseconds{50'000};
  EXPECT_EQ(tick(), Lines{"1.5"});
  EXPECT_EQ(transform_->state()->due(), now_ + Milliseconds{10'000});
  EXPECT_EQ(give({{2, "9"}}, "b"), Lines{"2.5"});
  EXPECT_EQ(give({{2, "1.5"}}, "a"), Lines());
}

TEST_F(Thinning, a_line_goes_on_where_it_was_saved) {
  deadband("0.1");
  EXPECT_EQ(give({{0, "0"}, {1, "1"}}), Lines{"0"});
  const std::string first = saved();
  EXPECT_EQ(give({{2, "2"}}), Lines());
  const std::string second = saved(false);
  now_ = Milliseconds{7};  // of another boot
  deadband("0.2");
  ASSERT_TRUE(transform_->state()->load(first));
  ASSERT_TRUE(transform_->state()->load(second));
  EXPECT_EQ(give({{3, "3"}, {4, "0"}}), Lines{"3"});
  EXPECT_EQ(end(), Lines{"0"});
}

TEST_F(Thinning, a_key_that_goes_for_want_of_room_gives_what_it_holds) {
  deadband("1", {{"key", Lines{"dev"}}, {"maxKeys", int64_t{1}}});
  EXPECT_EQ(give({{0, "1"}, {1, "1.5"}}, "a"), Lines{"1"});
  EXPECT_EQ(give({{0, "2"}}, "b"), (Lines{"1.5", "2"}));
  EXPECT_EQ(transform_->state()->evicted(), 1U);
}

TEST_F(Thinning, much_that_was_held_comes_in_turns) {
  deadband("1", {{"key", Lines{"dev"}}});
  for (int i = 0; i < 100; ++i) give({{0, "1"}, {1, "1.5"}}, "device " + std::to_string(i));
  transform_->state()->end_of_input();
  size_t turns = 0;
  size_t records = 0;
  for (; transform_->state()->due(); ++turns) {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    batch->quantum = 1000;
    records += run_now(batch).size();
  }
  EXPECT_EQ(records, 100U);
  EXPECT_GT(turns, 5U);
  EXPECT_EQ(give({{2, "1"}}, "device 1"), Lines()) << "and the lines go on";
}

// The bound: on the line through the records that pass, no other is farther away.
void expect_near(const std::vector<Point>& all, const std::vector<Point>& passed,
                 double tolerance) {
  ASSERT_FALSE(passed.empty());
  EXPECT_EQ(passed.front().time_us, all.front().time_us);
  EXPECT_EQ(passed.back().time_us, all.back().time_us);
  size_t at = 0;
  for (const Point& one : all) {
    while (at + 1 < passed.size() && passed[at + 1].time_us <= one.time_us) ++at;
    double line = passed[at].value;
    if (at + 1 < passed.size() && one.time_us > passed[at].time_us) {
      const double share = static_cast<double>(one.time_us - passed[at].time_us) /
                           static_cast<double>(passed[at + 1].time_us - passed[at].time_us);
      line += share * (passed[at + 1].value - line);
    }
    ASSERT_LE(std::abs(one.value - line), tolerance + 1e-12 * std::abs(one.value))
        << "at " << one.time_us;
  }
}

TEST_F(Thinning, no_value_that_was_left_out_is_farther_from_the_line_than_tolerance) {
  uint64_t random = 7;
  const auto dice = [&random] {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return random >> 33;
  };
  const auto share = [&dice] { return static_cast<double>(dice()) / (uint64_t{1} << 30) - 1; };
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const double tolerance = std::pow(10.0, round % 5 - 2);
    const double noise = tolerance * (round % 3 == 0 ? 0.8 : 3);
    std::vector<Point> all;
    int64_t time = 1'760'000'000'000'000;
    double level = 100 * share();
    for (int i = 0; i < 3000; ++i) {
      time += 1 + static_cast<int64_t>(dice() % 2'000'000);
      if (dice() % 50 == 0) level += 20 * tolerance * share();
      all.push_back({time, level + 5 * tolerance * std::sin(i / 30.0) + noise * share()});
    }
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", tolerance);
    use("deadband", {{"field", std::string("v")}, {"tolerance", std::string(text)}});
    const std::vector<Point> passed = thinned(all, 1 + dice() % 700);
    expect_near(all, passed, tolerance);
    if (noise < tolerance) {
      EXPECT_LT(passed.size(), all.size() / 2);
    }
  }
}

TEST_F(Thinning, the_bound_holds_where_the_plain_swinging_door_goes_beyond_it) {
  // A line fits between its doors up to the third point, but not the one to that point.
  use("deadband", {{"field", std::string("v")}, {"tolerance", std::string("1")}});
  const std::vector<Point> all{{0, 0}, {1'000'000, 1}, {2'000'000, -0.9}, {3'000'000, 9}};
  expect_near(all, thinned(all, 1), 1);
}

TEST_F(Thinning, tolerance_is_for_itself) {
  const auto with = [this](const std::string& option, Options::Item item) {
    return refusal(
        "deadband",
        {{"field", std::string("v")}, {"tolerance", std::string("1")}, {option, std::move(item)}});
  };
  EXPECT_EQ(with("maxSilence", int64_t{1000}), "");
  EXPECT_NE(with("absolute", std::string("1")).find("t.absolute: "), std::string::npos);
  EXPECT_NE(with("percent", std::string("1")).find("t.percent: "), std::string::npos);
  EXPECT_NE(with("changed", true).find("t.changed: "), std::string::npos);
  EXPECT_NE(refusal("deadband", {{"field", std::string("v")}, {"tolerance", std::string("x")}})
                .find("t.tolerance: must be a number that is not negative"),
            std::string::npos);
}

// --- the last of each span --------------------------------------------------------------------

TEST_F(Thinning, the_last_of_a_span_passes_when_the_span_is_over) {
  last_of(10'000);
  EXPECT_EQ(give({{0, "1"}, {9.9, "2"}}), Lines());
  EXPECT_EQ(give({{10, "3"}, {19, "4"}, {25, "5"}}), (Lines{"2", "4"}));
  EXPECT_EQ(last_->records[0].time_us, 9'900'000);
  EXPECT_EQ(give({{26, "6"}}, "a", true), Lines());
  EXPECT_EQ(end(), Lines{"6"});
}

TEST_F(Thinning, it_is_the_last_by_event_time_and_of_one_time_the_one_that_came_last) {
  last_of(10'000);
  EXPECT_EQ(give({{5, "1"}, {7, "2"}, {6, "3"}, {7, "4"}, {11, "5"}}), Lines{"4"});
  EXPECT_EQ(give({{9, "6"}, {12, "7"}, {20, "8"}}), Lines{"7"}) << "a span that is over is over";
}

TEST_F(Thinning, each_key_has_a_last_one) {
  last_of(10'000, {{"key", Lines{"dev"}}});
  EXPECT_EQ(give({{1, "1"}, {2, "2"}}, "a"), Lines());
  EXPECT_EQ(give({{1, "3"}, {2, "4"}}, "b"), Lines());
  EXPECT_EQ(give({{10, "5"}}, "c"), (Lines{"2", "4"}));
}

TEST_F(Thinning, when_nothing_comes_any_more_the_clock_ends_the_span) {
  last_of(10'000);
  EXPECT_EQ(give({{1, "1"}}), Lines());
  const auto due = transform_->state()->due();
  ASSERT_TRUE(due);
  EXPECT_EQ(*due, now_ + Milliseconds{60'000});
  now_ = *due;
  EXPECT_EQ(tick(), Lines{"1"});
  EXPECT_EQ(transform_->state()->due(), std::nullopt);
}

TEST_F(Thinning, the_last_of_a_span_is_saved) {
  last_of(10'000, {{"key", Lines{"dev"}}});
  give({{1, "1"}}, "a");
  const std::string first = saved();
  give({{2, "22222"}}, "a");
  const std::string second = saved(false);
  last_of(10'000, {{"key", Lines{"dev"}}});
  ASSERT_TRUE(transform_->state()->load(first));
  ASSERT_TRUE(transform_->state()->load(second));
  EXPECT_EQ(give({{10, "3"}}, "b"), Lines{"22222"});
  const std::string identity = transform_->state()->identity();
  use("sample", {{"span", int64_t{10'000}}, {"key", Lines{"dev"}}});
  EXPECT_NE(transform_->state()->identity(), identity) << "what is saved is something else";
}

TEST_F(Thinning, for_want_of_room_a_last_one_comes_early_or_is_a_dead_letter) {
  last_of(10'000, {{"key", Lines{"dev"}}, {"maxKeys", int64_t{1}}});
  EXPECT_EQ(give({{1, "1"}}, "a"), Lines());
  EXPECT_EQ(give({{1, "2"}}, "b"), Lines{"1"});
  last_of(10'000,
          {{"key", Lines{"dev"}}, {"maxKeys", int64_t{1}}, {"atBound", std::string("deadLetter")}});
  give({{1, "1"}}, "a");
  EXPECT_EQ(give({{1, "2"}}, "b"), Lines());
  EXPECT_EQ(dead_.records, Lines{R"({"dev":"b","v":2})"});
}

TEST_F(Thinning, last_is_for_spans_and_for_one_of_each) {
  EXPECT_NE(
      refusal("sample", {{"nth", int64_t{2}}, {"pick", std::string("last")}}).find("t.pick: "),
      std::string::npos);
  EXPECT_NE(refusal("sample",
                    {{"span", int64_t{1000}}, {"most", int64_t{2}}, {"pick", std::string("last")}})
                .find("t.most: "),
            std::string::npos);
}

}  // namespace
}  // namespace leat
