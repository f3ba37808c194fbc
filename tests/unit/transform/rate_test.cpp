#include "state/state.h"
#include "transform/fixture.h"

namespace leat {
namespace {

class Rate : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;

  void rate(Items items = {}) {
    items.emplace("field", std::string("n"));
    use("rate", items);
  }
  // What is added to a reading at this many seconds, as JSON.
  std::string at(double seconds, const TestRecord& record) {
    BatchRef batch = batch_of({record});
    batch->records[0].time_us = static_cast<int64_t>(seconds * 1e6);
    const Lines out = run(batch);
    if (out.empty()) return "";
    const std::string before = [&] {
      std::string json;
      append_json(json, batch_of({record})->records[0]);
      return json;
    }();
    EXPECT_TRUE(out[0].starts_with(before.substr(0, before.size() - 1))) << out[0];
    return out[0].substr(before.size() - 1);
  }
  std::string at(double seconds, const std::string& n) { return at(seconds, {number("n", n)}); }
  static std::string gained(const std::string& difference, const std::string& rate) {
    return ",\"difference\":" + difference + ",\"rate\":" + rate + "}";
  }
  const std::string nothing_ = gained("null", "null");
};

TEST_F(Rate, gives_what_was_gained_since_the_reading_before_and_that_per_second) {
  rate();
  EXPECT_EQ(at(0, "100"), nothing_);
  EXPECT_EQ(at(10, "120"), gained("20", "2"));
  EXPECT_EQ(at(12, "120"), gained("0", "0"));
  EXPECT_EQ(at(14, "121.5"), gained("1.5", "0.75"));
  EXPECT_EQ(at(14, "122"), gained("0.5", "null"));
}

TEST_F(Rate, whole_numbers_are_exact) {
  rate();
  at(0, "9007199254740993");
  EXPECT_EQ(at(1, "9007199254740995"), gained("2", "2"));
}

TEST_F(Rate, each_key_is_a_counter_by_itself) {
  rate({{"key", Lines{"dev"}}, {"per", int64_t{3'600'000}}});
  EXPECT_EQ(at(0, {text("dev", "a"), number("n", "1")}), nothing_);
  EXPECT_EQ(at(1, {text("dev", "b"), number("n", "50")}), nothing_);
  EXPECT_EQ(at(2, {text("dev", "a"), number("n", "2")}), gained("1", "1800"));
  EXPECT_EQ(at(2, {text("dev", "b"), number("n", "52")}), gained("2", "7200"));
}

TEST_F(Rate, a_counter_with_less_than_before_began_anew_or_wrapped) {
  rate();
  at(0, "65530");
  EXPECT_EQ(at(1, "10"), gained("10", "10"));
  rate({{"wrap", int64_t{65536}}});
  at(0, "65530");
  EXPECT_EQ(at(1, "10"), gained("16", "16"));
  EXPECT_EQ(at(2, "40000"), gained("39990", "39990"));
  EXPECT_EQ(at(3, "30000"), gained("30000", "30000"));
  at(4, "65530.5");
  EXPECT_EQ(at(5, "10"), gained("15.5", "15.5"));
}

TEST_F(Rate, a_counter_wraps_behind_what_its_bits_can_hold) {
  rate({{"bits", int64_t{16}}});
  at(0, "65530");
  EXPECT_EQ(at(1, "10"), gained("16", "16"));
  EXPECT_EQ(at(2, "40000"), gained("39990", "39990"));
  EXPECT_EQ(at(3, "7232"), gained("7232", "7232")) << "half of it and more: it began anew";
  rate({{"bits", int64_t{64}}});
  at(0, "18446744073709551610");
  EXPECT_EQ(at(1, "10"), gained("16", "16"));
  EXPECT_EQ(at(2, "18446744073709551615"), gained("18446744073709551605", "18446744073709552000"));
  EXPECT_EQ(at(3, "0"), gained("1", "1"));
  rate({{"bits", int64_t{1}}});
  at(0, "1");
  EXPECT_EQ(at(1, "0"), gained("0", "0")) << "no half to tell it by";
}

TEST_F(Rate, what_comes_late_gains_nothing_and_is_counted_with_what_came_before_it) {
  rate();
  at(0, "0");
  EXPECT_EQ(at(3, "30"), gained("30", "10"));
  EXPECT_EQ(at(2, "20"), nothing_);
  EXPECT_EQ(at(4, "40"), gained("10", "10"));
}

TEST_F(Rate, behind_a_gap_and_where_a_clock_was_set_back_it_begins_anew) {
  rate({{"maxGap", int64_t{60'000}}});
  at(0, "0");
  EXPECT_EQ(at(59, "59"), gained("59", "1"));
  EXPECT_EQ(at(119, "119"), nothing_);
  EXPECT_EQ(at(120, "120"), gained("1", "1"));
  EXPECT_EQ(at(10, "121"), nothing_);
  EXPECT_EQ(at(11, "122"), gained("1", "1"));
}

TEST_F(Rate, what_is_no_number_gains_nothing_and_a_record_without_the_field_passes_as_it_is) {
  rate();
  at(0, "5");
  EXPECT_EQ(at(1, {text("n", "broken")}), nothing_);
  EXPECT_EQ(at(1, {plain("n", Type::kNull)}), nothing_);
  EXPECT_EQ(at(1, "-1"), nothing_);
  EXPECT_EQ(at(1, {text("x", "y")}), "}");
  EXPECT_EQ(at(2, "7"), gained("2", "1"));
}

TEST_F(Rate, one_field_may_be_enough_and_one_that_is_there_is_replaced) {
  rate({{"differenceField", std::string()}, {"rateField", std::string("r")}});
  run(batch_of({{number("r", "9"), number("n", "1")}}));
  EXPECT_EQ(run(batch_of({{number("r", "9"), number("n", "1")}})), Lines{R"({"r":null,"n":1})"});
  EXPECT_EQ(at(1, "1").substr(0, 5), ",\"r\":");
}

TEST_F(Rate, many_records_of_a_batch_are_taken_in_their_order) {
  rate({{"rateField", std::string()}});
  EXPECT_EQ(run(numbers("n", {"1", "3", "6"})),
            (Lines{R"({"n":1,"difference":null})", R"({"n":3,"difference":2})",
                   R"({"n":6,"difference":3})"}));
}

TEST_F(Rate, goes_on_where_it_was_saved) {
  rate();
  at(0, "1");
  std::string saved;
  transform_->state()->save(saved, true);
  const std::string identity = transform_->state()->identity();
  rate({{"per", int64_t{1}}});
  EXPECT_EQ(transform_->state()->identity(), identity);
  ASSERT_TRUE(transform_->state()->load(saved));
  EXPECT_EQ(at(1, "3").substr(0, 16), R"(,"difference":2,)");
}

TEST_F(Rate, at_the_bound_a_record_may_be_a_dead_letter) {
  rate({{"key", Lines{"dev"}}, {"maxKeys", int64_t{1}}, {"atBound", std::string("deadLetter")}});
  at(0, {text("dev", "a"), number("n", "1")});
  EXPECT_EQ(at(0, {text("dev", "b"), number("n", "1")}), "");
  EXPECT_EQ(dead_.records, Lines{R"({"dev":"b","n":1})"});
}

TEST_F(Rate, refuses_fields_that_are_none_or_the_same) {
  EXPECT_EQ(refusal("rate", {{"field", std::string("n")},
                             {"rateField", std::string()},
                             {"differenceField", std::string()}}),
            "t.rateField: one of rateField and differenceField is needed");
  EXPECT_EQ(
      refusal("rate", {{"field", std::string("n")}, {"rateField", std::string("difference")}}),
      "t.differenceField: must be another field than rateField");
}

TEST_F(Rate, whole_numbers_without_a_sign_are_exact_too) {
  rate();
  at(0, "9223372036854775809");
  EXPECT_EQ(at(10, "9223372036854775909"), gained("100", "10"));
  EXPECT_EQ(at(20, "9223372036854775919"), gained("10", "1"));
  EXPECT_EQ(at(30, "9300000000000000000").substr(0, 32), R"(,"difference":76627963145224081,)");
  rate({{"rateField", std::string()}});
  at(0, "0");
  EXPECT_EQ(at(1, "18446744073709551615"), R"(,"difference":18446744073709551615})");
}

}  // namespace
}  // namespace leat
