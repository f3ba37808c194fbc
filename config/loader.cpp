#include "config/loader.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/text.h"
#include "cache/caches.h"
#include "config/admin.h"
#include "config/caches.h"
#include "config/channels.h"
#ifdef LEAT_CLUSTER
#include "config/cluster.h"
#endif
#include "config/control.h"
#include "config/json.h"
#include "config/letter_pipeline.h"
#include "config/notify.h"
#include "config/parser.h"
#include "config/pipeline_tests.h"
#include "config/stages.h"
#include "config/tables.h"
#include "config/wording.h"
#include "plan/planner.h"

namespace leat {
namespace {

#ifdef LEAT_CLUSTER
constexpr std::string_view kHandledOfAgent[] = {"notify"};
#else
constexpr std::string_view kHandledOfAgent[] = {"notify", "cluster"};
#endif
constexpr int64_t kMemoryPerPipeline = 1 << 20;

// One file that was read.
struct LoadedFile {
  const ConfigFile& file;
  Document document;
  Problems problems = {};
};

const cJSON* child(const cJSON* node, const char* name) {
  return cJSON_GetObjectItemCaseSensitive(node, name);
}

// "pipelines[0]", or "pipelines[0] of b.json" seen from another file.
std::string seen_from(const LoadedFile& here, const LoadedFile& there, const std::string& path) {
  return &here == &there ? path : path + " of " + there.file.name;
}

// "" when it does not say.
Result<std::string> written_data_dir(const Document& document, const Variables& variables) {
  const cJSON* given = child(child(document.root(), "agent"), "dataDir");
  if (!cJSON_IsString(given)) return std::string();
  return substitute(given->valuestring, variables);
}

bool ends_by_itself(const SourceConfig& source) {
  return source.type->bounded != nullptr && source.type->bounded(source.options);
}

class Loader {
 public:
  // `whole`: all files could be read.
  Loader(std::vector<LoadedFile>& parts, bool whole, const LoadContext& context)
      : parts_(parts), whole_(whole), context_(context) {}

  AgentConfig load() {
    Variables variables = context_.variables;
    variables.data_dir = context_.data_dir;
    for (const LoadedFile& part : parts_)
      if (variables.data_dir.empty())
        variables.data_dir = written_data_dir(part.document, context_.variables).value_or("");
    for (LoadedFile& part : parts_) {
      part.document.check_duplicates(part.problems);
      part.document.substitute(variables, part.problems);
      check_root_keys(part);
      Parser parser(part.document, part.problems);
      read_tests(part.document.root(), parser);  // for what is wrong with them
    }
    load_agent();
    load_pipelines();
    check_memory();
    for (size_t i = 0; i < config_.pipelines.size(); ++i) {
      const PipelineConfig& pipeline = config_.pipelines[i];
      if (pipeline.source.type != nullptr)
        check_once(i, pipeline.source.type->name, pipeline.source.options);
      if (pipeline.sink.type != nullptr)
        check_once(i, pipeline.sink.type->name, pipeline.sink.options);
    }
    // What one pipeline lacks may be the end of another's channel.
    if (whole_ && context_.only.empty() && std::ranges::none_of(parts_, &has_errors)) {
      const auto add = [this](size_t pipeline, Problem problem) {
        origins_[pipeline]->problems.add(std::move(problem));
      };
      check_channels(config_.pipelines, add);
      if (kCaches) check_caches(config_.pipelines, add);
    }
    return std::move(config_);
  }

 private:
  struct Named {  // what another pipeline may not have too
    const LoadedFile& part;
    std::string path;
  };

