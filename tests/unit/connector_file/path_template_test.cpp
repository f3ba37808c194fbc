#include "connectors/file/path_template.h"

#include <gtest/gtest.h>

#include "connectors/file/paths.h"
#include "support/sink_harness.h"

namespace leat::file {
namespace {

using leat::testing::Row;
using leat::testing::SinkHarness;
using leat::testing::text;

constexpr int64_t kSecond = 1'000'000;

std::string path_of(const char* pattern, const Row& row, int64_t time_us = 0) {
  SinkHarness harness;
  Delivery delivery = harness.records({row});
  Result<PathTemplate> made = PathTemplate::parse(pattern);
  if (!made) return "refused: " + made.error().message();
  Record record = delivery.parts[0].batch->records[0];
  record.time_us = time_us;
  Status found = made->find(record);
  return found ? made->path() : "error: " + found.error().message();
}

TEST(PathTemplate, fields_and_the_time_make_the_path) {
  EXPECT_EQ(
      path_of("/a/{site}/n={n}/x.csv", {{"site", text("north")}, {"n", Value::of_integer(7)}}),
      "/a/north/n=7/x.csv");
  EXPECT_EQ(
      path_of("/a/dt={_time:%Y-%m-%d}/h={_time:%H}/x", {{"a", text("")}}, 1'767'323'045 * kSecond),
      "/a/dt=2026-01-02/h=03/x");
  EXPECT_EQ(path_of("/a/{_time:%Y/%m}/x", {{"a", text("")}}, 1'767'323'045 * kSecond),
            "/a/2026/01/x")
      << "a form may make folders";
  EXPECT_EQ(path_of("/a/{{{n}}}", {{"n", Value::of_integer(7)}}), "/a/{7}");
  EXPECT_EQ(path_of("/a//b/{n}", {{"n", Value::of_integer(7)}}), "/a/b/7");
}

TEST(PathTemplate, a_time_is_in_utc_also_before_1970) {
  EXPECT_EQ(path_of("/{_time:%Y-%m-%dT%H%M%S}", {{"a", text("")}}, -1), "/1969-12-31T235959");
}

TEST(PathTemplate, other_times_than_the_event_time_are_taken_from_their_field) {
  EXPECT_EQ(path_of("/{day:%Y}/x", {{"day", Value::of_time(1'767'323'045 * kSecond)}}), "/2026/x");
  EXPECT_EQ(path_of("/{day:%j}/x", {{"day", text("2026-02-01T00:00:00+02:00")}}), "/031/x");
  EXPECT_EQ(path_of("/{day:%Y}/x", {{"day", text("soon")}}),
            "error: day: \"soon\" is no time, as the path of its file needs it");
}

TEST(PathTemplate, no_value_leads_out_of_its_folder) {
  EXPECT_EQ(path_of("/a/{v}/x", {{"v", text("..")}}), "/a/%2E./x");
  EXPECT_EQ(path_of("/a/{v}/x", {{"v", text("../../etc")}}), "/a/%2E.%2F..%2Fetc/x");
  EXPECT_EQ(path_of("/a/{v}{w}/x", {{"v", text(".")}, {"w", text(".")}}), "/a/%2E%2E/x");
  EXPECT_EQ(path_of("/a/.{v}/x", {{"v", text(".")}}), "/a/.%2E/x");
  EXPECT_EQ(path_of("/a/{v}/x", {{"v", text(std::string_view("a\0b", 3))}}), "/a/a%00b/x");
}

TEST(PathTemplate, values_are_escaped_as_hive_does) {
  EXPECT_EQ(path_of("/{v}", {{"v", text("a=b:c%d\"#'*?\\{[]^\x7f\n")}}),
            "/a%3Db%3Ac%25d%22%23%27%2A%3F%5C%7B%5B%5D%5E%7F%0A");
  EXPECT_EQ(path_of("/{v}", {{"v", text("M\xc3\xbcnchen 1.5~")}}), "/M\xc3\xbcnchen 1.5~");
}

TEST(PathTemplate, what_is_no_value_is_hives_default_partition) {
  for (const Row& row : {Row{{"v", Value::null()}}, Row{{"v", text("")}}, Row{{"w", text("x")}}})
    EXPECT_EQ(path_of("/v={v}/x", row), "/v=__HIVE_DEFAULT_PARTITION__/x");
}

TEST(PathTemplate, a_field_that_records_lack_is_named) {
  SinkHarness harness;
  Delivery delivery = harness.records({{{"a", Value::null()}, {"b", text("x")}}});
  PathTemplate made = *PathTemplate::parse("/{a}/{tabel}");
  ASSERT_TRUE(made.find(delivery.parts[0].batch->records[0]));
  EXPECT_EQ(made.missed(), "tabel");
}

TEST(PathTemplate, a_name_that_no_file_system_takes_is_an_error) {
  const std::string name(228, 'n');
  EXPECT_EQ(path_of("/a/{v}", {{"v", text(name)}}), "/a/" + name);
  EXPECT_TRUE(path_of("/a/{v}", {{"v", text(name + "n")}})
                  .starts_with("error: the path of its file is too long"));
  const std::string folder(255, 'n');
  EXPECT_EQ(path_of("/a/{v}/x", {{"v", text(folder)}}), "/a/" + folder + "/x");
  EXPECT_TRUE(path_of("/a/{v}/x", {{"v", text(folder + "n")}}).starts_with("error: "));
}

TEST(PathTemplate, bad_templates_are_refused) {
  EXPECT_EQ(path_of("/a/{", {{"v", text("")}}), "refused: a \"{\" is not closed");
  EXPECT_EQ(path_of("/a/{_time}", {{"v", text("")}}),
            "refused: \"{_time}\" needs a form, such as \"{_time:%Y-%m-%d}\" for a folder a day");
  EXPECT_TRUE(path_of("/a/{_time:%Q}", {{"v", text("")}})
                  .starts_with("refused: \"{_time:%Q}\" is no form"));
  EXPECT_TRUE(path_of("/a/{_time:%}", {{"v", text("")}}).starts_with("refused: "));
  EXPECT_EQ(path_of("/a/{v}/", {{"v", text("")}}),
            "refused: ends in a folder: a name of the file must follow");
}

TEST(PathTemplate, base_is_the_folder_before_the_first_field) {
  EXPECT_EQ(PathTemplate::parse("/a/b/x-{v}.csv")->base(), "/a/b");
  EXPECT_EQ(PathTemplate::parse("/{v}.csv")->base(), "/");
  EXPECT_TRUE(PathTemplate::parse("b/{v}.csv")->base().starts_with("/"));
}

TEST(PathTemplate, its_pattern_matches_what_it_makes_and_nothing_else) {
  PathTemplate made = *PathTemplate::parse("/a[1]/{v}{w}/{_time:%Y/%m}/x*-{v}.csv");
  PathPattern pattern(made.pattern());
  EXPECT_TRUE(pattern.matches("/a[1]/vw/2026/01/x*-v.csv"));
  EXPECT_FALSE(pattern.matches("/a[1]/vw/2026/01/xx-v.csv"));
  EXPECT_FALSE(pattern.matches("/a1/vw/2026/01/x*-v.csv"));
  EXPECT_FALSE(pattern.matches("/a[1]/v/w/2026/01/x*-v.csv"));
  PathPattern backslashes(PathTemplate::parse(R"(/a\b/c\{v}/d\e.csv)")->pattern());
  EXPECT_TRUE(backslashes.matches(R"(/a\b/c\v/d\e.csv)"));
  EXPECT_FALSE(backslashes.matches(R"(/ab/cv/de.csv)"));
}

}  // namespace
}  // namespace leat::file
