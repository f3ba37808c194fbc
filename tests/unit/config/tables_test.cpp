// Every option table of this build, walked: a mistake in one is found here, not by a user.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "config/catalogue.h"
#include "config/docs.h"
#include "config/wording.h"
#include "stage/format.h"

namespace leat {
namespace {

bool is_camel_case(std::string_view name) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, good);
}

bool is_number(OptionType type) {
  return type == OptionType::kInteger || type == OptionType::kBytes ||
         type == OptionType::kDuration;
}

// The default as a number in the unit of min and max.
int64_t fallback_number(const Option& option) {
  Options options({&option, 1});
  if (option.type == OptionType::kInteger) return options.integer(option.name);
  if (option.type == OptionType::kBytes) return options.bytes(option.name);
  return options.duration(option.name).count();
}

void check_fallback(const Option& option, const std::string& path) {
  if (option.fallback.empty()) return;
  EXPECT_FALSE(option.required) << path << " is required, so its default is never used";
  EXPECT_FALSE(option.secret) << path << " has a default that everybody knows";
  if (option.type == OptionType::kMap || option.type == OptionType::kObject ||
      option.type == OptionType::kObjects) {
    ADD_FAILURE() << path << " cannot have a default: it is not a scalar";
    return;
  }
  Options parsed({&option, 1});  // aborts when the default does not parse
  EXPECT_TRUE(parsed.has(option.name)) << path;
  if (is_number(option.type)) {
    EXPECT_GE(fallback_number(option), option.min) << path;
    EXPECT_LE(fallback_number(option), option.max) << path;
  }
  bool is_choice = std::ranges::find(option.choices, option.fallback) != option.choices.end();
  EXPECT_TRUE(option.choices.empty() || is_choice)
      << path << ": the default is none of the choices";
}

void check_table(std::span<const Option> options, const std::string& path) {
  std::set<std::string_view> names;
  for (const Option& option : options) {
    std::string here = path + "." + std::string(option.name);
    EXPECT_TRUE(is_camel_case(option.name)) << here << " is not camelCase";
    EXPECT_TRUE(names.insert(option.name).second) << here << " stands in the table twice";
    EXPECT_TRUE(option.help.ends_with('.')) << here << ": help does not end with a full stop";
    EXPECT_LE(option.help.size(), 400U) << here << ": help is too long for a table";
    EXPECT_EQ(option.help.find('\n'), std::string_view::npos) << here;
    EXPECT_LE(option.min, option.max) << here;
    bool nested = option.type == OptionType::kObject || option.type == OptionType::kObjects;
    EXPECT_TRUE(nested || option.fields.empty()) << here << " has fields but is no object";
    EXPECT_TRUE(!nested || !option.fields.empty() || is_format_object(option) || path == "config" ||
                here.ends_with("deadLetters.sink") || here == "config.notify.to")
        << here << " is an object without fields";
    bool texts = option.type == OptionType::kString || option.type == OptionType::kStrings;
    EXPECT_TRUE(texts || option.choices.empty()) << here << " has choices but is no string";
    check_fallback(option, here);
    check_table(option.fields, here);
  }
}

TEST(Tables, of_this_build_are_well_formed) {
  for (const Topic& topic : catalogue(connectors())) {
    EXPECT_FALSE(topic.name.empty());
    EXPECT_TRUE(topic.help.ends_with('.')) << topic.name << ": " << topic.help;
    check_table(topic.options, topic.name);
    for (const Option& option : topic.options)
      EXPECT_NE(option.name, "type") << topic.name << " uses the engine's own key";
  }
}

TEST(Tables, name_formats_that_exist) {
  for (const SourceType* source : connectors().sources) {
    bool formatted = source->produces != Produces::kRecords;
    EXPECT_EQ(find_read_format(source->default_format) != nullptr, formatted) << source->name;
    EXPECT_NE(source->make, nullptr) << source->name;
    EXPECT_NE(source->replay, nullptr) << source->name;
  }
  for (const SinkType* sink : connectors().sinks) {
    bool formatted = sink->consumes == Consumes::kSlices;
    EXPECT_EQ(find_write_format(sink->default_format) != nullptr, formatted) << sink->name;
    EXPECT_NE(sink->make, nullptr) << sink->name;
    EXPECT_GE(sink->default_in_flight, 1) << sink->name;
    EXPECT_LE(sink->default_in_flight, sink->max_in_flight) << sink->name;
  }
}

TEST(Tables, are_what_the_committed_schema_was_made_from) {
  if (!connectors().left_out.empty() || find_read_format("csv") == nullptr ||
      find_read_format("xml") == nullptr || find_read_format("avro") == nullptr)
    GTEST_SKIP() << "the schema in the repository is that of a build with everything in it";
  std::ifstream file(LEAT_SOURCE_DIR "/config/schema.json");
  std::stringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(committed.str(), json_schema(connectors()))
      << "config/schema.json is stale: run scripts/generate-docs";
}

}  // namespace
}  // namespace leat
