#include "cli/config_file.h"

#include "base/text.h"
#include "cli/output.h"
#include "config/problem_words.h"

namespace leat {
namespace {

constexpr char kUsualDataDir[] = "/var/lib/leat";  // of the packages (board/)

}  // namespace

std::optional<AgentConfig> load_config_of(const CommandCall& call, Problems& problems) {
  Result<std::string> text = read_text(call.options.string("config"));
  if (!text) {
    problems.add({.kind = Problem::Kind::kSyntax, .text = text.error().message()});
    return std::nullopt;
  }
  LoadContext context{connectors(),
                      {call.environment.env, read_text},
                      call.options.string("data-dir"),
                      call.environment.host_name};
  return load_config(*text, context, problems);
}

std::vector<std::string> problem_lines(const std::string& path, const Problems& problems) {
  std::string file = path == "-" ? "standard input" : path;
  std::vector<std::string> lines = lines_of(problems, file);
  std::string count = std::to_string(lines.size());
  lines.push_back("leat: " + file + ": " + count + (lines.size() == 1 ? " error" : " errors"));
  return lines;
}

Result<const PipelineConfig*> pipeline_called(const AgentConfig& config, const std::string& name) {
  if (name.empty() && config.pipelines.size() == 1) return &config.pipelines[0];
  if (name.empty()) return fail(ErrorKind::kUsage, "which pipeline? There are several");
  std::vector<std::string> names;
  for (const PipelineConfig& pipeline : config.pipelines) {
    if (pipeline.name == name) return &pipeline;
    names.push_back(pipeline.name);
  }
  std::string near = nearest(name, names);
  return fail(ErrorKind::kUsage, "no pipeline is called \"" + excerpt(name) + "\"" +
                                     (near.empty() ? "" : ", did you mean \"" + near + "\"?"));
}

std::optional<std::string> asked_data_dir(const CommandCall& call) {
  const std::string& config_path = call.options.string("config");
  const std::string& data_dir = call.options.string("data-dir");
  if (config_path.empty()) return data_dir.empty() ? kUsualDataDir : data_dir;
  Problems problems;
  std::optional<AgentConfig> config = load_config_of(call, problems);
  if (config) return config->data_dir;
  for (const std::string& line : problem_lines(config_path, problems)) complain(line);
  return std::nullopt;
}

}  // namespace leat
