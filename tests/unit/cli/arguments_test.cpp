#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "cli/command_help.h"

namespace leat {
namespace {

const SystemClock kClock;
const CliEnvironment kEnvironment{[](const std::string&) { return std::nullopt; }, "host", kClock};

Result<CommandCall> parse(std::vector<std::string> words) {
  return parse_arguments(words, kEnvironment);
}

std::string name_of(std::vector<std::string> words) {
  Result<CommandCall> call = parse(std::move(words));
  return call ? std::string(call->command->name) : call.error().message();
}

std::string error_of(std::vector<std::string> words) {
  Result<CommandCall> call = parse(std::move(words));
  return call ? "no error" : call.error().message();
}

TEST(Arguments, of_run_in_all_spellings) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "-c", "x", "--data-dir", "d", "--log-level", "warn"},
        {"run", "--config=x", "--data-dir=d", "--log-level=warn"},
        {"run", "--log-level=warn", "--config", "x", "--data-dir", "d"}}) {
    Result<CommandCall> call = parse(words);
    ASSERT_TRUE(call) << call.error().message();
    EXPECT_EQ(call->command->name, "run");
    EXPECT_EQ(call->options.string("config"), "x");
    EXPECT_EQ(call->options.string("data-dir"), "d");
    EXPECT_EQ(call->options.string("log-level"), "warn");
  }
}

TEST(Arguments, read_standard_input_for_a_dash) {
  EXPECT_EQ(parse({"check", "-c", "-"})->options.string("config"), "-");
}

TEST(Arguments, have_the_defaults_of_the_table) {
  Result<CommandCall> call = parse({"run", "-c", "x"});
  EXPECT_EQ(call->options.string("log-level"), "info");
  EXPECT_FALSE(call->options.has("data-dir"));
  EXPECT_FALSE(parse({"status"})->options.boolean("watch"));
}

TEST(Arguments, know_commands_that_need_no_configuration) {
  EXPECT_EQ(name_of({"--help"}), "help");
  EXPECT_EQ(name_of({"--version"}), "version");
  EXPECT_EQ(name_of({"ports"}), "ports");
  EXPECT_EQ(parse({"help", "http"})->word(0), "http");
  EXPECT_TRUE(parse({"help", "--schema"})->options.boolean("schema"));
}

TEST(Arguments, that_ask_for_help_on_a_command_need_nothing_else) {
  Result<CommandCall> call = parse({"pause", "--help"});
  ASSERT_TRUE(call) << call.error().message();
  EXPECT_EQ(call->command->name, "help");
  EXPECT_EQ(call->word(0), "leat pause");
}

TEST(Arguments, that_are_wrong_come_with_a_suggestion) {
  EXPECT_EQ(error_of({}), "no command given");
  EXPECT_EQ(error_of({"chekc"}), "unknown command \"chekc\", did you mean \"check\"?");
  EXPECT_EQ(error_of({"frobnicate"}), "unknown command \"frobnicate\"");
  EXPECT_EQ(error_of({"run", "--confg", "x"}),
            "unknown option \"--confg\" of run, did you mean \"--config\"?");
  EXPECT_EQ(error_of({"check", "-c", "x", "--log-level", "warn"}),
            "unknown option \"--log-level\" of check");
  EXPECT_EQ(error_of({"ports", "-c", "x"}), "unknown option \"-c\" of ports");
  EXPECT_EQ(error_of({"run", "x.json"}),
            "unexpected argument \"x.json\", did you mean \"leat run -c x.json\"?");
  EXPECT_EQ(error_of({"run"}), "-c, --config FILE is missing. Write: leat run -c FILE");
  EXPECT_EQ(error_of({"pause"}), "PIPELINE is missing. Write: leat pause PIPELINE");
  EXPECT_EQ(error_of({"run", "-c"}), "-c needs a value behind it");
  EXPECT_EQ(error_of({"run", "--config="}), "--config needs a value that is not empty");
  EXPECT_EQ(error_of({"run", "-c", "a", "--config", "b"}), "--config is given twice");
  EXPECT_EQ(error_of({"run", "-c", "a", "--log-level", "wran"}),
            "--log-level must be one of debug, info, warn, error, found \"wran\", did you mean "
            "\"warn\"?");
  EXPECT_EQ(error_of({"help", "--schema=x"}), "--schema takes no value");
  EXPECT_EQ(error_of({"help", "a", "b"}), "unexpected argument \"b\"");
}

#ifdef LEAT_IMPORT
TEST(Arguments, may_have_another_in_the_place_of_a_required_one_but_not_both) {
  EXPECT_EQ(parse({"run", "--datax", "job.json"})->options.string("datax"), "job.json");
  EXPECT_EQ(error_of({"run", "--datax", "job.json", "-c", "x"}),
            "-c, --config FILE is given, and another in its place");
}
#endif

TEST(Commands, have_one_table_that_help_shows) {
  for (const Command* command : commands()) {
    std::string name(command->name);
    EXPECT_TRUE(command->help.ends_with('.')) << name;
    EXPECT_NE(commands_overview().find("leat " + name), std::string::npos) << name;
    EXPECT_NE(command_help(name).find("leat " + name), std::string::npos) << name;
    for (const Option& option : command->options) {
      EXPECT_TRUE(option.help.ends_with('.')) << name << " " << option.name;
      EXPECT_NE(command_help(name).find("--" + std::string(option.name)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace leat
