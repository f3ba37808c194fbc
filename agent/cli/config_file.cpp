#include "cli/config_file.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/answer.h"
#ifdef LEAT_IMPORT
#include "cli/import/data_dir.h"
#include "cli/import/datax.h"
#endif
#include "cli/output.h"
#include "config/effective.h"
#include "config/letter_pipeline.h"
#ifdef LEAT_CONTROL_TOPIC
#include "control/auth/sealing_key.h"
#endif
#include "options/problem_words.h"

namespace leat {
namespace {

std::string text_of(const std::vector<ConfigFile>& files) {
  if (files.size() == 1) return files.front().text;
  Json array(cJSON_CreateArray(), cJSON_Delete);
  for (const ConfigFile& file : files) {
    cJSON* one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "name", file.name.c_str());
    cJSON_AddStringToObject(one, "text", file.text.c_str());
    cJSON_AddItemToArray(array.get(), one);
  }
  return printed(array.get());
}

// A configuration is an object, so an array of names and texts is that of several files. Any other
// is a mistake, of which the loader says so.
std::vector<ConfigFile> files_of(const std::string& text) {
  Json array(text.starts_with('[') ? cJSON_Parse(text.c_str()) : nullptr, cJSON_Delete);
  std::vector<ConfigFile> files;
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, array.get()) {
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(one, "text")) == 0)
      return {{.name = "", .text = text}};
    files.push_back({leat::text(one, "name"), leat::text(one, "text")});
  }
  if (files.empty()) files.push_back({.name = "", .text = text});
  return files;
}

#ifdef LEAT_IMPORT
std::vector<ConfigFile> imported_files(const CommandCall& call, Problems& problems) {
  const std::string& path = call.options.string("datax");
  const std::string& data_dir = call.options.string("data-dir");
  if (Result<std::string> text = read_text(path); !text) {
    problems.add({.kind = Problem::Kind::kSyntax, .text = text.error().message()});
  } else if (auto config = import_datax(
                 *text, path, data_dir.empty() ? imported_data_dir(path) : data_dir, problems)) {
    return {{.name = "", .text = *std::move(config)}};
  }
  return {};
}
#endif

// Of the configuration that is to run.
std::vector<ConfigFile> written_files(const CommandCall& call, Problems& problems) {
#ifdef LEAT_IMPORT
  if (call.options.has("datax")) return imported_files(call, problems);
#endif
  return read_config_files(call.options.string("config"), problems);
}

}  // namespace

const std::string& config_path(const CommandCall& call) {
#ifdef LEAT_IMPORT
  if (call.options.has("datax")) return call.options.string("datax");
#endif
  return call.options.string("config");
}

LoadContext load_context_of(const CommandCall& call) {
  LoadContext out{connectors(),
                  {call.environment.env, read_text},
                  call.options.string("data-dir"),
                  call.environment.host_name};
#ifdef LEAT_CONTROL_TOPIC
  out.variables.sealed = control::open_sealed;
#endif
  return out;
}

std::optional<AgentConfig> load_config_of(const CommandCall& call, Problems& problems,
                                          bool open_files) {
  std::vector<ConfigFile> files = read_config_files(call.options.string("config"), problems);
  if (problems.errors() > 0) return std::nullopt;
  LoadContext context = load_context_of(call);
  context.open_files = open_files;
  return load_config(files, context, problems);
}

std::optional<std::string> config_text(const std::string& path, Problems& problems) {
  std::vector<ConfigFile> files = read_config_files(path, problems);
  if (problems.errors() > 0) return std::nullopt;
  return text_of(files);
}

std::optional<WrittenConfig> load_written_config(const CommandCall& call, Problems& problems) {
  std::vector<ConfigFile> files = written_files(call, problems);
  if (problems.errors() > 0) return std::nullopt;
  std::optional<AgentConfig> config = load_config(files, load_context_of(call), problems);
  if (!config) return std::nullopt;
  return WrittenConfig{text_of(files), *std::move(config)};
}

std::optional<AgentConfig> read_config_text(const LoadContext& context, const std::string& text,
                                            Problems& problems) {
  return load_config(files_of(text), context, problems);
}

#if defined(LEAT_ADMIN) || defined(LEAT_TOOLS)
std::string shown_config_text(const LoadContext& context, const std::string& text) {
  Problems problems;
  std::vector<ConfigFile> files = files_of(text);
  std::optional<AgentConfig> config = load_config(files, context, problems);
  return config ? effective_config(files, context, *config) : "";
}
#endif

std::vector<std::string> problem_lines(const std::string& path, const Problems& problems) {
  std::string file = path == "-" ? "standard input" : path;
  std::vector<std::string> lines = lines_of(problems);
  const size_t errors = problems.errors();
  const size_t warnings = problems.size() - errors;
  std::string counts = errors == 0 ? "" : format_count(errors, "error");
  if (warnings > 0) counts += (counts.empty() ? "" : ", ") + format_count(warnings, "warning");
  lines.push_back("leat: " + file + ": " + counts);
  return lines;
}

Result<const PipelineConfig*> pipeline_called(const AgentConfig& config, const std::string& name) {
  auto found = [](const PipelineConfig& pipeline) -> Result<const PipelineConfig*> {
    if (pipeline.complete()) return &pipeline;
    return fail(ErrorKind::kUsage,
                pipeline.name + ": has a ${param:…} without a default, which only a run knows");
  };
  const PipelineConfig* only = nullptr;  // besides those that were made for its dead letters
  size_t count = 0;
  for (const PipelineConfig& one : config.pipelines) {
    if (is_letter_pipeline(one, config.pipelines)) continue;
    only = &one;
    ++count;
  }
  if (name.empty() && count == 1) return found(*only);
  if (name.empty()) return fail(ErrorKind::kUsage, "which pipeline? There are several");
  std::vector<std::string> names;
  for (const PipelineConfig& pipeline : config.pipelines) {
    if (pipeline.name == name) return found(pipeline);
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
  if (!data_dir.empty()) return data_dir;
  Problems problems;
  const std::vector<ConfigFile> files = read_config_files(config_path, problems);
  std::optional<std::string> found = load_data_dir(files, load_context_of(call), problems);
  if (found) return found;
  for (const std::string& line : problem_lines(config_path, problems)) complain(line);
  return std::nullopt;
}

}  // namespace leat
