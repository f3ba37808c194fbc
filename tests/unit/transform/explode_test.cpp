#include "transform/fixture.h"

namespace leat {
namespace {

class Explode : public TransformTest {
 protected:
  using Items = std::map<std::string, Options::Item>;
  void explode(Items items = {}) {
    items.emplace("field", std::string("r"));
    for (const auto& [name, fallback] :
         {std::pair<const char*, const char*>{"onMissing", "keep"}, {"onError", "deadLetter"}})
      items.emplace(name, std::string(fallback));
    use("explode", items);
  }
  static TestRecord record(const std::string& array) {
    return {text("dev", "a"), typed("r", Type::kJson, array), number("x", "1.50")};
  }
  Lines exploded(const std::string& array) { return run(batch_of({record(array)})); }
};

TEST_F(Explode, makes_a_record_of_each_object_with_its_members_in_the_place_of_the_array) {
  explode();
  EXPECT_EQ(
      exploded(R"([{"t":1,"v":2.50}, {"t":2,"v":null}])"),
      (Lines{R"({"dev":"a","t":1,"v":2.50,"x":1.50})", R"({"dev":"a","t":2,"v":null,"x":1.50})"}));
  EXPECT_EQ(last_->records[0].time_us, 1000);
  EXPECT_EQ(last_->records[1].time_us, 1000);
}

TEST_F(Explode, all_records_of_an_array_end_where_its_record_did) {
  explode();
  run(batch_of({record("[1,2]"), record("[3]")}));
  ASSERT_EQ(last_->records.size(), 3U);
  EXPECT_EQ(last_->records[0].end_offset, 100U);
  EXPECT_EQ(last_->records[1].end_offset, 100U);
  EXPECT_EQ(last_->records[2].end_offset, 200U);
  EXPECT_EQ(last_->end.offset, 5200U);
}

TEST_F(Explode, what_is_no_object_keeps_the_name_of_the_array) {
  explode();
  EXPECT_EQ(exploded(R"([ 1e3 ,"s\n",true,null,[1],{}])"),
            (Lines{R"({"dev":"a","r":1e3,"x":1.50})", R"({"dev":"a","r":"s\n","x":1.50})",
                   R"({"dev":"a","r":true,"x":1.50})", R"({"dev":"a","r":null,"x":1.50})",
                   R"({"dev":"a","r":[1],"x":1.50})", R"({"dev":"a","x":1.50})"}));
}

TEST_F(Explode, without_flatten_objects_stay_json) {
  explode({{"flatten", false}});
  EXPECT_EQ(exploded(R"([{"t": 1}])"), Lines{R"({"dev":"a","r":{"t": 1},"x":1.50})"});
}

TEST_F(Explode, a_member_takes_the_place_of_a_field_of_its_name_and_the_last_of_two_counts) {
  explode();
  EXPECT_EQ(exploded(R"([{"x":7,"dev":"b","r":3,"y":1,"y":2}])"),
            Lines{R"({"dev":"b","x":7,"r":3,"y":2})"});
  EXPECT_EQ(exploded(R"([{"\u0078":7}])"), Lines{R"({"dev":"a","x":7})"});
}

TEST_F(Explode, elements_that_look_different_are_told_apart) {
  explode();
  Lines expected;
  std::string array;
  for (int i = 0; i < 30; ++i) {  // more than there are layouts
    const std::string member = "m" + std::to_string(i % 12);
    array += (array.empty() ? "[{\"" : ",{\"") + member + "\":" + std::to_string(i) + "}";
    expected.push_back("{\"dev\":\"a\",\"" + member + "\":" + std::to_string(i) + ",\"x\":1.50}");
  }
  EXPECT_EQ(exploded(array + "]"), expected);
  EXPECT_EQ(exploded(array + "]"), expected);
}

TEST_F(Explode, numbers_the_elements_where_that_is_asked_for) {
  explode({{"index", std::string("n")}});
  EXPECT_EQ(exploded(R"([{"t":1},{"t":2,"n":9}])"),
            (Lines{R"({"dev":"a","t":1,"x":1.50,"n":0})", R"({"dev":"a","t":2,"n":1,"x":1.50})"}));
}

TEST_F(Explode, a_record_without_elements_is_kept_without_the_field) {
  explode();
  EXPECT_EQ(run(batch_of(
                {record("[ ]"), {text("dev", "b"), plain("r", Type::kNull)}, {text("dev", "c")}})),
            (Lines{R"({"dev":"a","x":1.50})", R"({"dev":"b"})", R"({"dev":"c"})"}));
}

TEST_F(Explode, or_dropped_or_a_dead_letter) {
  explode({{"onMissing", std::string("drop")}});
  EXPECT_EQ(run(batch_of({record("[]"), {text("dev", "c")}, record("[1]")})).size(), 1U);
  EXPECT_EQ(dead_.records, Lines{});
  explode({{"onMissing", std::string("deadLetter")}});
  EXPECT_EQ(run(batch_of({record("[]"), {text("dev", "c")}, record("[1]")})).size(), 1U);
  EXPECT_EQ(dead_.reasons, (Lines{"r: has no elements", "r: is missing"}));
  EXPECT_EQ(dead_.records[0], R"({"dev":"a","r":[],"x":1.50})");
}

TEST_F(Explode, what_is_no_array_fails_as_on_error_says) {
  explode();
  EXPECT_EQ(run(batch_of({{number("r", "5")},
                          {typed("r", Type::kJson, "{}")},
                          {text("r", "[1]")},
                          record("[1]")}))
                .size(),
            1U);
  EXPECT_EQ(dead_.reasons, (Lines{"r: is no array", "r: is no array", "r: is no array"}));
  explode({{"onError", std::string("drop")}});
  EXPECT_EQ(run(batch_of({{number("r", "5")}})), Lines{});
  EXPECT_EQ(transform_->dropped(), 1U);
  explode({{"onError", std::string("fail")}});
  run(batch_of({{number("r", "5")}}));
  EXPECT_EQ(failure_, "explode: r: is no array (record 51)");
}

TEST_F(Explode, an_array_with_too_many_elements_fails_whole) {
  explode({{"maxElements", int64_t{3}}});
  EXPECT_EQ(exploded("[1,2,3]").size(), 3U);
  EXPECT_EQ(exploded("[1,2,3,4]"), Lines{});
  EXPECT_EQ(dead_.reasons, Lines{"r: has more elements than maxElements"});
}

TEST_F(Explode, an_array_of_which_too_much_would_be_made_fails_whole) {
  explode({{"maxElements", int64_t{1'000'000}}});
  std::string array = "[0";
  for (int i = 0; i < 200'000; ++i) array += ",0";
  EXPECT_EQ(
      run(batch_of({{text("long", std::string(100, 'x')), typed("r", Type::kJson, array + "]")}})),
      Lines{});
  EXPECT_EQ(dead_.reasons, Lines{"r: its records would take more than 8 MiB"});
}

TEST_F(Explode, stops_in_turns_when_it_has_made_much_and_loses_nothing) {
  explode();
  std::string array = "[0";
  for (int i = 1; i < 100; ++i) array += "," + std::to_string(i);
  std::vector<TestRecord> records(10, record(array + "]"));
  const std::vector<size_t> turns = run_in_turns(batch_of(records), 15'000);
  EXPECT_GT(turns.size(), 3U);
  size_t all = 0;
  for (size_t one : turns) {
    EXPECT_EQ(one % 100, 0U) << "an array is never cut";
    all += one;
  }
  EXPECT_EQ(all, 1000U);
}

TEST_F(Explode, a_new_shape_in_each_record_is_not_kept) {
  explode();
  for (int i = 0; i < 2000; ++i)
    exploded("[{\"member" + std::to_string(i) + "\":1,\"" + std::string(2000, 'y') +
             std::to_string(i) + "\":2}]");
  EXPECT_LT(transform_->held(), 5U << 20) << "a sixteenth of the memory";
}

}  // namespace
}  // namespace leat
