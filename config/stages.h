// Reads the stages of a pipeline: their `type` says which tables the other keys are checked
// against.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/parser.h"
#include "plan/pipeline_config.h"
#include "stage/registry.h"

namespace leat {

// What a stage at `path`, or the planner, says. It may not say of which option.
std::vector<Problem> said_by_stage(const std::string& path, const Error& error);

// Names become parts of file names.
bool good_name(std::string_view name);
// The same; false when it is none, which was reported.
bool check_name(Problems& problems, const std::string& path, std::string_view name);

// What stages are read against.
struct StageContext {
  const Registry& registry;
  bool open_files = false;  // as LoadContext::open_files
};

// False when something was reported. `node` is null when the key is missing.
bool load_source(Parser& parser, const StageContext& context, const cJSON* node,
                 const std::string& path, SourceConfig& out);
bool load_transform(Parser& parser, const cJSON* node, const std::string& path,
                    TransformConfig& out);
bool load_sink(Parser& parser, const StageContext& context, const cJSON* node,
               const std::string& path, SinkConfig& out);

}  // namespace leat
