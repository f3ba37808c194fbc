// `deadLetters.sink`: a pipeline of its own that follows another one's file of dead letters, and
// brings them to that sink. So they are on the disk first, and what holds for every pipeline holds
// for them: retries, positions, dead letters of their own, and a line in `leat status`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/parser.h"
#include "config/stages.h"
#include "plan/pipeline_config.h"

namespace leat {

// How its name ends, behind that of the other.
inline constexpr std::string_view kLetterPipeline = ".deadLetters";

// `path` is that of the sink (`node`). Nothing where something is wrong, which the parser has been
// told.
std::optional<PipelineConfig> letter_pipeline(Parser& parser, const StageContext& context,
                                              const cJSON* node, const std::string& path,
                                              const PipelineConfig& of,
                                              const std::string& data_dir);

// Whether it is one, of another of these.
bool is_letter_pipeline(const PipelineConfig& one, const std::vector<PipelineConfig>& all);

}  // namespace leat
