#include "config/stages.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/catalogue.h"
#include "config/tables.h"
#include "config/wording.h"

namespace leat {
namespace {

template <typename Type>
std::vector<std::string_view> names_of(std::span<const Type* const> types) {
  std::vector<std::string_view> names;
  for (const Type* type : types) names.push_back(type->name);
  return names;
}

// The value of `type`; nullopt when there is none to look up (reported).
std::optional<std::string> type_name(Parser& parser, const cJSON* node, const std::string& path,
                                     std::string_view what,
                                     std::span<const std::string_view> known) {
  if (node == nullptr) {
    parser.problems().add({.kind = Problem::Kind::kMissing,
                           .path = path,
                           .wanted = "an object such as {\"type\": \"" +
                                     std::string(known.empty() ? "" : known[0]) + "\", ...}"});
    return std::nullopt;
  }
  if (!parser.expect_object(node, path, "{\"type\": \"...\"}")) return std::nullopt;
  const cJSON* type = cJSON_GetObjectItemCaseSensitive(node, "type");
  if (type == nullptr) {
    parser.problems().add({.kind = Problem::Kind::kMissing,
                           .path = path_of_key(path, "type"),
                           .wanted = "one of " + quoted_list(known)});
    return std::nullopt;
  }
  if (parser.broken(type)) return std::nullopt;
  if (!cJSON_IsString(type)) {
    parser.problems().add({.kind = Problem::Kind::kType,
                           .path = path_of_key(path, "type"),
                           .wanted = "the name of a " + std::string(what),
                           .found = parser.describe(type)});
    return std::nullopt;
  }
  return type->valuestring;
}

// `hint` says more about a name that is known elsewhere.
void unknown_type(Parser& parser, const cJSON* node, const std::string& path,
                  const std::string& name, std::string_view what,
                  std::span<const std::string_view> known, const std::string& hint) {
  Problem problem{.kind = Problem::Kind::kUnknownType,
                  .path = path_of_key(path, "type"),
                  .wanted = quoted_list(known),
                  .text = hint};
  if (hint.empty()) {
    problem.text = "unknown " + std::string(what);
    problem.found = parser.describe(cJSON_GetObjectItemCaseSensitive(node, "type"));
    problem.suggestion = nearest(name, {known.begin(), known.end()});
  }
  parser.problems().add(std::move(problem));
}

std::string left_out_hint(const Registry& registry, const std::string& name, bool as_source) {
  for (const LeftOut& connector : registry.left_out)
    if (connector.name == name && (as_source ? connector.source : connector.sink))
      return "\"" + name + "\" was left out of this build of leat";
  return "";
}

// The options object of the format in use. Those of other formats would do nothing.
template <typename Format>
Options format_options(Parser& parser, const Options& added, const Format& format) {
  for (const Option& option : added.table()) {
    if (is_format_object(option) && option.name != format.options_name && added.has(option.name))
      parser.problems().add(
          {.kind = Problem::Kind::kUnused,
           .path = added.path(option.name),
           .text = "does nothing with \"format\": \"" + std::string(format.name) + "\""});
  }
  if (format.options_name.empty()) return Options({}, added.path());
  if (added.has(format.options_name)) return added.object(format.options_name);
  Options options(format.options, added.path(format.options_name));
  parser.fill(nullptr, {&options});  // reports what it requires
  return options;
}

bool is_within(std::string_view path, std::string_view outer) {
  return path.starts_with(outer) &&
         (path.size() == outer.size() || path[outer.size()] == '.' || path[outer.size()] == '[');
}

// "ca" of "sink.tls.ca", "path" of "source.path[2]".
std::string_view last_key(std::string_view path) {
  size_t start = path.rfind('.') + 1;  // npos + 1 is 0
  return path.substr(start, path.find('[', start) - start);
}

bool names(std::string_view text, std::string_view key) {
  auto in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    size_t end = at + key.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end])))
      return true;
  }
  return false;
}

