#include "control/config_versions.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "base/time_format.h"

namespace leat {
namespace {

constexpr std::string_view kPrefix = "config:";
const std::string kAgent;  // the pipeline of these positions

constexpr std::string_view kStates[] = {"probation", "interrupted", "good", "rolledBack",
                                        "replaced"};
constexpr std::string_view kOrigins[] = {"file", "remote"};

// False: none of `names`.
bool find_name(std::span<const std::string_view> names, const std::string& name, size_t& at) {
  const auto found = std::ranges::find(names, std::string_view(name));
  at = static_cast<size_t>(found - names.begin());
  return found != names.end();
}

std::string value_of(const ConfigVersion& version) {
  Json json = json_object();
  auto add = [&json](const char* name, std::string_view text) {
    cJSON_AddStringToObject(json.get(), name, std::string(text).c_str());
  };
  add("origin", name_of(version.origin));
  add("author", version.author);
  const int64_t staged_ms = version.staged_us / 1000;
  cJSON_AddNumberToObject(json.get(), "staged", static_cast<double>(staged_ms));
  add("state", name_of(version.state));
  add("reason", version.reason);
  add("text", version.text);
  if (!version.delivered.empty()) {
    cJSON* names = cJSON_AddArrayToObject(json.get(), "delivered");
    for (const std::string& name : version.delivered)
      cJSON_AddItemToArray(names, cJSON_CreateString(name.c_str()));
  }
  return printed(json.get());
}

// False: nothing that this leat has written.
bool read_version(const SavedPosition& saved, ConfigVersion& out) {
  if (!saved.partition.starts_with(kPrefix)) return false;
  out.number = std::strtoull(saved.partition.c_str() + kPrefix.size(), nullptr, 10);
  Json json(cJSON_Parse(saved.value.c_str()), cJSON_Delete);
  size_t state = 0;
  size_t origin = 0;
  if (out.number == 0 || !find_name(kStates, text_of(json.get(), "state"), state) ||
      !find_name(kOrigins, text_of(json.get(), "origin"), origin))
    return false;
  out.state = static_cast<ConfigState>(state);
  out.origin = static_cast<ConfigOrigin>(origin);
  out.text = text_of(json.get(), "text");
  out.author = text_of(json.get(), "author");
  out.reason = text_of(json.get(), "reason");
  const cJSON* name = nullptr;
  cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(json.get(), "delivered")) {
    if (cJSON_IsString(name) != 0) out.delivered.insert(name->valuestring);
  }
  const cJSON* staged = cJSON_GetObjectItemCaseSensitive(json.get(), "staged");
  if (cJSON_IsNumber(staged) != 0) out.staged_us = static_cast<int64_t>(staged->valuedouble) * 1000;
  return true;
}

bool may_run(const ConfigVersion& version) {
  return version.state == ConfigState::kGood || version.state == ConfigState::kInterrupted;
}

}  // namespace

std::string_view name_of(ConfigState state) {
  return kStates[static_cast<size_t>(state)];
}

std::string_view name_of(ConfigOrigin origin) {
  return kOrigins[static_cast<size_t>(origin)];
}

void describe_version(cJSON* out, const ConfigVersion& version, bool runs) {
  auto add = [out](const char* name, std::string_view text) {
    if (!text.empty()) cJSON_AddStringToObject(out, name, std::string(text).c_str());
  };
  cJSON_AddNumberToObject(out, "version", static_cast<double>(version.number));
  add("state", name_of(version.state));
  add("origin", name_of(version.origin));
  add("author", version.author);
  add("staged", rfc3339(version.staged_us / 1'000'000 * 1'000'000));
  add("reason", version.reason);
  cJSON_AddBoolToObject(out, "runs", runs ? 1 : 0);
}

void ConfigVersions::load(std::function<void(Status)> done) {
  journal_.load(kAgent, [this, done = std::move(done)](Result<std::vector<SavedPosition>> saved) {
    all_.clear();
    if (!saved) return done(fail(saved.error()));
    for (const SavedPosition& one : *saved) {
      ConfigVersion version;
      if (read_version(one, version)) all_[version.number] = std::move(version);
    }
    done({});
  });
}

const ConfigVersion* ConfigVersions::find(uint64_t number) const {
  auto found = all_.find(number);
  return found == all_.end() ? nullptr : &found->second;
}

const ConfigVersion* ConfigVersions::newest() const {
  const ConfigVersion* out = nullptr;
  for (const auto& [number, version] : all_)
    if (may_run(version)) out = &version;
  return out;
}

const ConfigVersion* ConfigVersions::newest_of(ConfigOrigin origin) const {
  const ConfigVersion* out = nullptr;
  for (const auto& [number, version] : all_)
    if (version.origin == origin) out = &version;
  return out;
}

const ConfigVersion* ConfigVersions::good_before(uint64_t number) const {
  const ConfigVersion* out = nullptr;
  for (const auto& [at, version] : all_)
    if (at < number && version.state == ConfigState::kGood) out = &version;
  return out;
}

void ConfigVersions::keep(std::vector<ConfigVersion> versions, std::function<void(Status)> done) {
  std::map<uint64_t, ConfigVersion> next = all_;
  std::vector<SavedPosition> changes;
  auto partition = [](uint64_t number) { return std::string(kPrefix) + std::to_string(number); };
  for (const ConfigVersion& version : versions) {
    changes.push_back({partition(version.number), value_of(version)});
    next[version.number] = version;
  }
  std::vector<uint64_t> gone;
  uint64_t file = 0;
  for (const auto& [number, version] : next)
    if (version.origin == ConfigOrigin::kFile) file = number;
  for (bool good : {true, false}) {
    size_t left = kKept;
    for (auto at = next.rbegin(); at != next.rend(); ++at) {
      if ((at->second.state == ConfigState::kGood) != good) continue;
      if (left == 0 && at->first != file) gone.push_back(at->first);
      if (left > 0) --left;
    }
  }
  for (uint64_t number : gone) changes.push_back({partition(number), ""});
  journal_.commit(
      kAgent, std::move(changes),
      [this, versions = std::move(versions), gone, done = std::move(done)](Status status) {
        if (status) {
          for (const ConfigVersion& version : versions) all_[version.number] = version;
          for (uint64_t number : gone) all_.erase(number);
        }
        done(std::move(status));
      },
      JournalClient::Durability::kPower);
}

}  // namespace leat
