#include "options/options.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

constexpr Option kTls[] = {
    {.name = "ca", .help = "File."},
    {.name = "verify", .type = OptionType::kBool, .fallback = "true", .help = "Check the peer."},
};
constexpr Option kColumn[] = {{.name = "name", .required = true, .help = "Name."}};
constexpr Option kTable[] = {
    {.name = "url", .required = true, .help = "Where to."},
    {.name = "method", .fallback = "POST", .help = "Verb."},
    {.name = "retries", .type = OptionType::kInteger, .fallback = "5", .help = "How often."},
    {.name = "follow", .type = OptionType::kBool, .help = "Go on."},
    {.name = "chunk", .type = OptionType::kBytes, .fallback = "8MiB", .help = "Size."},
    {.name = "timeout", .type = OptionType::kDuration, .fallback = "30s", .help = "Time."},
    {.name = "paths", .type = OptionType::kStrings, .fallback = "*", .help = "Files."},
    {.name = "headers", .type = OptionType::kMap, .help = "Lines."},
    {.name = "tls", .type = OptionType::kObject, .help = "Encryption.", .fields = kTls},
    {.name = "columns", .type = OptionType::kObjects, .help = "Columns.", .fields = kColumn},
};

TEST(Options, are_filled_with_the_defaults_of_the_table) {
  Options options(kTable);
  EXPECT_EQ(options.string("method"), "POST");
  EXPECT_EQ(options.integer("retries"), 5);
  EXPECT_EQ(options.bytes("chunk"), 8 << 20);
  EXPECT_EQ(options.duration("timeout"), Milliseconds(30'000));
  EXPECT_EQ(options.strings("paths"), std::vector<std::string>{"*"});
  EXPECT_TRUE(options.boolean("tls.verify"));
  EXPECT_TRUE(options.object("tls").boolean("verify"));
}

TEST(Options, mean_the_same_when_a_default_is_spelled_out) {
  Options plain(kTable, "pipelines[0].sink");
  Options spelled(kTable, "pipelines[7].sink");
  EXPECT_EQ(plain, spelled);
  spelled.set("method", std::string("POST"));
  spelled.set("tls.verify", true);
  EXPECT_EQ(plain, spelled);
  plain.set("columns", std::vector<Options>{Options(kColumn)});
  EXPECT_NE(plain, spelled);
  spelled.set("columns", std::vector<Options>{Options(kColumn, "columns[0]")});
  EXPECT_EQ(plain, spelled);
}

TEST(Options, mean_something_else_with_another_value) {
  auto with = [](std::string_view name, Options::Item item) {
    Options options(kTable);
    options.set(name, std::move(item));
    return options;
  };
  Options plain(kTable);
  EXPECT_NE(plain, with("method", std::string("PUT")));
  EXPECT_NE(plain, with("tls.ca", std::string("ca.pem")));
  EXPECT_NE(plain, with("follow", false));  // what has no default may mean more than its absence
  EXPECT_NE(with("headers", Options::Map{{"a", "1"}, {"b", "2"}}),
            with("headers", Options::Map{{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(plain, Options(kTls));
}

TEST(Options, without_value_and_default_are_empty_and_not_there) {
  Options options(kTable);
  EXPECT_FALSE(options.has("url"));
  EXPECT_FALSE(options.has("follow"));
  EXPECT_FALSE(options.has("tls"));
  EXPECT_FALSE(options.has("tls.ca"));
  EXPECT_FALSE(options.has("columns"));
  EXPECT_EQ(options.string("url"), "");
  EXPECT_FALSE(options.boolean("follow"));
  EXPECT_TRUE(options.map("headers").empty());
  EXPECT_TRUE(options.objects("columns").empty());
}

TEST(Options, with_a_default_are_there) {
  Options options(kTable);
  EXPECT_TRUE(options.has("method"));
  EXPECT_TRUE(options.has("tls.verify"));
}

TEST(Options, give_back_what_was_set) {
  Options options(kTable, "pipelines[0].sink");
  options.set("url", "http://x");
  options.set("retries", int64_t{7});
  options.set("follow", true);
  options.set("headers", Options::Map{{"B", "2"}, {"A", "1"}});
  EXPECT_EQ(options.string("url"), "http://x");
  EXPECT_EQ(options.integer("retries"), 7);
  EXPECT_TRUE(options.boolean("follow"));
  EXPECT_EQ(options.map("headers")[0].first, "B") << "the user's order is kept";
  EXPECT_EQ(options.path("url"), "pipelines[0].sink.url");
}

TEST(Options, reach_into_objects_by_dotted_names) {
  Options options(kTable, "sink");
  options.set("tls.ca", "/etc/ca.pem");
  EXPECT_TRUE(options.has("tls"));
  EXPECT_EQ(options.string("tls.ca"), "/etc/ca.pem");
  EXPECT_TRUE(options.boolean("tls.verify"));
  EXPECT_EQ(options.object("tls").path("ca"), "sink.tls.ca");
}

TEST(Options, of_a_copy_do_not_change_the_original) {
  Options original(kTable);
  original.set("tls.ca", "first");
  Options copy = original;
  copy.set("tls.ca", "second");
  EXPECT_EQ(original.string("tls.ca"), "first");
  EXPECT_EQ(copy.string("tls.ca"), "second");
}

TEST(Options, keep_lists_of_objects) {
  Options options(kTable);
  Options column(kColumn, "columns[0]");
  column.set("name", "temp");
  options.set("columns", std::vector<Options>{column});
  ASSERT_EQ(options.objects("columns").size(), 1U);
  EXPECT_EQ(options.objects("columns")[0].string("name"), "temp");
}

TEST(OptionsDeathTest, abort_on_names_and_types_that_the_table_lacks) {
#ifdef LEAT_EMULATED
  GTEST_SKIP() << "the emulator's guest cannot start its binary again";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Options options(kTable);
  EXPECT_DEATH(options.string("ulr"), "option options.ulr: no such option");
  EXPECT_DEATH(options.integer("url"), "asked for as another type");
  EXPECT_DEATH(options.duration("chunk"), "asked for as another type");
  EXPECT_DEATH(options.set("url", true), "set to another type");
}

}  // namespace
}  // namespace leat
