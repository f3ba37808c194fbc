#include "fleet/fleet.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "base/random.h"

namespace leat::fleet {
namespace {

constexpr Milliseconds kLongestSettling{30'000};
constexpr size_t kMostParts = 1'024;
constexpr size_t kMostInParts = 256;  // answers whose parts have not all come

}  // namespace

std::string new_correlation() {
  std::array<char, 32> out;
  std::snprintf(out.data(), out.size(), "fleet-%016" PRIx64, random_number());
  return out.data();
}

Fleet::Fleet(const Clock& clock, Desk& desk, std::string prefix, const Signer* signer)
    : clock_(clock), desk_(desk), prefix_(std::move(prefix)), signer_(signer) {}

void Fleet::on_event(std::function<void(const std::string&, const json&)> listener) {
  on_event_ = std::move(listener);
}

Status Fleet::begin(Milliseconds settle) {
  std::vector<std::string> topics = {prefix_ + "/+/status", prefix_ + "/+/reply",
                                     prefix_ + "/+/cmd/+/state"};
  if (on_event_) topics.push_back(prefix_ + "/+/events");
  if (Status status = desk_.subscribe(std::move(topics)); !status) return status;
  const int64_t until = clock_.monotonic_us() + kLongestSettling.count() * 1000;
  while (clock_.monotonic_us() < until) {
    Result<std::optional<Message>> message = desk_.next(settle);
    if (!message) return fail(message.error());
    if (!*message) return {};
    take(**message);
  }
  return {};
}

std::vector<std::string> Fleet::members(const std::string& group) const {
  std::vector<std::string> out;
  for (const auto& [id, gateway] : gateways_) {
    const json& groups = member(gateway.status, "groups");
    if (group.empty() ||
        (groups.is_array() && std::find(groups.begin(), groups.end(), json(group)) != groups.end()))
      out.push_back(id);
  }
  return out;
}

Status Fleet::send(const Command& command) {
  if (signer_ == nullptr) return fail(ErrorKind::kUsage, "--key: is needed to send commands");
  const int64_t now_us = clock_.unix_us();
  // Of one key it only ever grows, also from one desk to the next (their clocks are what it is).
  last_counter_ = std::max(last_counter_ + 1, now_us);
  json claims = {
      {"aud", command.gateway},   {"jti", command.correlation},
      {"counter", last_counter_}, {"exp", (now_us + command.valid_for.count() * 1000) / 1'000'000},
      {"command", command.name},  {"arguments", command.arguments}};
  Result<std::string> signed_command = signer_->sign(printed(claims));
  if (!signed_command) return fail(signed_command.error());
  return desk_.publish(prefix_ + "/" + command.gateway + "/cmd", *signed_command);
}

Result<std::optional<Answer>> Fleet::next(Milliseconds at_most) {
  Result<std::optional<Message>> message = desk_.next(at_most);
  if (!message) return fail(message.error());
  if (!*message) return std::optional<Answer>();
  return take(**message);
}

std::optional<Answer> Fleet::take(const Message& message) {
  std::string_view rest = message.topic;
  if (!rest.starts_with(prefix_ + "/")) return std::nullopt;
  rest.remove_prefix(prefix_.size() + 1);
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string id(rest.substr(0, slash));
  rest.remove_prefix(slash + 1);
  if (rest == "status" && message.payload.empty()) {  // somebody cleared it: the gateway is no more
    gateways_.erase(id);
    return std::nullopt;
  }
  json body = parsed(message.payload);
  if (!body.is_object()) return std::nullopt;
  if (rest == "status") {
    Gateway& gateway = gateways_[id];
    gateway.online = is_true(body, "online");
    // The will says only that it is away: what it was before is worth keeping.
    if (gateway.online || gateway.status.is_null()) gateway.status = std::move(body);
    return std::nullopt;
  }
  if (rest == "events") {
    if (on_event_) on_event_(id, body);
    return std::nullopt;
  }
  if (rest == "reply" && !member(body, "part").is_null()) body = joined(id, body);
  return answer(id, std::move(body));
}

std::optional<Answer> Fleet::answer(const std::string& gateway, json body) {
  if (!body.is_object()) return std::nullopt;
  Answer out{.gateway = gateway,
             .correlation = text_of(body, "correlation"),
             .state = text_of(body, "state"),
             .body = {}};
  out.body = std::move(body);
  return out;
}

json Fleet::joined(const std::string& gateway, const json& part) {
  const size_t parts = number_of(part, "parts");
  const size_t number = number_of(part, "part");
  if (number == 0 || number > parts || parts > kMostParts) return {};
  const std::pair key(gateway, text_of(part, "correlation"));
  if (!parts_.contains(key) && parts_.size() == kMostInParts) parts_.erase(parts_.begin());
  std::map<size_t, std::string>& known = parts_[key];
  known[number] = text_of(part, "data");
  if (known.size() < parts) return {};
  std::string whole;
  for (const auto& [at, text] : known) whole += text;
  parts_.erase(key);
  return parsed(whole);
}

}  // namespace leat::fleet
