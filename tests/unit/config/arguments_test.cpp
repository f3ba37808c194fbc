#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

using Command = Arguments::Command;

Result<Arguments> parse(std::vector<std::string> words) {
  return parse_arguments(words);
}

std::string error_of(std::vector<std::string> words) {
  Result<Arguments> arguments = parse_arguments(words);
  return arguments ? "no error" : arguments.error().message();
}

TEST(Arguments, of_run_in_all_spellings) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"run", "-c", "x", "--data-dir", "d", "--log-level", "warn"},
        {"run", "--config=x", "--data-dir=d", "--log-level=warn"},
        {"run", "--log-level=warn", "--config", "x", "--data-dir", "d"}}) {
    Result<Arguments> arguments = parse(words);
    ASSERT_TRUE(arguments) << arguments.error().message();
    EXPECT_EQ(arguments->command, Command::kRun);
    EXPECT_EQ(arguments->config, "x");
    EXPECT_EQ(arguments->data_dir, "d");
    EXPECT_EQ(arguments->log_level, log::Level::kWarn);
  }
}

TEST(Arguments, read_standard_input_for_a_dash) {
  EXPECT_EQ(parse({"check", "-c", "-"})->config, "-");
}

TEST(Arguments, know_commands_that_need_no_configuration) {
  EXPECT_EQ(parse({"--help"})->command, Command::kHelp);
  EXPECT_EQ(parse({"run", "--help"})->command, Command::kHelp);
  EXPECT_EQ(parse({"--version"})->command, Command::kVersion);
  EXPECT_EQ(parse({"ports"})->command, Command::kPorts);
  EXPECT_EQ(parse({"help", "http"})->topic, "http");
  EXPECT_TRUE(parse({"help", "--schema"})->schema);
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
  EXPECT_EQ(error_of({"run"}), "which configuration? Write: leat run -c FILE");
  EXPECT_EQ(error_of({"run", "-c"}), "-c needs a value behind it");
  EXPECT_EQ(error_of({"run", "--config="}), "--config needs a value that is not empty");
  EXPECT_EQ(error_of({"run", "-c", "a", "-c", "b"}),
            "-c is given twice: leat runs one configuration");
  EXPECT_EQ(error_of({"run", "-c", "a", "--log-level", "wran"}),
            "--log-level must be one of debug, info, warn, error, found \"wran\", did you mean "
            "\"warn\"?");
  EXPECT_EQ(error_of({"help", "--schema=x"}), "--schema takes no value");
  EXPECT_EQ(error_of({"help", "a", "b"}), "unexpected argument \"b\"");
}

}  // namespace
}  // namespace leat
