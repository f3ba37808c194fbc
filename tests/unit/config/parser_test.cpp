#include "config/parser.h"

#include <gtest/gtest.h>

#include "options/problem_words.h"
#include "stage/format.h"

namespace leat {
namespace {

constexpr std::string_view kMethods[] = {"POST", "PUT"};
constexpr Option kTls[] = {
    {.name = "ca", .help = "File."},
    {.name = "serverName", .help = "Name."},
};
constexpr Option kColumn[] = {
    {.name = "index", .type = OptionType::kInteger, .required = true, .help = "Place."},
    {.name = "name", .help = "Name."},
};
constexpr Option kTable[] = {
    {.name = "url", .required = true, .help = "Where to."},
    {.name = "method", .fallback = "POST", .help = "Verb.", .choices = kMethods},
    {.name = "password", .secret = true, .help = "Secret."},
    {.name = "pin", .type = OptionType::kInteger, .secret = true, .help = "Secret.", .max = 9999},
    {.name = "workers",
     .type = OptionType::kInteger,
     .fallback = "1",
     .help = "N.",
     .min = 1,
     .max = 16},
    {.name = "retries", .type = OptionType::kInteger, .help = "N.", .min = 1},
    {.name = "follow", .type = OptionType::kBool, .help = "Go on."},
    {.name = "chunk", .type = OptionType::kBytes, .fallback = "1MiB", .help = "Size.", .min = 4096},
    {.name = "timeout",
     .type = OptionType::kDuration,
     .fallback = "30s",
     .help = "Time.",
     .max = 60'000},
    {.name = "paths", .type = OptionType::kStrings, .help = "Files."},
    {.name = "headers", .type = OptionType::kMap, .help = "Lines."},
    {.name = "tls", .type = OptionType::kObject, .help = "Encryption.", .fields = kTls},
    {.name = "columns", .type = OptionType::kObjects, .help = "Columns.", .fields = kColumn},
};
constexpr Option kEncoding[] = {{.name = "encoding", .help = "Characters."}};
constexpr Option kAdded[] = {
    {.name = "format", .fallback = "json", .help = "Format."},
    {.name = "csv", .type = OptionType::kObject, .help = "Csv.", .fields = kEncoding},
    {.name = "lines", .type = OptionType::kObject, .help = "Lines.", .fields = kEncoding},
};

using Lines = std::vector<std::string>;

// One object, parsed as pipelines[0].sink with a table of its own and one that is added.
class ParserTest : public ::testing::Test {
 protected:
  // The problems of {"type": "t", "url": "u", …}.
  Lines parse(const std::string& members) {
    return parse_object(R"({"type":"t","url":"u",)" + members + "}");
  }

  Lines parse_object(const std::string& text) {
    Result<Document> document = Document::parse(text);
    if (!document) return {document.error().message()};
    Variables variables;
    variables.env = [](const std::string& name) -> std::optional<std::string> {
      if (name == "N") return "7";
      if (name == "YES") return "true";
      if (name == "SECRET") return "hunter2";
      return std::nullopt;
    };
    Problems problems;
    document->substitute(variables, problems);
    Parser parser(*document, problems);
    constexpr std::string_view kType[] = {"type"};
    own = Options(kTable, "pipelines[0].sink");
    added = Options(kAdded, "pipelines[0].sink");
    parser.fill(document->root(), {&own, &added}, kType);
    return lines_of(problems);
  }

  Options own;
  Options added;
};

TEST_F(ParserTest, reads_every_type) {
  if (find_read_format("csv") == nullptr) GTEST_SKIP() << "csv was left out of this build";
  EXPECT_EQ(parse(R"("method": "PUT", "workers": 3, "follow": true, "chunk": "64KiB",
                     "timeout": "200ms", "paths": ["a", "b"], "headers": {"B": "2", "A": "1"},
                     "tls": {"ca": "/ca.pem"}, "columns": [{"index": 1, "name": "t"}],
                     "format": "csv")"),
            Lines{});
  EXPECT_EQ(own.string("url"), "u");
  EXPECT_EQ(own.string("method"), "PUT");
  EXPECT_EQ(own.integer("workers"), 3);
  EXPECT_TRUE(own.boolean("follow"));
  EXPECT_EQ(own.bytes("chunk"), 65536);
  EXPECT_EQ(own.duration("timeout"), Milliseconds(200));
  EXPECT_EQ(own.strings("paths"), (Lines{"a", "b"}));
  EXPECT_EQ(own.map("headers"), (Options::Map{{"B", "2"}, {"A", "1"}}));
  EXPECT_EQ(own.string("tls.ca"), "/ca.pem");
  EXPECT_EQ(own.object("tls").path("ca"), "pipelines[0].sink.tls.ca");
  ASSERT_EQ(own.objects("columns").size(), 1U);
  EXPECT_EQ(own.objects("columns")[0].integer("index"), 1);
  EXPECT_EQ(added.string("format"), "csv");
}

TEST_F(ParserTest, takes_a_single_string_for_a_list_and_a_number_for_a_size) {
  EXPECT_EQ(parse(R"("paths": "a", "chunk": 8192)"), Lines{});
  EXPECT_EQ(own.strings("paths"), Lines{"a"});
  EXPECT_EQ(own.bytes("chunk"), 8192);
}

TEST_F(ParserTest, suggests_the_nearest_key) {
  EXPECT_EQ(parse(R"("ulr": "x")"),
            Lines{"pipelines[0].sink.ulr: unknown key, did you mean \"url\"?"});
  EXPECT_EQ(parse(R"("Timeout": "1s")"),
            Lines{"pipelines[0].sink.Timeout: unknown key, did you mean \"timeout\"?"});
  EXPECT_EQ(parse(R"("fromat": "csv")"),
            Lines{"pipelines[0].sink.fromat: unknown key, did you mean \"format\"?"});
}

TEST_F(ParserTest, suggests_the_object_that_has_the_key) {
  EXPECT_EQ(parse(R"("serverName": "x")"),
            Lines{"pipelines[0].sink.serverName: unknown key, did you mean \"tls.serverName\"?"});
  EXPECT_EQ(parse(R"("encoding": "latin1")"),
            Lines{"pipelines[0].sink.encoding: unknown key, did you mean \"csv.encoding\"?"});
  EXPECT_EQ(parse(R"("format": "lines", "encoding": "latin1")"),
            Lines{"pipelines[0].sink.encoding: unknown key, did you mean \"lines.encoding\"?"});
}

TEST_F(ParserTest, lists_the_known_keys_when_none_is_near) {
  EXPECT_EQ(parse(R"("tls": {"frobnicate": 1})"),
            Lines{"pipelines[0].sink.tls.frobnicate: unknown key; known here: ca, serverName"});
}

TEST_F(ParserTest, says_what_was_found_and_what_is_wanted) {
  EXPECT_EQ(parse(R"("workers": "two")"),
            Lines{"pipelines[0].sink.workers: must be a whole number such as 1, found the string "
                  "\"two\""});
  EXPECT_EQ(parse(R"("workers": 1.5)"),
            Lines{"pipelines[0].sink.workers: must be a whole number such as 1, found the number "
                  "1.5"});
  EXPECT_EQ(parse(R"("follow": "yes")"),
            Lines{"pipelines[0].sink.follow: must be true or false, found the string \"yes\""});
  EXPECT_EQ(parse(R"("follow": 1)"),
            Lines{"pipelines[0].sink.follow: must be true or false, found the number 1"});
  EXPECT_EQ(parse(R"("timeout": 30)"),
            Lines{"pipelines[0].sink.timeout: must be a duration such as \"30s\", found the number "
                  "30"});
  EXPECT_EQ(parse(R"("chunk": "8 parsec")"),
            Lines{"pipelines[0].sink.chunk: must be a size such as \"1MiB\", found the string \"8 "
                  "parsec\""});
  EXPECT_EQ(parse(R"("paths": ["a", 1])"),
            Lines{"pipelines[0].sink.paths[1]: must be a string, found the number 1"});
  EXPECT_EQ(parse(R"("headers": ["a"])"),
            Lines{"pipelines[0].sink.headers: must be an object with string values such as "
                  "{\"name\": \"value\"}, found a list"});
  EXPECT_EQ(parse(R"("headers": {"A": 1})"),
            Lines{"pipelines[0].sink.headers.A: must be a string, found the number 1"});
  EXPECT_EQ(parse(R"("tls": true)"),
            Lines{"pipelines[0].sink.tls: must be an object such as {\"ca\": \"text\"}, found "
                  "true"});
  EXPECT_EQ(parse(R"("columns": {"index": 1})"),
            Lines{"pipelines[0].sink.columns: must be a list of objects such as [{\"index\": 1}], "
                  "found an object"});
  EXPECT_EQ(parse(R"("method": null)"),
            Lines{"pipelines[0].sink.method: must be one of \"POST\", \"PUT\", found null (leave "
                  "the key out to get the default)"});
}

TEST_F(ParserTest, checks_choices_and_suggests_one) {
  EXPECT_EQ(parse(R"("method": "POTS")"),
            Lines{"pipelines[0].sink.method: must be one of \"POST\", \"PUT\", found the string "
                  "\"POTS\", did you mean \"POST\"?"});
}

TEST_F(ParserTest, checks_ranges_in_the_option_s_unit) {
  EXPECT_EQ(parse(R"("workers": 17)"),
            Lines{"pipelines[0].sink.workers: must be between 1 and 16, found the number 17"});
  EXPECT_EQ(parse(R"("retries": 0)"),
            Lines{"pipelines[0].sink.retries: must be at least 1, found the number 0"});
  EXPECT_EQ(parse(R"("chunk": "1KiB")"),
            Lines{"pipelines[0].sink.chunk: must be at least \"4KiB\", found the string \"1KiB\""});
  EXPECT_EQ(parse(R"("timeout": "2m")"),
            Lines{"pipelines[0].sink.timeout: must be between \"0ms\" and \"1m\", found the string "
                  "\"2m\""});
}

TEST_F(ParserTest, refuses_numbers_that_a_double_cannot_hold_exactly) {
  EXPECT_EQ(parse(R"("retries": 9007199254740993000)").size(), 1U);
  EXPECT_EQ(parse(R"("retries": 1e300)").size(), 1U);
  EXPECT_EQ(parse(R"("retries": -1e300)").size(), 1U);
  EXPECT_EQ(parse(R"("retries": 9007199254740992)"), Lines{});
}

TEST_F(ParserTest, reports_required_keys_that_are_missing_or_empty) {
  EXPECT_EQ(parse_object(R"({"columns": [{"name": "a"}]})"),
            (Lines{"pipelines[0].sink.columns[0].index: missing, and required: a whole number such "
                   "as 1",
                   "pipelines[0].sink.url: missing, and required: a string"}));
  EXPECT_EQ(parse_object(R"({"url": ""})"),
            Lines{"pipelines[0].sink.url: must not be empty: a string"});
}

TEST_F(ParserTest, takes_numbers_and_truth_values_out_of_variables) {
  EXPECT_EQ(parse(R"("workers": "${env:N}", "follow": "${env:YES}", "timeout": "${env:N}s")"),
            Lines{});
  EXPECT_EQ(own.integer("workers"), 7);
  EXPECT_TRUE(own.boolean("follow"));
  EXPECT_EQ(own.duration("timeout"), Milliseconds(7000));
  EXPECT_EQ(parse(R"("workers": "7")").size(), 1U) << "without a variable a number is no string";
}

TEST_F(ParserTest, never_shows_the_value_of_a_variable) {
  for (const char* members : {R"("workers": "${env:SECRET}")", R"("follow": "${env:SECRET}")",
                              R"("method": "${env:SECRET}")", R"("timeout": "${env:SECRET}")",
                              R"("chunk": "${env:SECRET}")", R"("tls": "${env:SECRET}")",
                              R"("columns": ["${env:SECRET}"])", R"("headers": "${env:SECRET}")"}) {
    Lines lines = parse(members);
    ASSERT_EQ(lines.size(), 1U) << members;
    EXPECT_EQ(lines[0].find("hunter2"), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("${env:SECRET}"), std::string::npos) << lines[0];
  }
}

TEST_F(ParserTest, never_shows_the_value_of_a_secret_option) {
  Lines lines = parse(R"("password": 123456, "pin": 123456)");
  EXPECT_EQ(lines, (Lines{"pipelines[0].sink.password: must be a string, found a number",
                          "pipelines[0].sink.pin: must be between 0 and 9999, found a number"}));
}

TEST_F(ParserTest, says_nothing_more_about_a_variable_without_value) {
  EXPECT_EQ(parse_object(R"({"url": "${env:NOPE}", "workers": "${env:NOPE}"})"),
            (Lines{"url: environment variable NOPE is not set",
                   "workers: environment variable NOPE is not set"}));
}

}  // namespace
}  // namespace leat
