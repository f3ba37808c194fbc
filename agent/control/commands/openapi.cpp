#include "control/commands/openapi.h"

#include <zlib.h>

#include <algorithm>

#include "base/text.h"
#include "control/commands/command.h"

namespace leat::control {
namespace {

using Type = Parameter::Type;

constexpr std::string_view kText = "text/plain";
constexpr std::string_view kJson = "application/json";

// Whatever is asked may be answered so (http_adapter.h).
constexpr std::string_view kRefused = R"(,"401":{"$ref":"#/components/responses/noToken"},)"
                                      R"("403":{"$ref":"#/components/responses/forbidden"})";
constexpr std::string_view kErrors = R"(,"400":{"$ref":"#/components/responses/badRequest"},)"
                                     R"("404":{"$ref":"#/components/responses/unknown"},)"
                                     R"("409":{"$ref":"#/components/responses/conflict"},)"
                                     R"("503":{"$ref":"#/components/responses/unavailable"})";

struct Failure {
  std::string_view name;
  std::string_view help;
};
constexpr Failure kFailures[] = {
    {"badRequest", "An argument is wrong, missing, or not one of the command."},
    {"noToken", "There are tokens, and the request has none of them."},
    {"forbidden", "The token's role does not allow it, or it needs a token and there are none."},
    {"unknown", "There is nothing of that name."},
    {"conflict", "As things are now it cannot be done."},
    {"unavailable", "The same may succeed later."}};

constexpr std::string_view kAbout =
    "The commands of a running agent. An error is a text that says why. Over leat.sock nobody "
    "needs "
    "a token; over agent.admin the role that is asked for, or a higher one: read, operate, "
    "configure.";

void add(std::string& out, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts) out += part;
}

// `"description":"…"`
void describe(std::string& out, std::string_view text) {
  add(out, {R"("description":)", json_quoted(text)});
}

// `more`: members of the media type, ",…".
void add_content(std::string& out, std::string_view type, std::string_view schema,
                 std::string_view more = "") {
  add(out, {R"("content":{")", type, R"(":{"schema":)", schema, more, "}}"});
}

std::string reference(std::string_view form) {
  std::string out = R"({"$ref":"#/components/schemas/)";
  add(out, {form, R"("})"});
  return out;
}

std::string_view schema_of(Type type) {
  if (type == Type::kWhole) return R"({"type":"integer","minimum":0})";
  if (type == Type::kFlag) return R"({"type":"boolean"})";
  return R"({"type":"string"})";
}

void add_parameters(std::string& out, const Command& command) {
  out += R"(,"parameters":[)";
  for (const Parameter& one : command.parameters) {
    if (one.type == Type::kConfig) continue;
    const bool in_path =
        command.http.path.find("{" + std::string(one.name) + "}") != std::string_view::npos;
    add(out, {out.back() == '[' ? "" : ",", R"({"name":")", one.name, R"(","in":")",
              in_path ? "path" : "query", one.required ? R"(","required":true,)" : R"(",)"});
    describe(out, one.help);
    add(out, {R"(,"schema":)", schema_of(one.type), "}"});
  }
  out += ']';
  for (const Parameter& one : command.parameters) {
    if (one.type != Type::kConfig) continue;
    add(out, {R"(,"requestBody":{"required":)", one.required ? "true," : "false,"});
    describe(out, one.help);
    out += ',';
    add_content(out, kJson, R"({"type":"object"})");
    out += '}';
  }
}

// How it is answered when it succeeds.
void add_success(std::string& out, const Command& command) {
  const bool text = command.gives.empty();
  add(out, {text || command.begins ? R"("202":{)" : R"("200":{)"});
  if (text) {
    describe(out, "What is done.");
    out += ',';
    add_content(out, kText, R"({"type":"string"})");
  } else if (command.lines) {
    describe(out, "A value a line.");
    out += ',';
    add_content(out, "application/x-ndjson", R"({"type":"string"})",
                R"(,"x-line":)" + reference(command.gives));
  } else {
    describe(out, command.begins ? "It has begun; its end is in the history of configurations."
                                 : "The result.");
    out += ',';
    add_content(out, kJson, reference(command.gives));
  }
  out += '}';
}

