#include "control/config_routes.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "control/json_text.h"
#include "options/problem_words.h"

namespace leat {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kConfig = "/api/v1/config";

using To = std::shared_ptr<http::Responder>;

void add_text(cJSON* object, const char* name, std::string_view text) {
  if (!text.empty()) cJSON_AddStringToObject(object, name, std::string(text).c_str());
}

void add_names(cJSON* object, const char* name, const std::vector<std::string>& names) {
  cJSON* list = cJSON_AddArrayToObject(object, name);
  for (const std::string& one : names) cJSON_AddItemToArray(list, cJSON_CreateString(one.c_str()));
}

void describe(cJSON* out, const ConfigVersion& version, const ConfigManager& configs) {
  cJSON_AddNumberToObject(out, "version", static_cast<double>(version.number));
  add_text(out, "state", name_of(version.state));
  add_text(out, "origin", name_of(version.origin));
  add_text(out, "author", version.author);
  add_text(out, "staged", rfc3339(version.staged_us / 1'000'000 * 1'000'000));
  add_text(out, "reason", version.reason);
  const bool runs = version.number == configs.running().number;
  cJSON_AddBoolToObject(out, "runs", runs ? 1 : 0);
  if (auto left = configs.probation_left(); left && runs)
    cJSON_AddNumberToObject(out, "probationSeconds", static_cast<double>(left->count()) / 1000);
}

void list(ConfigManager& configs, const To& to) {
  std::map<uint64_t, ConfigVersion> all = configs.versions().all();
  if (configs.running().number != 0) all[configs.running().number] = configs.running();
  Json json = json_object();
  cJSON* versions = cJSON_AddArrayToObject(json.get(), "versions");
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    cJSON* one = cJSON_CreateObject();
    describe(one, at->second, configs);
    cJSON_AddItemToArray(versions, one);
  }
  to->reply(200, kJson, printed(json.get()) + "\n");
}

void show(const ConfigManager& configs, const ConfigVersion& version, const To& to) {
  std::string text = configs.show(version.text);
  if (text.empty())
    return to->reply(409, kText,
                     "configuration version " + std::to_string(version.number) +
                         " means nothing any more, or is not shown by this build\n");
  to->reply(200, kJson, std::move(text));
}

// 0: it is none.
uint64_t version_number(std::string_view text) {
  uint64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

void show_by_number(const ConfigManager& configs, const std::string& number, const To& to) {
  const uint64_t wanted = version_number(number);
  const bool runs = wanted == configs.running().number;
  const ConfigVersion* version = runs ? &configs.running() : configs.versions().find(wanted);
  if (version != nullptr) return show(configs, *version, to);
  to->reply(404, kText, "there is no configuration version " + number + "\n");
}

ConfigManager::Done answer_to(ConfigManager& configs, const To& to) {
  return [&configs, to](const Result<Change>& change) {
    if (!change) {
      const bool usage = change.error().kind() == ErrorKind::kUsage;
      return to->reply(usage ? 409 : 503, kText, change.error().message() + "\n");
    }
    Json json = json_object();
    describe(json.get(), configs.running(), configs);
    add_names(json.get(), "kept", change->kept);
    add_names(json.get(), "added", change->added);
    add_names(json.get(), "changed", change->changed);
    add_names(json.get(), "removed", change->removed);
    to->reply(202, kJson, printed(json.get()) + "\n");
  };
}

// `use`: else it is only checked.
void take(ConfigManager& configs, const std::string& who, const std::string& text, bool use,
          const To& to) {
  Problems problems;
  std::optional<AgentConfig> config = configs.read(text, problems);
  const bool ok = config && problems.errors() == 0;
  if (!ok || !use)
    return to->reply(ok ? 200 : 422, kJson,
                     std::string("{\"ok\":") + (ok ? "true" : "false") +
                         ",\"problems\":" + json_of(problems) + "}\n");
  log::info("config", "another configuration came, " + who);
  configs.change({text, std::move(*config)}, ConfigOrigin::kRemote, who, answer_to(configs, to));
}

}  // namespace

bool answer_of_config(ConfigManager& configs, const std::string& who,
                      const http::ServerRequest& request, const To& responder) {
  std::string_view path = request.path;
  if (!path.starts_with(kConfig)) return false;
  path.remove_prefix(kConfig.size());
  const bool versions = path.starts_with("/versions");
  if (!versions && !path.empty() && path != "/check" && path != "/rollback") return false;
  if (path.empty() && request.method == "GET") {
    show(configs, configs.running(), responder);
    return true;
  }
  const std::string_view method = versions ? "GET" : path.empty() ? "PUT" : "POST";
  if (request.method != method) {
    responder->reply(405, kText, "only " + std::string(method) + "\n",
                     "Allow: " + std::string(method) + "\r\n");
    return true;
  }
  if (path == "/versions") {
    list(configs, responder);
  } else if (path.starts_with("/versions/")) {
    show_by_number(configs, std::string(path.substr(std::string_view("/versions/").size())),
                   responder);
  } else if (path == "/rollback") {
    const std::string_view to = request.parameter("to");
    const bool given =
        std::ranges::any_of(request.query, [](const auto& one) { return one.first == "to"; });
    if (given && version_number(to) == 0) {
      responder->reply(400, kText, "to: the number of a version, found \"" + excerpt(to) + "\"\n");
    } else {
      configs.roll_back(version_number(to), who, answer_to(configs, responder));
    }
  } else {
    take(configs, who, request.body, path.empty(), responder);
  }
  return true;
}

}  // namespace leat
