#include "state/state.h"
#include "transform/fixture.h"

namespace leat {
namespace {

class Deadband : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;
  void deadband(Items items) {
    items.emplace("field", std::string("v"));
    use("deadband", items);
  }
  // Of these values those that pass.
  Lines passed(const Lines& values) {
    std::vector<TestRecord> records;
    for (const std::string& value : values) records.push_back({number("v", value)});
    Lines out;
    for (const std::string& json : run(batch_of(records)))
      out.push_back(json.substr(5, json.size() - 6));
    return out;
  }
  bool passes(const TestRecord& record, int64_t time_us = 0) {
    BatchRef batch = batch_of({record});
    batch->records[0].time_us = time_us;
    return !run(batch).empty();
  }
};

TEST_F(Deadband, lets_pass_what_moved_by_more_than_the_bound_since_what_passed_last) {
  deadband({{"absolute", std::string("0.5")}});
  EXPECT_EQ(passed({"20", "20.5", "20.51", "20.2", "20.0", "21.1"}),
            (Lines{"20", "20.51", "20.0", "21.1"}));
  EXPECT_EQ(passed({"21.5", "22"}), Lines{"22"});
}

TEST_F(Deadband, or_by_a_share_of_it) {
  deadband({{"percent", std::string("10")}});
  EXPECT_EQ(passed({"100", "110", "111", "100", "99", "-99", "0", "0.001", "0"}),
            (Lines{"100", "111", "99", "-99", "0", "0.001", "0"}));
}

TEST_F(Deadband, an_infinite_value_passes_and_so_does_what_comes_behind_it) {
  deadband({{"percent", std::string("2")}});
  EXPECT_EQ(passed({"1", "1e999", "1e999", "2", "300", "-1e999", "-5"}),
            (Lines{"1", "1e999", "2", "300", "-1e999", "-5"}));
}

TEST_F(Deadband, or_has_changed_what_is_no_number_too) {
  deadband({{"changed", true}});
  EXPECT_TRUE(passes({text("v", "on")}));
  EXPECT_FALSE(passes({text("v", "on")}));
  EXPECT_TRUE(passes({text("v", "off")}));
  EXPECT_TRUE(passes({plain("v", Type::kNull)}));
  EXPECT_FALSE(passes({plain("v", Type::kNull)}));
  EXPECT_TRUE(passes({number("v", "1")}));
  EXPECT_TRUE(passes({number("v", "1.0")}));
}

TEST_F(Deadband, each_key_is_looked_at_by_itself) {
  deadband({{"absolute", std::string("1")}, {"key", Lines{"dev"}}});
  EXPECT_EQ(run(batch_of({{text("dev", "a"), number("v", "1")},
                          {text("dev", "b"), number("v", "1")},
                          {number("v", "1")},
                          {text("dev", "a"), number("v", "2")},
                          {text("dev", "b"), number("v", "3")},
                          {number("v", "2")}})),
            (Lines{R"({"dev":"a","v":1})", R"({"dev":"b","v":1})", R"({"v":1})",
                   R"({"dev":"b","v":3})"}));
}

TEST_F(Deadband, after_a_silence_a_value_passes_though_it_has_not_moved) {
  deadband({{"absolute", std::string("1")}, {"maxSilence", int64_t{60'000}}});
  EXPECT_TRUE(passes({number("v", "1")}, 0));
  EXPECT_FALSE(passes({number("v", "1")}, 59'999'999));
  EXPECT_TRUE(passes({number("v", "1")}, 60'000'000));
  EXPECT_FALSE(passes({number("v", "1")}, 61'000'000));
}

TEST_F(Deadband, what_is_no_number_passes_when_it_is_another_and_a_record_without_it_always) {
  deadband({{"absolute", std::string("1")}});
  EXPECT_TRUE(passes({number("v", "1")}));
  EXPECT_TRUE(passes({text("v", "broken")}));
  EXPECT_FALSE(passes({text("v", "broken")}));
  EXPECT_TRUE(passes({text("v", "missing")}));
  EXPECT_TRUE(passes({number("v", "1")}));
  EXPECT_TRUE(passes({number("w", "1")}));
  EXPECT_TRUE(passes({number("w", "1")}));
  EXPECT_FALSE(passes({number("v", "1")}));
}

TEST_F(Deadband, what_another_remembered_is_known_to_it) {
  deadband({{"absolute", std::string("1")}});
  EXPECT_TRUE(passes({number("v", "1")}));
  std::string saved;
  transform_->state()->save(saved, true);
  deadband({{"absolute", std::string("2")}});
  ASSERT_TRUE(transform_->state()->load(saved));
  EXPECT_FALSE(passes({number("v", "3")}));
  EXPECT_TRUE(passes({number("v", "3.1")}));
}

TEST_F(Deadband, refuses_options_that_say_nothing) {
  EXPECT_EQ(refusal("deadband", {{"field", std::string("v")}}),
            "t.absolute: missing: one of absolute, percent and changed is needed");
  for (const char* bad : {"much", "-1", "", "nan", "1 ", " 5", "0x10"})
    EXPECT_NE(refusal("deadband", {{"field", std::string("v")}, {"percent", std::string(bad)}})
                  .find("t.percent: must be a number that is not negative"),
              std::string::npos)
        << bad;
}

TEST_F(Deadband, a_clock_that_was_ahead_does_not_silence_it) {
  deadband({{"absolute", std::string("1")}, {"maxSilence", int64_t{60'000}}});
  EXPECT_TRUE(passes({number("v", "1")}, 315'360'000'000'000));
  EXPECT_TRUE(passes({number("v", "1")}, 0));
  EXPECT_FALSE(passes({number("v", "1")}, 59'999'999));
  EXPECT_TRUE(passes({number("v", "1")}, 60'000'000));
}

}  // namespace
}  // namespace leat
