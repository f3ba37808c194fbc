// `tests` of a configuration: what a pipeline's formats and transforms are to make of an input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/parser.h"
#include "config/substitute.h"

namespace leat {

struct PipelineTest {
  // What is expected of one record: as JSON, compared by value; or else its text as it is written.
  struct Expected {
    std::string text;
    bool is_json = false;
  };

  std::string path;      // "tests[0]"
  std::string name;      // may be empty
  std::string pipeline;  // empty: the only one
  std::string topic;
  std::string input;
  std::optional<std::vector<Expected>> expect;  // nothing said of it otherwise
  std::vector<std::string> dead;                // a part of each one's reason, in order; "" for any
};

std::span<const Option> pipeline_test_options();
inline constexpr std::string_view kPipelineTestKeys[] = {"input", "expect", "expectDead"};

// Those under `root`, and what is wrong with them.
std::vector<PipelineTest> read_tests(const cJSON* root, Parser& parser);

// From the text of a file, which may hold pipelines, too. Empty when there are problems.
std::vector<PipelineTest> load_tests(const ConfigFile& file, const Variables& variables,
                                     Problems& problems);

}  // namespace leat
