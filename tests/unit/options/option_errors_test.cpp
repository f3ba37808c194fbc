#include "options/option_errors.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"

namespace leat {
namespace {

using Kind = Problem::Kind;

constexpr Option kTable[] = {{.name = "url"}, {.name = "topics", .type = OptionType::kStrings}};

TEST(OptionErrors, keep_each_problem_as_data) {
  const Options options(kTable, "pipelines[0].sink");
  OptionErrors errors;
  EXPECT_TRUE(errors.status());
  errors.add(options, "url", "is odd: a: b\npipelines[0].sink.url: no path");
  errors.add(options, "topics[1]", "stands twice", Kind::kTwice);
  errors.add({.kind = Kind::kChoice,
              .path = options.path("url"),
              .wanted = "one of \"a\"",
              .found = "the string \"b\"",
              .suggestion = "a"});
  const Status status = errors.status();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::kUsage);
  ASSERT_NE(status.error().problems(), nullptr);
  const std::vector<Problem>& all = status.error().problems()->all();
  ASSERT_EQ(all.size(), 3U) << "text that looks like a path makes no problem of its own";
  EXPECT_EQ(all[0].path, "pipelines[0].sink.url");
  EXPECT_EQ(all[1].path, "pipelines[0].sink.topics[1]");
  EXPECT_EQ(all[1].kind, Kind::kTwice);
  EXPECT_EQ(all[2].suggestion, "a");
  EXPECT_NE(status.error().message().find("pipelines[0].sink.topics[1]: stands twice\n"),
            std::string::npos);
}

TEST(OptionErrors, take_those_of_others_and_errors_that_are_none) {
  const Options options(kTable, "source");
  OptionErrors errors;
  EXPECT_FALSE(errors.good(Status(fail_option(options, "url", "is empty", Kind::kEmpty))));
  EXPECT_FALSE(errors.good(Status(fail(ErrorKind::kUsage, "what it is"))));
  EXPECT_TRUE(errors.good(Status()));
  errors.add(options, "url", Error(ErrorKind::kUsage, "no host"));
  const Status status = errors.status();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(), "source.url: is empty\nwhat it is\nsource.url: no host");
  EXPECT_EQ(status.error().problems()->all()[0].kind, Kind::kEmpty);
}

TEST(OptionErrors, of_the_text_of_an_option_get_its_path) {
  const Options options(kTable, "sink");
  OptionErrors inside;
  inside.add({.text = "it has no host"});
  inside.add({.suggestion = "sslmode", .text = "parameter \"sslmod\" is not known"});
  OptionErrors errors;
  errors.add(options, "url", inside.status().error());
  EXPECT_EQ(errors.status().error().message(),
            "sink.url: it has no host\n"
            "sink.url: parameter \"sslmod\" is not known, did you mean \"sslmode\"?");
}

TEST(Error, keeps_its_problems_when_it_is_copied_and_moved) {
  Error error = fail_option("a.b", "is odd").value();
  Error copy = error;
  Error moved = std::move(error);
  error = copy;
  EXPECT_EQ(moved.problems(), copy.problems());
  EXPECT_EQ(error.problems()->all()[0].path, "a.b");
  EXPECT_EQ(Error(ErrorKind::kData, "x").problems(), nullptr);
}

}  // namespace
}  // namespace leat
