#include "control/topic/taken_commands.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "control/json_text.h"

namespace leat::control {
namespace {

constexpr std::string_view kPrefix = "control:command:";
constexpr size_t kLongestText = 1024;  // bytes kept of what there is to say

std::string from_hex(const std::string& text) {
  std::string out;
  for (size_t at = 0; hex_byte(text, at) >= 0; at += 2)
    out += static_cast<char>(hex_byte(text, at));
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string partition_of(const std::string& correlation) {
  return std::string(kPrefix) + correlation;
}

}  // namespace

void TakenCommands::restore(const std::vector<SavedPosition>& saved) {
  for (const SavedPosition& one : saved) {
    if (!one.partition.starts_with(kPrefix)) continue;
    Json json(cJSON_Parse(one.value.c_str()), cJSON_Delete);
    TakenCommand command{.correlation = one.partition.substr(kPrefix.size()),
                         .command = text_of(json.get(), "command"),
                         .state = text_of(json.get(), "state"),
                         .text = text_of(json.get(), "text"),
                         .base = text_of(json.get(), "base"),
                         .answer_to = text_of(json.get(), "answerTo"),
                         .answer_data = from_hex(text_of(json.get(), "answerData"))};
    const cJSON* number = cJSON_GetObjectItemCaseSensitive(json.get(), "number");
    command.number = cJSON_IsNumber(number) != 0 ? static_cast<uint64_t>(number->valuedouble) : 0;
    command.changes = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json.get(), "changes")) != 0;
    if (command.state.empty()) continue;  // nothing that this leat has written
    last_ = std::max(last_, command.number);
    all_[command.correlation] = std::move(command);
  }
}

TakenCommand* TakenCommands::find(std::string_view correlation) {
  auto found = all_.find(correlation);
  return found == all_.end() ? nullptr : &found->second;
}

std::vector<SavedPosition> TakenCommands::add(TakenCommand command) {
  command.number = ++last_;
  std::vector<SavedPosition> out = {saved(command)};
  while (all_.size() >= kKept) {
    // Those that are under way stay: they are told of later.
    auto oldest = all_.end();
    for (auto at = all_.begin(); at != all_.end(); ++at)
      if (!at->second.under_way() &&
          (oldest == all_.end() || at->second.number < oldest->second.number))
        oldest = at;
    if (oldest == all_.end()) break;
    out.push_back({partition_of(oldest->first), ""});
    all_.erase(oldest);
  }
  std::string correlation = command.correlation;
  all_[std::move(correlation)] = std::move(command);
  return out;
}

void TakenCommands::remove(std::string_view correlation) {
  if (auto found = all_.find(correlation); found != all_.end()) all_.erase(found);
}

SavedPosition TakenCommands::saved(const TakenCommand& command) {
  Json json = json_object();
  auto add = [&json](const char* name, const std::string& text) {
    if (!text.empty()) cJSON_AddStringToObject(json.get(), name, text.c_str());
  };
  cJSON_AddNumberToObject(json.get(), "number", static_cast<double>(command.number));
  add("command", command.command);
  add("state", command.state);
  add("text", excerpt(command.text, kLongestText));
  if (command.changes) cJSON_AddTrueToObject(json.get(), "changes");
  add("base", command.base);
  add("answerTo", command.answer_to);
  add("answerData", hex(command.answer_data));
  return {partition_of(command.correlation), printed(json.get())};
}

size_t TakenCommands::under_way() const {
  return static_cast<size_t>(
      std::ranges::count_if(all_, [](const auto& one) { return one.second.under_way(); }));
}

}  // namespace leat::control
