// leat test: what pipelines make of inputs, against what the configuration expects.
#include <cjson/cJSON.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "base/units.h"
#include "cli/answer.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "config/pipeline_tests.h"
#include "control/agent.h"
#include "options/problem_words.h"
#include "task/trial.h"

namespace leat {
namespace {

Json parsed(const std::string& text) {
  return {cJSON_Parse(text.c_str()), cJSON_Delete};
}

bool is_same(const PipelineTest::Expected& expected, const TrialRecord& record,
             const TrialRecord& sent) {
  if (!expected.is_json) return expected.text == sent.text;
  Json wanted = parsed(expected.text);
  Json found = parsed(record.text);
  return found != nullptr && cJSON_Compare(wanted.get(), found.get(), 1) != 0;
}

// The records that `sent` was written from, or itself where they were not decoded.
const std::vector<TrialRecord>& records_of(const Trial& trial) {
  for (size_t i = trial.stages.size(); i-- > 0;)
    if (const auto& records = trial.stages[i].records;
        records.size() == trial.sent.size() && !records.empty() && records[0].is_record)
      return records;
  return trial.sent;
}

void compare_records(const PipelineTest& test, const Trial& trial, std::string& differences) {
  const std::vector<TrialRecord>& records = records_of(trial);
  for (size_t i = 0; i < std::max(test.expect->size(), trial.sent.size()); ++i) {
    const PipelineTest::Expected* expected = i < test.expect->size() ? &(*test.expect)[i] : nullptr;
    const bool made = i < trial.sent.size();
    if (expected != nullptr && made && is_same(*expected, records[i], trial.sent[i])) continue;
    differences += "  record " + std::to_string(i + 1) + "\n";
    if (expected != nullptr) differences += "    - " + expected->text + "\n";
    if (made)
      differences += "    + " +
                     (expected != nullptr && !expected->is_json ? trial.sent[i] : records[i]).text +
                     "\n";
  }
}

void compare_dead(const PipelineTest& test, const Trial& trial, std::string& differences) {
  std::vector<const TrialDeadLetter*> dead;
  for (const TrialStage& stage : trial.stages)
    for (const TrialDeadLetter& letter : stage.dead_letters) dead.push_back(&letter);
  for (size_t i = 0; i < std::max(test.dead.size(), dead.size()); ++i) {
    const std::string* expected = i < test.dead.size() ? &test.dead[i] : nullptr;
    if (expected != nullptr && i < dead.size() &&
        dead[i]->reason.find(*expected) != std::string::npos)
      continue;
    differences += "  dead letter " + std::to_string(i + 1) + "\n";
    if (expected != nullptr)
      differences += "    - " + (expected->empty() ? "for any reason" : *expected) + "\n";
    if (i < dead.size())
      differences += "    + line " + std::to_string(dead[i]->line) + ": " + dead[i]->reason + "\n";
  }
}

// What differs; "" when nothing does.
std::string run_test(const PipelineTest& test, const AgentConfig& config, const Clock& clock) {
  Result<const PipelineConfig*> pipeline = pipeline_called(config, test.pipeline);
  if (!pipeline) return "  " + pipeline.error().message() + "\n";
  Result<Trial> trial =
      try_pipeline(**pipeline, {.bytes = test.input, .address = test.topic}, clock);
  if (!trial) return "  " + trial.error().message() + "\n";
  std::string differences;
  if (test.expect) compare_records(test, *trial, differences);
  compare_dead(test, *trial, differences);
  return differences;
}

std::optional<std::vector<PipelineTest>> tests_of(const std::string& file,
                                                  const CommandCall& call) {
  Problems problems;
  std::vector<PipelineTest> tests;
  for (const ConfigFile& read : read_config_files(file, problems))
    std::ranges::move(load_tests(read, {call.environment.env, read_text}, problems),
                      std::back_inserter(tests));
  if (problems.errors() == 0) return tests;
  for (const std::string& line : problem_lines(file, problems)) complain(line);
  return std::nullopt;
}

int test_all(const CommandCall& call) {
  const std::string& file = call.options.string("config");
  if (file == "-") {
    complain("leat: test needs a configuration in a file");
    return kExitUsage;
  }
  Problems problems;
  std::optional<AgentConfig> config = load_config_of(call, problems);
  if (!config) {
    for (const std::string& line : problem_lines(file, problems)) complain(line);
    return kExitUsage;
  }
  std::vector<std::string> files = call.options.strings("tests");
  if (files.empty()) files.push_back(file);
  size_t failed = 0;
  size_t count = 0;
  for (const std::string& each : files) {
    std::optional<std::vector<PipelineTest>> tests = tests_of(each, call);
    if (!tests) return kExitUsage;
    for (const PipelineTest& test : *tests) {
      std::string differences = run_test(test, *config, call.environment.clock);
      std::string name = test.name.empty() ? test.path : test.name;
      print((differences.empty() ? "ok: " : "failed: ") + name + "\n" + differences);
      failed += differences.empty() ? 0 : 1;
      ++count;
    }
  }
  if (count == 0) {
    complain("leat: " + files[0] + " has no \"tests\"");
    return kExitUsage;
  }
  print(format_count(count, "test") + ", " + format_count(failed) + " failed\n");
  return failed == 0 ? kExitDelivered : kExitFailed;
}

constexpr Option kOptions[] = {
    kConfigOption,
    {.name = "data-dir", .type = OptionType::kString, .help = "As for run. Nothing is written."},
    {.name = "tests",
     .type = OptionType::kStrings,
     .help = "A file with the tests, in place of the configuration; may be given several times."}};

}  // namespace

extern constexpr Command kTestCommand{
    .name = "test",
    .help =
        "Runs the \"tests\" of a configuration: what its pipelines make of an input, without "
        "network and journal. Shows what differs from what is expected (-) and what came (+); "
        "exit code 1 when anything does.",
    .options = kOptions,
    .run = test_all};

}  // namespace leat
