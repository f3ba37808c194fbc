// Documentation out of the option tables: `leat help` and the tables of the README files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stage/registry.h"

namespace leat {

// What sources, transforms, sinks and formats there are, a line each.
std::string help_overview(const Registry& registry);

// Everything called `name`, or an option ("delivery" of the configuration, "http.batch"), for a
// terminal of 80 to 100 columns; "" when there is nothing.
std::string help_topic(const Registry& registry, std::string_view name);

// The same as Markdown tables.
std::string markdown_topic(const Registry& registry, std::string_view name);

// [{"kind", "name", "help"}, …]: `kind` is "source", "transform", "sink", "reads" or "writes"
// (a format that sources read, or sinks write).
std::string topics_json(const Registry& registry);

// The names of all topics, each once.
std::vector<std::string> help_names(const Registry& registry);

// The JSON schema (draft 2020-12) of the configuration, for editors.
std::string json_schema(const Registry& registry);

}  // namespace leat