// A command that stands in the table twice has two names here.
std::string id_of(const Command& command) {
  std::string id(command.name);
  if (find_command(command.name) != &command)
    add(id, {".", command.parameters.empty() ? "" : command.parameters[0].name});
  return id;
}

void add_operation(std::string& out, const Command& command) {
  for (char c : command.http.method) out += static_cast<char>(c | 0x20);
  // "PUT" has become "put".
  add(out,
      {R"(":{"operationId":")", id_of(command), R"(","tags":[")",
       command.name.substr(0, command.name.find('.')), R"("],"summary":)",
       json_quoted(command.help), R"(,"security":[{"token":[")", name_of(command.role), R"("]})"});
  // Who looks from the same machine needs none where there are none.
  if (command.role == Role::kRead && !command.contents) out += ",{}";
  out += ']';
  add_parameters(out, command);
  out += R"(,"responses":{)";
  add_success(out, command);
  add(out, {kRefused, kErrors});
  if (std::ranges::find(command.parameters, "config", &Parameter::name) != command.parameters.end())
    out += R"(,"422":{"$ref":"#/components/responses/wrongConfig"})";
  out += "}}";
}

void add_view(std::string& out, const HttpView& view) {
  add(out, {",\"", view.path, R"(":{"get":{"summary":)", json_quoted(view.help), R"(,"security":[)",
            view.open ? "" : R"({"token":["read"]},{})", R"(],"responses":{"200":{)"});
  describe(out, "What it is like.");
  out += ',';
  add_content(out, view.type, view.type == kJson ? R"({"type":"object"})" : R"({"type":"string"})");
  out += '}';
  if (!view.open) out += kRefused;
  if (view.may_fail) out += R"(,"503":{"$ref":"#/components/responses/unavailable"})";
  out += "}}}";
}

void add_components(std::string& out) {
  out += R"("components":{"securitySchemes":{"token":{"type":"http","scheme":"bearer"}},)"
         R"("responses":{)";
  for (const Failure& one : kFailures) {
    add(out, {"\"", one.name, "\":{"});
    describe(out, one.help);
    out += ',';
    add_content(out, kText, R"({"type":"string"})");
    out += "},";
  }
  out += R"("wrongConfig":{)";
  describe(out, "The configuration is wrong, and what in it.");
  out += ',';
  add_content(out, kJson, reference("check"));
  out += R"(}},"schemas":{)";
  std::string forms(kSchemas.size, '\0');
  uLongf size = forms.size();
  if (uncompress(reinterpret_cast<Bytef*>(forms.data()), &size,
                 reinterpret_cast<const Bytef*>(kSchemas.packed.data()),
                 static_cast<uLong>(kSchemas.packed.size())) == Z_OK)
    out += forms;
  out += "}}";
}

}  // namespace

std::string openapi_json(std::string_view version, std::span<const HttpView> views) {
  std::string out = R"({"openapi":"3.1.0","info":{"title":"leat","version":)";
  add(out, {json_quoted(version), ","});
  describe(out, kAbout);
  out += R"(},"paths":{)";
  const std::span<const Command> rows = commands();
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string_view path = rows[i].http.path;
    const auto same = [path](const Command& one) { return one.http.path == path; };
    if (std::ranges::any_of(rows.first(i), same)) continue;  // it stands there already
    add(out, {i == 0 ? "\"" : ",\"", path, "\":{"});
    for (const Command& one : rows.subspan(i)) {
      if (!same(one)) continue;
      out += out.back() == '{' ? "\"" : ",\"";
      add_operation(out, one);
    }
    out += '}';
  }
  for (const HttpView& view : views) add_view(out, view);
  out += "},";
  add_components(out);
  out += "}\n";
  return out;
}

}  // namespace leat::control
