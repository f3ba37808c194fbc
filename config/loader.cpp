#include "config/loader.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>

#include "base/text.h"
#include "config/admin.h"
#include "config/json.h"
#include "config/parser.h"
#include "config/pipeline_tests.h"
#include "config/stages.h"
#include "config/tables.h"
#include "config/wording.h"
#include "plan/planner.h"

namespace leat {
namespace {

constexpr int64_t kMemoryPerPipeline = 1 << 20;
constexpr size_t kLongestName = 64;

// Names become parts of file names.
bool good_name(std::string_view name) {
  auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && name[0] != '.' &&
         std::ranges::all_of(name, good);
}

class Loader {
 public:
  Loader(const Document& document, const LoadContext& context, Problems& problems)
      : document_(document), context_(context), problems_(problems), parser_(document, problems) {}

  AgentConfig load() {
    check_root_keys();
    load_agent();
    load_pipelines();
    read_tests(document_.root(), parser_);  // for what is wrong with them; `leat test` runs them
    check_memory(agent_, config_.pipelines.size());
    return std::move(config_);
  }

 private:
  const cJSON* child(const cJSON* node, const char* name) {
    return cJSON_GetObjectItemCaseSensitive(node, name);
  }

  void check_root_keys();
  void load_agent();
  void load_pipelines();
  void load_pipeline(const cJSON* node, const std::string& path, bool only);
  void load_name(const Options& options, bool only, PipelineConfig& out);
  void load_delivery(const Options& delivery, DeliveryConfig& out);
  bool load_stages(const cJSON* node, const std::string& path, PipelineConfig& out);
  void load_dead_letters(const Options& options, DeadLetterConfig& out);
  void load_max_dead_letters(const Options& options, PipelineConfig& out);
  void check_memory(const Options& agent, size_t pipelines);