// The stage was asked with an option that is wrong, or lacks one that is misspelt. What it says
// about that one, or about another because of it, may be gone when that is mended.
bool may_follow_from(const Problem& said, const Problem& earlier, const std::string& stage) {
  const bool above = said.path != stage && is_within(earlier.path, said.path);
  if (above || is_within(said.path, earlier.path)) return true;
  if (earlier.path == stage) return false;
  return names(said.text, last_key(earlier.path)) ||
         (!earlier.suggestion.empty() && (names(said.text, last_key(earlier.suggestion)) ||
                                          last_key(said.path) == last_key(earlier.suggestion)));
}

// What a stage itself has to say about its options: they are tried, whatever is wrong with some.
class Trial {
 public:
  Trial(Parser& parser, std::string path) : parser_(parser), path_(std::move(path)) {
    for (const Problem& problem : parser.problems().all())
      if (!problem.warning && is_within(problem.path, path_)) earlier_.push_back(problem);
  }

  template <typename T>
  bool report(const Result<T>& made) {
    if (made) return true;
    if (!parser_.judges_stages()) return false;
    for (Problem& said : said_by_stage(path_, made.error())) add(std::move(said));
    return false;
  }

  // Of a stage that could be made.
  void warn(void (*hook)(const Options&, OptionErrors&), const Options& options) {
    if (hook == nullptr || !earlier_.empty() || !parser_.judges_stages()) return;
    OptionErrors warnings;
    hook(options, warnings);
    for (Problem problem : warnings.problems().all()) {
      problem.warning = true;
      parser_.problems().add(std::move(problem));
    }
  }

  void open_files(Status (*hook)(const Options&), const Options& options) {
    if (hook != nullptr) (void)report(hook(options));
  }

 private:
  void add(Problem said) {
    for (const Problem& problem : earlier_)
      if (may_follow_from(said, problem, path_)) return;
    parser_.problems().add(std::move(said));
  }

  Parser& parser_;
  const std::string path_;
  std::vector<Problem> earlier_;
};

void load_time(Parser& parser, const Options& added, SourceConfig& out) {
  if (!added.has("time")) return;
  const Options& time = added.object("time");
  Result<TimeFormat> format = TimeFormat::parse(time.string("format"));
  if (format)
    out.time =
        EventTimeConfig{time.string("field"), *format, time.string("onError") == "deadLetter"};
  else
    parser.problems().add({.path = time.path("format"), .text = format.error().message()});
}

void load_fields(Parser& parser, const cJSON* node, const Options& added, SourceConfig& out) {
  constexpr Type kTypes[] = {Type::kBool,    Type::kInteger, Type::kFloat,
                             Type::kDecimal, Type::kString,  Type::kTime};
  const cJSON* given = cJSON_GetObjectItemCaseSensitive(node, "fieldTypes");
  for (const auto& entry : added.map("fieldTypes")) {
    const std::string& name = entry.first;
    const std::string& type = entry.second;
    auto same = [&type](Type candidate) { return type == type_name(candidate); };
    const Type* found = std::ranges::find_if(kTypes, same);
    if (found != std::end(kTypes)) {
      out.fields.emplace_back(name, *found);
      continue;
    }
    std::vector<std::string_view> known;
    for (Type candidate : kTypes) known.emplace_back(type_name(candidate));
    parser.problems().add(
        {.kind = Problem::Kind::kChoice,
         .path = path_of_key(added.path("fieldTypes"), name),
         .wanted = "one of " + quoted_list(known),
         .found = parser.describe(cJSON_GetObjectItemCaseSensitive(given, name.c_str())),
         .suggestion = nearest(type, {known.begin(), known.end()})});
  }
}

}  // namespace

bool good_name(std::string_view name) {
  constexpr size_t kLongest = 64;
  auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongest && name[0] != '.' &&
         std::ranges::all_of(name, good);
}

