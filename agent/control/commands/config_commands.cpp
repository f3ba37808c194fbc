#include <map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "control/commands/functions.h"
#include "control/config_manager.h"
#include "control/json_text.h"
#include "options/problem_words.h"

namespace leat::control {
namespace {

void add_names(cJSON* object, const char* name, const std::vector<std::string>& names) {
  cJSON* list = cJSON_AddArrayToObject(object, name);
  for (const std::string& one : names) cJSON_AddItemToArray(list, cJSON_CreateString(one.c_str()));
}

void describe(cJSON* out, const ConfigVersion& version, const ConfigManager& configs) {
  const bool runs = version.number == configs.running().number;
  describe_version(out, version, runs);
  if (auto left = configs.probation_left(); left && runs)
    cJSON_AddNumberToObject(out, "probationSeconds", static_cast<double>(left->count()) / 1000);
}

// For people, who may read it in the history.
std::string text_of(const cJSON* json) {
  std::unique_ptr<char, void (*)(void*)> text(cJSON_Print(json), cJSON_free);
  return text == nullptr ? "" : text.get() + std::string("\n");
}

// First when it is taken over, and once more at the end of its probation.
ConfigManager::Done answer_to(ConfigManager& configs, const Reply& reply) {
  return [&configs, reply](const Result<Change>& change) {
    if (!change) return reply(failed(change.error()));
    Json json = json_object();
    describe(json.get(), configs.running(), configs);
    add_names(json.get(), "kept", change->kept);
    add_names(json.get(), "added", change->added);
    add_names(json.get(), "changed", change->changed);
    add_names(json.get(), "removed", change->removed);
    reply({.state = Answer::State::kRunning, .result = printed(json.get())});
    configs.when_settled(configs.running().number, [&configs, reply](const ConfigVersion& version) {
      reply(end_of(version, configs));
    });
  };
}

// Nullopt: `wrong` says what is wrong in it.
std::optional<AgentConfig> read(const ConfigManager& configs, const std::string& text,
                                std::string* problems_json, Answer* wrong) {
  Problems problems;
  std::optional<AgentConfig> config = configs.read(text, problems);
  *problems_json = json_of(problems);
  if (config && problems.errors() == 0) return config;
  *wrong = failed(Fault::kBadRequest, summary_of(problems));
  wrong->problems = *problems_json;
  return std::nullopt;
}

void say_came(const std::string& who) {
  log::info("config", "another configuration came, " + who);
}

// Where the pipeline of that name stands; -1: nowhere. One alone needs no name, and is "main".
int place_of(const cJSON* pipelines, const std::string& name) {
  int at = 0;
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, pipelines) {
    const char* its = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "name"));
    const bool only = its == nullptr && cJSON_GetArraySize(pipelines) == 1;
    if (only ? name == "main" : its != nullptr && name == its) return at;
    ++at;
  }
  return -1;
}

// `text` with this pipeline in it, or without one of that name when it is "". kData: it is none;
// else the text is not one to which that can be done.
Result<std::string> with_pipeline(const std::string& text, const std::string& name,
                                  const std::string& pipeline) {
  Json root(cJSON_Parse(text.c_str()), cJSON_Delete);
  cJSON* pipelines = cJSON_GetObjectItemCaseSensitive(root.get(), "pipelines");
  if (cJSON_IsArray(pipelines) == 0)
    return fail(
        ErrorKind::kUsage,
        "the configuration that runs is not one file with a list of pipelines: set it whole");
  const int place = place_of(pipelines, name);
  if (pipeline.empty()) {
    if (place < 0) return fail(ErrorKind::kUsage, "there is no pipeline \"" + name + "\"");
    cJSON_DeleteItemFromArray(pipelines, place);
    return text_of(root.get());
  }
  Json fresh(cJSON_Parse(pipeline.c_str()), cJSON_Delete);
  if (cJSON_IsObject(fresh.get()) == 0)
    return fail(ErrorKind::kData, "config: a pipeline, which is a JSON object");
  const cJSON* its = cJSON_GetObjectItemCaseSensitive(fresh.get(), "name");
  if (its == nullptr) {
    cJSON_AddStringToObject(fresh.get(), "name", name.c_str());
  } else if (cJSON_IsString(its) == 0 || name != its->valuestring) {
    return fail(ErrorKind::kData,
                "config.name: another than that of the pipeline, \"" + name + "\"");
  }
  if (place < 0) {
    cJSON_AddItemToArray(pipelines, fresh.release());
  } else {
    cJSON_ReplaceItemInArray(pipelines, place, fresh.release());
  }
  return text_of(root.get());
}

}  // namespace