  static bool has_errors(const LoadedFile& part) { return part.problems.errors() > 0; }
  static void check_root_keys(LoadedFile& part);
  void load_agent();
  void load_agent(LoadedFile& part, const cJSON* node);
  void load_pipelines();
  void load_pipelines(LoadedFile& part, const cJSON* list, bool only);
  void load_pipeline(LoadedFile& part, const cJSON* node, const std::string& path, bool only);
  static void load_parameters(LoadedFile& part, const cJSON* node, const std::string& path,
                              PipelineConfig& out);
  static void check_can_be_provisioned(LoadedFile& part, const cJSON* node, const Options& options,
                                       const PipelineConfig& pipeline);
  void load_name(LoadedFile& part, const Options& options, bool only, PipelineConfig& out);
  void load_delivery(LoadedFile& part, const Options& delivery, DeliveryConfig& out);
  bool load_stages(Parser& parser, const cJSON* node, const std::string& path, PipelineConfig& out);
  void load_dead_letters(LoadedFile& part, const Options& options, DeadLetterConfig& out);
  std::optional<PipelineConfig> load_letter_pipeline(LoadedFile& part, const cJSON* sink,
                                                     const std::string& path,
                                                     const PipelineConfig& of);
  void load_max_dead_letters(LoadedFile& part, const Options& options, PipelineConfig& out);
  static void load_schedule(LoadedFile& part, const cJSON* node, const Options& options,
                            PipelineConfig& out);
  void check_memory();
  void check_once(size_t pipeline, std::string_view type, const Options& options);

