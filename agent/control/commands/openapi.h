// What can be asked over HTTP, as an OpenAPI 3.1 description: made from the table of commands when
// somebody asks for it. Only in builds with agent.admin.
//
// Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace leat::control {

// What is there for HTTP alone: GET without parameters.
struct HttpView {
  std::string_view path;
  std::string_view type;  // of what it answers
  std::string_view help;  // a sentence
  bool may_fail = false;  // it is answered with 503 where not all is well
  bool open = false;      // it needs no token
};

std::string openapi_json(std::string_view version, std::span<const HttpView> views);

// The forms of answers (agent/cli/output.schema.json) as members of a JSON object, packed by zlib
// (commands/pack_schemas).
struct PackedSchemas {
  std::string_view packed;
  size_t size;  // unpacked
};
extern const PackedSchemas kSchemas;

}  // namespace leat::control
