// Loads configurations with made-up stages (config/fake_registry.h), secrets and variables.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/fake_registry.h"
#include "config/loader.h"
#include "options/problem_words.h"

namespace leat {

using Lines = std::vector<std::string>;

class LoaderTest : public ::testing::Test {
 protected:
  std::optional<AgentConfig> load(const std::string& text) {
    LoadContext context{registry, {}, data_dir, "gw-042"};
    context.only = only;
    context.variables.parameters = parameters;
    context.variables.env = [](const std::string& name) -> std::optional<std::string> {
      if (name == "URL") return "http://collector";
      if (name == "SECRET") return "hunter2";
      return std::nullopt;
    };
    context.variables.file = [](const std::string& path) -> Result<std::string> {
      return fail(ErrorKind::kUsage, "open " + path + ": no such file or directory");
    };
    context.variables.sealed = [](const std::string& folder,
                                  const std::string& sealed) -> Result<std::string> {
      if (folder == "/d" && sealed == "good") return std::string("p:a/s@s word");
      if (folder == "/d" && sealed == "seven") return std::string("7");
      return fail(ErrorKind::kUsage, "was sealed to another key, or has been changed since");
    };
    Problems problems;
    std::optional<AgentConfig> config = load_config(text, context, problems);
    lines.clear();
    for (const Problem& problem : problems.all())  // of warnings: warnings_test.cpp
      if (!problem.warning) lines.push_back(line_of(problem));
    return config;
  }

  // The problems of a file with one good pipeline, to which `members` are added.
  Lines problems_with(const std::string& members, const std::string& agent = "") {
    load(R"({"agent": {"dataDir": "/d")" + agent + R"(}, "pipelines": [{
             "source": {"type": "tank", "path": "x"},
             "sink": {"type": "drain", "url": "http://x"})" +
         members + "}]}");
    return lines;
  }

  Lines problems_of_source(const std::string& source) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": )" + source +
         R"(, "sink": {"type": "drain", "url": "http://x"}}]})");
    return lines;
  }

  Lines problems_of_sink(const std::string& sink) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
             {"source": {"type": "tank", "path": "x"}, "sink": )" +
         sink + "}]}");
    return lines;
  }

  Registry registry = fake::registry();
  std::string data_dir;
  std::string only;
  std::map<std::string, std::string> parameters;
  Lines lines;
};

}  // namespace leat