  std::vector<LoadedFile>& parts_;
  const bool whole_;
  const LoadContext& context_;
  AgentConfig config_;
  std::vector<LoadedFile*> origins_;           // of the pipelines of config_
  LoadedFile* agent_part_ = nullptr;           // the one with `agent`, else the first
  std::map<std::string, Named> names_;         // of pipelines
  std::map<std::string, Named> dead_letters_;  // files
  std::map<std::string, Named> used_once_;     // values of options that two should not share
};

void Loader::check_root_keys(LoadedFile& part) {
  for (const cJSON* node = part.document.root()->child; node != nullptr; node = node->next) {
    std::string_view key = node->string;
    if (std::ranges::find(kRootKeys, key) != std::end(kRootKeys)) continue;
    part.problems.add({.kind = Problem::Kind::kUnknownKey,
                       .path = path_of_key("", key),
                       .wanted = "agent, pipelines, tests",
                       .suggestion = nearest(key, {"agent", "pipelines", "tests"})});
  }
}

void Loader::load_agent() {
  const cJSON* found = nullptr;
  for (LoadedFile& part : parts_) {
    const cJSON* node = child(part.document.root(), "agent");
    if (node == nullptr) continue;
    if (found != nullptr) {
      part.problems.add(
          {.kind = Problem::Kind::kTwice,
           .path = "agent",
           .text = "stands in " + agent_part_->file.name + " already: one file says it for all"});
      continue;
    }
    found = node;
    agent_part_ = &part;
  }
  if (found == nullptr && !whole_) return;  // it may stand in the one that could not be read
  if (agent_part_ == nullptr) agent_part_ = &parts_.front();
  load_agent(*agent_part_, found);
}

BudgetAction budget_action(const std::string& text) {
  return text == "warn"           ? BudgetAction::kWarn
         : text == "onlyPriority" ? BudgetAction::kOnlyPriority
                                  : BudgetAction::kPause;
}

BudgetConfig load_budget(const Options& options) {
  const std::string& per = options.string("per");
  return {.bytes = options.bytes("bytes"),
          .per = per == "day"    ? BudgetPeriod::kDay
                 : per == "week" ? BudgetPeriod::kWeek
                                 : BudgetPeriod::kMonth,
          .first_day = static_cast<int>(options.integer("firstDay")),
          .at80 = budget_action(options.string("at80")),
          .at100 = budget_action(options.string("at100")),
          .interfaces = options.strings("interfaces")};
}

void Loader::load_agent(LoadedFile& part, const cJSON* node) {
  Parser parser(part.document, part.problems);
  if (node != nullptr && !parser.expect_object(node, "agent", "{\"dataDir\": \"/var/lib/leat\"}"))
    return;
  Options options(agent_options(), "agent");
  parser.fill(node, {&options}, kHandledOfAgent);
  load_notify(parser, {context_.registry, context_.open_files}, child(node, "notify"),
              config_.own_pipelines);
  config_.id = options.has("id") ? options.string("id") : context_.host_name;
  config_.data_dir = context_.data_dir.empty() ? options.string("dataDir") : context_.data_dir;
  config_.workers = static_cast<int>(options.integer("workers"));
  config_.memory = options.bytes("memory");
  config_.drain_timeout = options.duration("drainTimeout");
  config_.heartbeat = options.duration("heartbeat");
  const std::string& policy = options.string("config");
  config_.config_policy = policy == "file"     ? ConfigPolicy::kFile
                          : policy == "remote" ? ConfigPolicy::kRemote
                                               : ConfigPolicy::kNewest;
  config_.probation = options.duration("probation");
  config_.commit_every = options.duration("journal.commitEvery");
  config_.flash_endurance = options.bytes("flashEndurance");
  if (const Options& limits = options.object("limits"); limits.has("budget"))
    config_.budget = load_budget(limits.object("budget"));
  if (options.has("admin"))
    config_.admin = load_admin(options.object("admin"), part.problems, context_.open_files);
  if (options.has("control"))
    config_.control = load_control(options.object("control"), part.problems, context_.open_files);
#ifdef LEAT_CLUSTER
  if (options.has("cluster"))
    config_.cluster = load_cluster(options.object("cluster"), part.problems, context_.open_files);
#else
  if (child(node, "cluster") != nullptr)
    part.problems.add({.path = "agent.cluster", .text = "is not in this build"});
#endif
  if (config_.control && !is_plain_id(config_.id))
    part.problems.add({.path = "agent.id",
                       .text = "is a part of topics, with agent.control: must be 1 to 64 of the "
                               "characters A-Z a-z 0-9 . _ -"});
  if (child(node, "dataDir") == nullptr && context_.data_dir.empty())
    part.problems.add({.kind = Problem::Kind::kMissing,
                       .path = "agent.dataDir",
                       .wanted = "a folder such as \"/var/lib/leat\" (or give --data-dir)"});
  else if (config_.data_dir.empty() && !parser.broken(child(node, "dataDir")) &&
           cJSON_IsString(child(node, "dataDir")))
    part.problems.add({.kind = Problem::Kind::kEmpty, .path = "agent.dataDir"});
  if (cJSON_IsString(child(node, "id")) && config_.id.empty() && !parser.broken(child(node, "id")))
    part.problems.add({.kind = Problem::Kind::kEmpty, .path = "agent.id"});
}

void Loader::check_memory() {
  const size_t pipelines = config_.pipelines.size();
  int64_t least = kMemoryPerPipeline * static_cast<int64_t>(pipelines);
  if (config_.memory >= least || pipelines < 2) return;
  agent_part_->problems.add({.kind = Problem::Kind::kRange,
                             .path = "agent.memory",
                             .wanted = "at least \"" + exact_bytes(least) + "\" for " +
                                       std::to_string(pipelines) + " pipelines",
                             .found = "\"" + exact_bytes(config_.memory) + "\""});
}

void Loader::load_pipelines() {
  const char* example = "[{\"name\": \"main\", \"source\": {...}, \"sink\": {...}}]";
  int count = 0;
  bool any = false;
  for (LoadedFile& part : parts_) {
    const cJSON* list = child(part.document.root(), "pipelines");
    any = any || list != nullptr;
    Parser parser(part.document, part.problems);
    if (list != nullptr && parser.expect_list(list, "pipelines", example))
      count += cJSON_GetArraySize(list);
  }
  if (!any && whole_)
    parts_.front().problems.add({.kind = Problem::Kind::kMissing,
                                 .path = "pipelines",
                                 .wanted = std::string("a list such as ") + example});
  for (LoadedFile& part : parts_)
    if (const cJSON* list = child(part.document.root(), "pipelines"); cJSON_IsArray(list))
      load_pipelines(part, list, count == 1);
}

void Loader::load_pipelines(LoadedFile& part, const cJSON* list, bool only) {
  Parser parser(part.document, part.problems);
  size_t index = 0;
  for (const cJSON* node = list->child; node != nullptr; node = node->next, ++index) {
    std::string path = path_of_index("pipelines", index);
    if (parser.expect_object(node, path, "{\"source\": {...}, \"sink\": {...}}"))
      load_pipeline(part, node, path, only);
  }
}

void Loader::load_pipeline(LoadedFile& part, const cJSON* node, const std::string& path,
                           bool only) {
  const cJSON* name = child(node, "name");
  if (!context_.only.empty() && cJSON_IsString(name) && context_.only != name->valuestring) return;
  size_t before = part.problems.errors();
  PipelineConfig pipeline;
  Options options(pipeline_options(), path);
  Parser parser(part.document, part.problems);
  load_parameters(part, node, path, pipeline);
  parser.judge_stages(pipeline.complete());
  parser.fill(node, {&options}, kStageKeys);
  if (name == nullptr || (cJSON_IsString(name) && !parser.broken(name)))
    load_name(part, options, only, pipeline);
  pipeline.mounted = options.boolean("mounted");
  pipeline.high_priority = options.string("priority") == "high";
  pipeline.max_runs = static_cast<int>(options.integer("maxRuns"));
  pipeline.hard_terminate = options.duration("hardTerminate");
  load_delivery(part, options.object("delivery"), pipeline.delivery);
  load_dead_letters(part, options.object("deadLetters"), pipeline.dead_letters);
  pipeline.limits = {options.integer("limits.recordsPerSecond"),
                     options.bytes("limits.bytesPerSecond")};
#ifdef LEAT_PARALLEL
  if (options.has("parallel"))
    pipeline.parallel = {static_cast<int>(options.integer("parallel.max")),
                         static_cast<int>(options.integer("parallel.threshold")),
                         static_cast<int>(options.integer("parallel.growth"))};
#endif
  load_schedule(part, child(node, "schedule"), options, pipeline);
  // What only a run knows cannot be judged before it.
  bool whole = load_stages(parser, node, path, pipeline) && pipeline.complete();
  if (!pipeline.complete()) check_can_be_provisioned(part, node, options, pipeline);
  if (whole) load_max_dead_letters(part, options, pipeline);
  if (whole && pipeline.schedule && !ends_by_itself(pipeline.source))
    part.problems.add({.path = options.path("schedule"),
                       .text = "is for a source that ends, and this one does not"});
  if (whole && pipeline.schedule && pipeline.source.type->read_once)
    part.problems.add({.path = options.path("schedule"),
                       .text = "starts a source again, and " +
                               std::string(pipeline.source.type->name) +
                               " can be read only once: its end comes with the first run"});
  if (whole && !options.has("delivery.spool"))
    pipeline.delivery.spool.mode = default_spool_mode(pipeline);
#ifdef LEAT_CLUSTER
  pipeline.exclusive = options.boolean("exclusive");
  if (whole && pipeline.exclusive)
    check_exclusive(pipeline, options, config_.cluster.has_value(), part.problems);
#endif
  if (whole && part.problems.errors() == before) {
    Result<Plan> planned = plan(pipeline, path);
    if (!planned)
      for (Problem& said : said_by_stage(path, planned.error())) part.problems.add(std::move(said));
#ifdef LEAT_PARALLEL
    else if (pipeline.parallel.max > 0 && parallel_runs(pipeline, *planned).empty())
      part.problems.add({.kind = Problem::Kind::kUnused,
                         .path = options.path("parallel"),
                         .text = "no transform of this pipeline can run on another loop (filter, "
                                 "map, sql and explode can, where the sink is no channel)",
                         .warning = true});
#endif
  }
  std::optional<PipelineConfig> letters;
  if (const cJSON* sink = child(child(node, "deadLetters"), "sink"); whole && cJSON_IsObject(sink))
    letters = load_letter_pipeline(part, sink, path + ".deadLetters.sink", pipeline);
  if (options.boolean("enabled")) {
    config_.pipelines.push_back(std::move(pipeline));
    origins_.push_back(&part);
    if (!letters) return;
    config_.pipelines.push_back(std::move(*letters));
    origins_.push_back(&part);
  } else {
    config_.not_enabled.push_back(std::move(pipeline.name));
  }
}

void Loader::load_parameters(LoadedFile& part, const cJSON* node, const std::string& path,
                             PipelineConfig& out) {
  auto fix = [&part](const cJSON* of, const char* key, const std::string& where) {
    const cJSON* one = child(of, key);
    const ParameterUse use = one == nullptr ? ParameterUse{} : part.document.parameters_of(one);
    if (!use.open.empty() || !use.with_default.empty())
      part.problems.add({.path = path_of_key(where, key), .text = "must be the same for all runs"});
    if (one != nullptr && part.document.with_another_seal(one) != nullptr)
      part.problems.add({.path = path_of_key(where, key), .text = "must not be sealed"});
  };
  fix(node, "name", path);
  for (const char* stage : {"source", "sink"})
    fix(child(node, stage), "type", path_of_key(path, stage));
  size_t index = 0;
  const cJSON* transform = nullptr;
  cJSON_ArrayForEach(transform, child(node, "transforms"))
      fix(transform, "type", path_of_index(path_of_key(path, "transforms"), index++));
  const ParameterUse use = part.document.parameters_of(node);
  for (const std::string& one : use.open) out.parameters.push_back({one, false});
  for (const std::string& one : use.with_default)
    if (std::ranges::find(use.open, one) == use.open.end()) out.parameters.push_back({one, true});
}

// One with an open parameter runs in no other way, so it must be one that can run so
// (control/run_config.cpp). What an open parameter may decide is not judged here.
void Loader::check_can_be_provisioned(LoadedFile& part, const cJSON* node, const Options& options,
                                      const PipelineConfig& pipeline) {
  const SourceType* type = pipeline.source.type;
  if (type == nullptr) return;
  const auto is_open = [&part](const cJSON* of, std::string_view key) {
    const cJSON* one = child(of, std::string(key).c_str());
    return one != nullptr && !part.document.parameters_of(one).open.empty();
  };
  const cJSON* source = child(node, "source");
  const bool decided = std::ranges::none_of(type->options, [&](const Option& option) {
    const bool is_text = option.type == OptionType::kString && option.choices.empty();
    return !is_text && option.type != OptionType::kStrings && is_open(source, option.name);
  });
  const std::string only = "${param:" + pipeline.parameters.front().name +
                           "} has no default, so it only runs when it is provisioned, ";
  if (decided && (type->bounded == nullptr || !type->bounded(pipeline.source.options)))
    return part.problems.add(
        {.path = options.path("source"), .text = only + "and this source does not end by itself"});
  if (!decided || is_open(child(node, "delivery"), "spool")) return;
  const SpoolMode mode =
      options.has("delivery.spool") ? pipeline.delivery.spool.mode : default_spool_mode(pipeline);
  if (mode != SpoolMode::kNever)
    part.problems.add({.path = options.path("delivery.spool"),
                       .text = "must be \"never\": " + only + "and such a run can have no spool"});
}

void Loader::load_name(LoadedFile& part, const Options& options, bool only, PipelineConfig& out) {
  out.name = options.has("name") ? options.string("name") : only ? "main" : "";
  if (!options.has("name") && !only) {
    part.problems.add({.kind = Problem::Kind::kMissing,
                       .path = options.path("name"),
                       .wanted = "a name such as \"press-line\"",
                       .text = "when there are several pipelines"});
    return;
  }
  if (!check_name(part.problems, options.path("name"), out.name)) return;
  auto [other, added] = names_.emplace(out.name, Named{part, options.path()});
  if (!added)
    part.problems.add({.kind = Problem::Kind::kTwice,
                       .path = options.path("name"),
                       .text = "\"" + out.name + "\" is the name of " +
                               seen_from(part, other->second.part, other->second.path) +
                               " already"});
}

void Loader::load_delivery(LoadedFile& part, const Options& delivery, DeliveryConfig& out) {
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
  spool.catch_up_bytes = delivery.bytes("catchUp");
  spool.max_ack_hold = delivery.duration("maxAckHold");
  out.checkpoint = delivery.duration("checkpoint");
  out.retry_initial = delivery.duration("retry.initial");
  out.retry_max = delivery.duration("retry.max");
  out.breaker_threshold = static_cast<int>(delivery.integer("breaker.threshold"));
  out.breaker_cooldown = delivery.duration("breaker.cooldown");
  if (out.retry_initial > out.retry_max)
    part.problems.add({.path = delivery.path("retry"),
                       .text = "initial (\"" + exact_duration(out.retry_initial) +
                               "\") must not be longer than max (\"" +
                               exact_duration(out.retry_max) + "\")"});
}

void Loader::load_dead_letters(LoadedFile& part, const Options& options, DeadLetterConfig& out) {
  out.path = options.string("path");
  out.max_bytes = options.bytes("maxBytes");
  if (out.path.empty()) return;
  auto [other, added] = dead_letters_.emplace(out.path, Named{part, options.path("path")});
  if (!added)
    part.problems.add({.kind = Problem::Kind::kTwice,
                       .path = options.path("path"),
                       .text = "is the file of " +
                               seen_from(part, other->second.part, other->second.path) +
                               " already: each pipeline needs its own"});
}

std::optional<PipelineConfig> Loader::load_letter_pipeline(LoadedFile& part, const cJSON* sink,
                                                           const std::string& path,
                                                           const PipelineConfig& of) {
  Parser parser(part.document, part.problems);
  std::optional<PipelineConfig> out = letter_pipeline(
      parser, {context_.registry, context_.open_files}, sink, path, of, config_.data_dir);
  if (!out) return out;
  auto [other, added] = names_.emplace(out->name, Named{part, path});
  if (!added)
    part.problems.add({.kind = Problem::Kind::kTwice,
                       .path = path,
                       .text = "makes a pipeline \"" + out->name + "\", as is called " +
                               seen_from(part, other->second.part, other->second.path) +
                               " already"});
  if (!good_name(out->name))
    part.problems.add({.path = path,
                       .text = "the name of the pipeline is too long for one that is called \"" +
                               out->name + "\""});
  return out;
}

void Loader::load_max_dead_letters(LoadedFile& part, const Options& options, PipelineConfig& out) {
  if (!options.has("maxDeadLetters")) return;
  auto limit = parse_dead_letter_limit(options.string("maxDeadLetters"));
  if (!limit)
    return part.problems.add({.path = options.path("maxDeadLetters"),
                              .text = "must be a count (\"100\") or a share (\"0.5%\")"});
  out.max_dead_letters = *limit;
  if (!ends_by_itself(out.source))
    part.problems.add({.path = options.path("maxDeadLetters"),
                       .text = "is for a source that ends, and this one does not"});
}

void Loader::load_schedule(LoadedFile& part, const cJSON* node, const Options& options,
                           PipelineConfig& out) {
  if (!options.has("schedule")) return;
  // Written, however wrong: that is said already.
  const bool every = child(node, "every") != nullptr;
  const bool cron = child(node, "cron") != nullptr;
  const Options& given = options.object("schedule");
  auto wrong = [&](const char* name, std::string text) {
    part.problems.add({.path = given.path(name), .text = std::move(text)});
  };
  ScheduleConfig schedule;
  schedule.retry_initial = given.duration("retry.initial");
  schedule.retry_max = given.duration("retry.max");
  schedule.threshold = static_cast<int>(given.integer("breaker.threshold"));
  schedule.cooldown = given.duration("breaker.cooldown");
  if (!out.complete())
    part.problems.add({.path = options.path("schedule"),
                       .text = "needs a default for each parameter (${param:NAME:-text})"});
  if (every == cron) {
    part.problems.add(
        {.path = options.path("schedule"), .text = "must have either \"every\" or \"cron\""});
  } else if (every) {
    if (given.has("timeZone")) wrong("timeZone", "is for \"cron\"");
    schedule.every = given.duration("every");
    schedule.text = "every " + exact_duration(schedule.every);
  } else if (given.has("cron")) {
    const std::string zone = given.has("timeZone") ? given.string("timeZone") : "UTC";
    Result<Cron> times = Cron::parse(given.string("cron"));
    if (!times) wrong("cron", times.error().message());
    Result<TimeZone> read = TimeZone::load(zone);
    if (!read) wrong("timeZone", read.error().message());
    if (times) schedule.cron = *times;
    if (read) schedule.zone = std::move(*read);
    schedule.text = given.string("cron") + " (" + zone + ")";
  }
  out.schedule = std::move(schedule);
}

// Option::once.
void Loader::check_once(size_t pipeline, std::string_view type, const Options& options) {
  LoadedFile& part = *origins_[pipeline];
  for (const Option& option : options.table()) {
    if (option.once == nullptr || !options.has(option.name)) continue;
    std::string key =
        std::string(type) + '\n' + std::string(option.name) + '\n' + options.string(option.name);
    if (option.once_with != nullptr) key += '\n' + options.string(option.once_with);
    auto [other, added] =
        used_once_.emplace(std::move(key), Named{part, options.path(option.name)});
    if (!added)
      part.problems.add({.kind = Problem::Kind::kTwice,
                         .path = options.path(option.name),
                         .text = "is the same as " +
                                 seen_from(part, other->second.part, other->second.path) + ": " +
                                 option.once,
                         .warning = true});
  }
}

bool Loader::load_stages(Parser& parser, const cJSON* node, const std::string& path,
                         PipelineConfig& out) {
  const StageContext context{context_.registry, context_.open_files};
  bool good = load_source(parser, context, child(node, "source"), path + ".source", out.source);
  const cJSON* list = child(node, "transforms");
  std::string list_path = path + ".transforms";
  if (list != nullptr && !parser.expect_list(list, list_path, "[{\"type\": \"filter\", ...}]"))
    good = false;
  size_t index = 0;
  for (const cJSON* item = cJSON_IsArray(list) ? list->child : nullptr; item != nullptr;
       item = item->next, ++index)
    good &= load_transform(parser, item, path_of_index(list_path, index),
                           out.transforms.emplace_back());
  good &= load_sink(parser, context, child(node, "sink"), path + ".sink", out.sink);
  return good;
}

Result<Document> parsed(const ConfigFile& file) {
  std::string_view text = file.text;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Document::parse(text);
}

}  // namespace

std::optional<std::string> load_data_dir(std::span<const ConfigFile> files,
                                         const LoadContext& context, Problems& problems) {
  if (!context.data_dir.empty()) return context.data_dir;
  for (const ConfigFile& file : files) {
    Result<Document> document = parsed(file);
    if (!document) {
      problems.take_from(*document.error().problems(), file.name);
      continue;
    }
    Result<std::string> data_dir = written_data_dir(*document, context.variables);
    if (data_dir && data_dir->empty()) continue;
    if (data_dir) return *data_dir;
    problems.add({.kind = Problem::Kind::kVariable,
                  .path = "agent.dataDir",
                  .text = data_dir.error().message(),
                  .file = file.name});
  }
  if (problems.errors() == 0)
    problems.add({.kind = Problem::Kind::kMissing,
                  .path = "agent.dataDir",
                  .wanted = "a folder such as \"/var/lib/leat\" (or give --data-dir)"});
  return std::nullopt;
}

std::optional<AgentConfig> load_config(std::span<const ConfigFile> files,
                                       const LoadContext& context, Problems& problems) {
  std::vector<LoadedFile> parts;
  for (const ConfigFile& file : files) {
    if (Result<Document> document = parsed(file))
      parts.push_back({file, std::move(*document)});
    else
      problems.take_from(*document.error().problems(), file.name);
  }
  if (parts.empty()) return std::nullopt;
  AgentConfig config = Loader(parts, parts.size() == files.size(), context).load();
  for (LoadedFile& part : parts) {
    part.document.set_places(part.problems);
    problems.take_from(part.problems, part.file.name);
  }
  if (problems.errors() > 0) return std::nullopt;
  return config;
}

std::optional<AgentConfig> load_config(std::string_view text, const LoadContext& context,
                                       Problems& problems) {
  const ConfigFile file{"", std::string(text)};
  return load_config({&file, 1}, context, problems);
}

}  // namespace leat