Answer end_of(const ConfigVersion& version, const ConfigManager& configs) {
  Answer out;
  if (version.state == ConfigState::kRolledBack) out.state = Answer::State::kRolledBack;
  if (version.state == ConfigState::kInterrupted) out.state = Answer::State::kInterrupted;
  out.text = version.reason;
  // Nobody knows whether it would have done.
  if (version.state == ConfigState::kReplaced)
    out = failed(Fault::kConflict, "another configuration took its place");
  Json json = json_object();
  describe(json.get(), version, configs);
  out.result = printed(json.get());
  return out;
}

void show_config(const Targets& targets, const Request& request, const Reply& reply) {
  const ConfigManager& configs = targets.configs;
  const uint64_t wanted = request.number("version");
  const bool runs = !request.has("version") || wanted == configs.running().number;
  const ConfigVersion* version = runs ? &configs.running() : configs.versions().find(wanted);
  if (version == nullptr)
    return reply(
        failed(Fault::kUnknown, "there is no configuration version " + std::to_string(wanted)));
  std::string text = configs.show(version->text);
  if (text.empty())
    return reply(
        failed(Fault::kConflict, "configuration version " + std::to_string(version->number) +
                                     " means nothing any more, or is not shown by this build"));
  reply(succeeded(std::move(text)));
}

void list_configs(const Targets& targets, const Request& /*request*/, const Reply& reply) {
  const ConfigManager& configs = targets.configs;
  std::map<uint64_t, ConfigVersion> all = configs.versions().all();
  if (configs.running().number != 0) all[configs.running().number] = configs.running();
  Json json = json_object();
  cJSON* versions = cJSON_AddArrayToObject(json.get(), "versions");
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    cJSON* one = cJSON_CreateObject();
    describe(one, at->second, configs);
    cJSON_AddItemToArray(versions, one);
  }
  reply(succeeded(printed(json.get())));
}

void check_config(const Targets& targets, const Request& request, const Reply& reply) {
  std::string problems;
  Answer answer;
  if (read(targets.configs, request.text("config"), &problems, &answer))
    answer = succeeded("{\"ok\":true,\"problems\":" + problems + "}");
  reply(answer);
}

void set_config(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& text = request.text("config");
  std::string problems;
  Answer wrong;
  std::optional<AgentConfig> config = read(targets.configs, text, &problems, &wrong);
  if (!config) return reply(wrong);
  say_came(request.caller.who);
  targets.configs.change({text, std::move(*config)}, ConfigOrigin::kRemote, request.caller.who,
                         answer_to(targets.configs, reply));
}

void patch_config(const Targets& targets, const Request& request, const Reply& reply) {
  const bool remove = request.flag("remove");
  if (remove == request.has("config"))
    return reply(failed(Fault::kBadRequest, "config: the pipeline, or remove: true"));
  ConfigManager& configs = targets.configs;
  auto wrong = std::make_shared<std::optional<Answer>>();
  auto make = [&configs, wrong, pipeline = request.text("pipeline"), fresh = request.text("config"),
               who = request.caller.who](const ConfigVersion& running) -> Result<WrittenConfig> {
    Result<std::string> text = with_pipeline(running.text, pipeline, fresh);
    if (!text) {
      const bool mine = text.error().kind() == ErrorKind::kData;
      wrong->emplace(failed(mine ? Fault::kBadRequest : Fault::kConflict, text.error().message()));
      return fail(text.error());
    }
    std::string problems;
    Answer answer;
    std::optional<AgentConfig> config = read(configs, *text, &problems, &answer);
    if (!config) {
      wrong->emplace(answer);
      return fail(ErrorKind::kUsage, answer.text);
    }
    say_came(who);
    return WrittenConfig{std::move(*text), std::move(*config)};
  };
  configs.patch(std::move(make), request.caller.who,
                [wrong, reply, done = answer_to(configs, reply)](const Result<Change>& change) {
                  if (*wrong) return reply(**wrong);
                  done(change);
                });
}

void reload_config(const Targets& targets, const Request& /*request*/, const Reply& reply) {
  if (targets.reload == nullptr)
    return reply(failed(Fault::kConflict, "there is no file to read again"));
  targets.reload();
  reply(done("the file is read again; the log says what came of it"));
}

void roll_back_config(const Targets& targets, const Request& request, const Reply& reply) {
  const uint64_t to = request.number("to");
  if (request.has("to") && to == 0)
    return reply(failed(Fault::kBadRequest, "to: the number of a version, found \"0\""));
  targets.configs.roll_back(to, request.caller.who, answer_to(targets.configs, reply));
}

}  // namespace leat::control