bool check_name(Problems& problems, const std::string& path, std::string_view name) {
  if (good_name(name)) return true;
  problems.add(
      {.path = path,
       .text = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot"});
  return false;
}

std::vector<Problem> said_by_stage(const std::string& path, const Error& error) {
  if (error.problems() == nullptr) return {{.path = path, .text = error.message()}};
  std::vector<Problem> out = error.problems()->all();
  for (Problem& problem : out)
    if (problem.path.empty()) problem.path = path;
  return out;
}

bool load_source(Parser& parser, const StageContext& context, const cJSON* node,
                 const std::string& path, SourceConfig& out) {
  const Registry& registry = context.registry;
  std::vector<std::string_view> known = names_of(registry.sources);
  std::optional<std::string> name = type_name(parser, node, path, "source", known);
  if (!name) return false;
  out.type = registry.source(*name);
  if (out.type == nullptr) {
    std::string hint = left_out_hint(registry, *name, true);
    if (hint.empty() && registry.sink(*name) != nullptr)
      hint = "\"" + *name + "\" is a sink, not a source";
    unknown_type(parser, node, path, *name, "source", known, hint);
    return false;
  }
  size_t before = parser.problems().errors();
  SourceOptions tables(*out.type);
  Options added(tables.added(), path);
  out.options = Options(out.type->options, path);
  parser.fill(node, {&out.options, &added}, kTypeKey);
  load_time(parser, added, out);
  load_fields(parser, node, added, out);
  if (out.type->produces != Produces::kRecords) {
    out.format = find_read_format(added.string("format"));
    out.format_options = format_options(parser, added, *out.format);
  }
  Trial trial(parser, path);
  if (trial.report(out.type->make(out.options))) {
    trial.warn(out.type->warn, out.options);
    if (context.open_files) trial.open_files(out.type->check_files, out.options);
  }
  if (out.format != nullptr) (void)trial.report(out.format->make_decoder(out.format_options));
  return parser.problems().errors() == before;
}

bool load_transform(Parser& parser, const cJSON* node, const std::string& path,
                    TransformConfig& out) {
  std::vector<std::string_view> known = names_of(transform_types());
  std::optional<std::string> name = type_name(parser, node, path, "transform", known);
  if (!name) return false;
  out.type = find_transform(*name);
  if (out.type == nullptr) {
    unknown_type(parser, node, path, *name, "transform", known, "");
    return false;
  }
  size_t before = parser.problems().errors();
  out.options = Options(out.type->options, path);
  parser.fill(node, {&out.options}, kTypeKey);
  (void)Trial(parser, path).report(out.type->make(out.options));
  return parser.problems().errors() == before;
}

bool load_sink(Parser& parser, const StageContext& context, const cJSON* node,
               const std::string& path, SinkConfig& out) {
  const Registry& registry = context.registry;
  std::vector<std::string_view> known = names_of(registry.sinks);
  std::optional<std::string> name = type_name(parser, node, path, "sink", known);
  if (!name) return false;
  out.type = registry.sink(*name);
  if (out.type == nullptr) {
    std::string hint = left_out_hint(registry, *name, false);
    if (hint.empty() && registry.source(*name) != nullptr)
      hint = "\"" + *name + "\" is a source, not a sink";
    unknown_type(parser, node, path, *name, "sink", known, hint);
    return false;
  }
  size_t before = parser.problems().errors();
  SinkOptions tables(*out.type);
  Options added(tables.added(), path);
  out.options = Options(out.type->options, path);
  parser.fill(node, {&out.options, &added}, kTypeKey);
  if (out.type->consumes == Consumes::kSlices) {
    const WriteFormat* format = find_write_format(added.string("format"));
    (out.type_takes() == Consumes::kSlices && !format->packs ? out.format : out.own_format) =
        format;
    out.format_options = format_options(parser, added, *format);
  }
  out.batch = {added.integer("batch.records"), added.bytes("batch.bytes"),
               added.duration("batch.linger"), out.type->batch.spacing};
  // Who wants another linger means it: so many deliveries, though they come later.
  if (out.batch.linger != out.type->batch.linger) out.batch.spacing = {};
  out.in_flight = out.type->max_in_flight > 1 && out.type->channel.empty()
                      ? static_cast<int>(added.integer("inFlight"))
                      : out.type->max_in_flight;
  Trial trial(parser, path);
  if (trial.report(out.type->make(out.options))) {
    trial.warn(out.type->warn, out.options);
    if (context.open_files) trial.open_files(out.type->check_files, out.options);
  }
  if (const WriteFormat* format = out.written(); format != nullptr)
    (void)trial.report(format->make_encoder(out.format_options));
  return parser.problems().errors() == before;
}

}  // namespace leat