  const Document& document_;
  const LoadContext& context_;
  Problems& problems_;
  Parser parser_;
  AgentConfig config_;
  Options agent_;
  std::map<std::string, std::string> names_;         // of pipelines → the path that has it
  std::map<std::string, std::string> dead_letters_;  // files → the path that has it
};

void Loader::check_root_keys() {
  for (const cJSON* node = document_.root()->child; node != nullptr; node = node->next) {
    std::string_view key = node->string;
    if (std::ranges::find(kRootKeys, key) != std::end(kRootKeys)) continue;
    problems_.add({.kind = Problem::Kind::kUnknownKey,
                   .path = path_of_key("", key),
                   .wanted = "agent, pipelines, tests",
                   .suggestion = nearest(key, {"agent", "pipelines", "tests"})});
  }
}

void Loader::load_agent() {
  const cJSON* node = child(document_.root(), "agent");
  if (node != nullptr && !parser_.expect_object(node, "agent", "{\"dataDir\": \"/var/lib/leat\"}"))
    return;
  Options options(agent_options(), "agent");
  parser_.fill(node, {&options});
  config_.id = options.has("id") ? options.string("id") : context_.host_name;
  config_.data_dir = context_.data_dir.empty() ? options.string("dataDir") : context_.data_dir;
  config_.workers = static_cast<int>(options.integer("workers"));
  config_.memory = options.bytes("memory");
  config_.drain_timeout = options.duration("drainTimeout");
  config_.heartbeat = options.duration("heartbeat");
  config_.commit_every = options.duration("journal.commitEvery");
  config_.flash_endurance = options.bytes("flashEndurance");
  if (options.has("admin")) config_.admin = load_admin(options.object("admin"), problems_);
  if (child(node, "dataDir") == nullptr && context_.data_dir.empty())
    problems_.add({.kind = Problem::Kind::kMissing,
                   .path = "agent.dataDir",
                   .wanted = "a folder such as \"/var/lib/leat\" (or give --data-dir)"});
  else if (config_.data_dir.empty() && !parser_.broken(child(node, "dataDir")) &&
           cJSON_IsString(child(node, "dataDir")))
    problems_.add({.kind = Problem::Kind::kEmpty, .path = "agent.dataDir"});
  if (cJSON_IsString(child(node, "id")) && config_.id.empty() && !parser_.broken(child(node, "id")))
    problems_.add({.kind = Problem::Kind::kEmpty, .path = "agent.id"});
  agent_ = std::move(options);
}

void Loader::check_memory(const Options& agent, size_t pipelines) {
  int64_t least = kMemoryPerPipeline * static_cast<int64_t>(pipelines);
  if (config_.memory >= least || pipelines < 2) return;
  problems_.add({.kind = Problem::Kind::kRange,
                 .path = agent.path("memory"),
                 .wanted = "at least \"" + exact_bytes(least) + "\" for " +
                           std::to_string(pipelines) + " pipelines",
                 .found = "\"" + exact_bytes(config_.memory) + "\""});
}

void Loader::load_pipelines() {
  const cJSON* list = child(document_.root(), "pipelines");
  const char* example = "[{\"name\": \"main\", \"source\": {...}, \"sink\": {...}}]";
  if (list == nullptr) {
    problems_.add({.kind = Problem::Kind::kMissing,
                   .path = "pipelines",
                   .wanted = std::string("a list such as ") + example});
    return;
  }
  if (!parser_.expect_list(list, "pipelines", example)) return;
  bool only = list->child != nullptr && list->child->next == nullptr;
  size_t index = 0;
  for (const cJSON* node = list->child; node != nullptr; node = node->next, ++index) {
    std::string path = path_of_index("pipelines", index);
    if (parser_.expect_object(node, path, "{\"source\": {...}, \"sink\": {...}}"))
      load_pipeline(node, path, only);
  }
}

void Loader::load_pipeline(const cJSON* node, const std::string& path, bool only) {
  size_t before = problems_.size();
  PipelineConfig pipeline;
  Options options(pipeline_options(), path);
  parser_.fill(node, {&options}, kStageKeys);
  const cJSON* name = child(node, "name");
  if (name == nullptr || (cJSON_IsString(name) && !parser_.broken(name)))
    load_name(options, only, pipeline);
  load_delivery(options.object("delivery"), pipeline.delivery);
  load_dead_letters(options.object("deadLetters"), pipeline.dead_letters);
  pipeline.limits = {options.integer("limits.recordsPerSecond"),
                     options.bytes("limits.bytesPerSecond")};
  bool whole = load_stages(node, path, pipeline);
  if (whole) load_max_dead_letters(options, pipeline);
  if (whole && !options.has("delivery.spool"))
    pipeline.delivery.spool.mode = default_spool_mode(pipeline);
  if (whole && problems_.size() == before) {
    if (Result<Plan> planned = plan(pipeline, path); !planned)
      problems_.add(said_by_stage(path, planned.error().message()));
  }
  if (options.boolean("enabled")) {
    config_.pipelines.push_back(std::move(pipeline));
  } else {
    config_.not_enabled.push_back(std::move(pipeline.name));
  }
}

void Loader::load_name(const Options& options, bool only, PipelineConfig& out) {
  out.name = options.has("name") ? options.string("name") : only ? "main" : "";
  if (!options.has("name") && !only) {
    problems_.add({.kind = Problem::Kind::kMissing,
                   .path = options.path("name"),
                   .wanted = "a name such as \"press-line\"",
                   .text = "when there are several pipelines"});
    return;
  }
  if (!good_name(out.name)) {
    problems_.add(
        {.path = options.path("name"),
         .text = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, not beginning with a dot"});
    return;
  }
  auto [other, added] = names_.emplace(out.name, options.path());
  if (!added)
    problems_.add({.path = options.path("name"),
                   .text = "\"" + out.name + "\" is the name of " + other->second + " already"});
}

void Loader::load_delivery(const Options& delivery, DeliveryConfig& out) {
  out.exactly_once = delivery.string("guarantee") == "exactlyOnce";
  SpoolConfig& spool = out.spool;
  const std::string& mode = delivery.string("spool");
  spool.mode = mode == "always"      ? SpoolMode::kAlways
               : mode == "onTrouble" ? SpoolMode::kOnTrouble
                                     : SpoolMode::kNever;
  spool.survives_power_cut = delivery.string("durability") == "power";
  spool.max_bytes = delivery.bytes("maxSpool");
  const std::string& overflow = delivery.string("overflow");
  spool.overflow = overflow == "dropOldest"   ? Overflow::kDropOldest
                   : overflow == "dropNewest" ? Overflow::kDropNewest
                                              : Overflow::kBlock;
  spool.max_ack_hold = delivery.duration("maxAckHold");
  out.retry_initial = delivery.duration("retry.initial");
  out.retry_max = delivery.duration("retry.max");
  out.breaker_threshold = static_cast<int>(delivery.integer("breaker.threshold"));
  out.breaker_cooldown = delivery.duration("breaker.cooldown");
  if (out.retry_initial > out.retry_max)
    problems_.add({.path = delivery.path("retry"),
                   .text = "initial (\"" + exact_duration(out.retry_initial) +
                           "\") must not be longer than max (\"" + exact_duration(out.retry_max) +
                           "\")"});
}

void Loader::load_dead_letters(const Options& options, DeadLetterConfig& out) {
  out.path = options.string("path");
  out.max_bytes = options.bytes("maxBytes");
  if (out.path.empty()) return;
  auto [other, added] = dead_letters_.emplace(out.path, options.path("path"));
  if (!added)
    problems_.add(
        {.path = options.path("path"),
         .text = "is the file of " + other->second + " already: each pipeline needs its own"});
}

void Loader::load_max_dead_letters(const Options& options, PipelineConfig& out) {
  if (!options.has("maxDeadLetters")) return;
  auto limit = parse_dead_letter_limit(options.string("maxDeadLetters"));
  if (!limit)
    return problems_.add({.path = options.path("maxDeadLetters"),
                          .text = "must be a count (\"100\") or a share (\"0.5%\")"});
  out.max_dead_letters = *limit;
  const SourceType* type = out.source.type;
  if (type->bounded == nullptr || !type->bounded(out.source.options))
    problems_.add({.path = options.path("maxDeadLetters"),
                   .text = "is for a source that ends, and this one does not"});
}

bool Loader::load_stages(const cJSON* node, const std::string& path, PipelineConfig& out) {
  bool good =
      load_source(parser_, context_.registry, child(node, "source"), path + ".source", out.source);
  const cJSON* list = child(node, "transforms");
  std::string list_path = path + ".transforms";
  if (list != nullptr && !parser_.expect_list(list, list_path, "[{\"type\": \"filter\", ...}]"))
    good = false;
  size_t index = 0;
  for (const cJSON* item = cJSON_IsArray(list) ? list->child : nullptr; item != nullptr;
       item = item->next, ++index)
    good &= load_transform(parser_, item, path_of_index(list_path, index),
                           out.transforms.emplace_back());
  good &= load_sink(parser_, context_.registry, child(node, "sink"), path + ".sink", out.sink);
  return good;
}

}  // namespace

std::optional<AgentConfig> load_config(std::string_view text, const LoadContext& context,
                                       Problems& problems) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Result<Document> document = Document::parse(text);
  if (!document) {
    problems.add({.kind = Problem::Kind::kSyntax, .text = document.error().message()});
    return std::nullopt;
  }
  document->check_duplicates(problems);
  document->substitute(context.variables, problems);
  AgentConfig config = Loader(*document, context, problems).load();
  document->set_places(problems);
  if (!problems.empty()) return std::nullopt;
  return config;
}

Result<std::string> read_text(const std::string& path) {
  constexpr size_t kLimit = 16 << 20;
  bool standard_input = path == "-";
  std::unique_ptr<FILE, int (*)(FILE*)> file(
      standard_input ? stdin : std::fopen(path.c_str(), "rbe"),
      [](FILE* open) { return open == stdin ? 0 : std::fclose(open); });
  std::string shown = standard_input ? "standard input" : path;
  if (!file) return fail_errno("open " + shown, errno);
  std::string text;
  char buffer[16 * 1024];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, file.get())) {
    text.append(buffer, n);
    if (text.size() > kLimit)
      return fail(ErrorKind::kUsage, "read " + shown + ": more than " + exact_bytes(kLimit));
  }
  if (std::ferror(file.get()) != 0) return fail_errno("read " + shown, errno);
  return text;
}

}  // namespace leat
