#include "protocols/mqtt/topic.h"

#include <algorithm>

#include "base/text.h"
#include "protocols/mqtt/protocol.h"

namespace leat::mqtt {
namespace {

constexpr std::string_view kShare = "$share/";

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

// Takes the first level and its "/" off `rest`; false when there is none left.
bool next_level(std::string_view& rest, bool& more, std::string_view& level) {
  if (!more) return false;
  size_t slash = rest.find('/');
  level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return true;
}

Status check_text(std::string_view text) {
  if (text.empty()) return bad("it is empty");
  if (text.size() > kLongestText) return bad("it is longer than 65535 bytes");
  if (!is_utf8(text)) return bad("it is not UTF-8");
  // [MQTT-4.7.3-2]; brokers may refuse other control characters too [MQTT5 §1.5.4].
  for (char c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F)
      return bad("it has a control character in it");
  return {};
}

std::string_view without_share(std::string_view filter) {
  if (!is_shared(filter)) return filter;
  size_t slash = filter.find('/', kShare.size());
  return slash == std::string_view::npos ? "" : filter.substr(slash + 1);
}

}  // namespace

bool is_shared(std::string_view filter) {
  return filter.starts_with(kShare);
}

Status check_filter(std::string_view filter) {
  if (Status status = check_text(filter); !status) return status;
  if (is_shared(filter)) {
    std::string_view group = filter.substr(kShare.size());
    group = group.substr(0, group.find('/'));
    if (group.empty() || group.find_first_of("+#") != std::string_view::npos ||
        without_share(filter).empty())
      return bad("a shared subscription is written \"$share/GROUP/FILTER\"");
  }
  std::string_view rest = without_share(filter);
  std::string_view level;
  bool more = true;
  while (next_level(rest, more, level)) {
    if (level.find_first_of("+#") == std::string_view::npos) continue;
    if (level.size() > 1) return bad("\"+\" and \"#\" must be a whole level, between slashes");
    if (level == "#" && more) return bad("\"#\" must be the last level");
  }
  return {};
}

Status check_topic(std::string_view topic) {
  if (Status status = check_text(topic); !status) return status;
  if (topic.find_first_of("+#") != std::string_view::npos)
    return bad("it has a \"+\" or \"#\" in it, which only filters may");
  return {};
}

bool matches(std::string_view filter, std::string_view topic) {
  filter = without_share(filter);
  // A wildcard at the start does not match "$SYS" and the like [MQTT-4.7.2-1].
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  bool filter_more = true;
  bool topic_more = true;
  std::string_view wanted;
  std::string_view level;
  while (next_level(filter, filter_more, wanted)) {
    if (wanted == "#") return true;  // also for the parent level [MQTT5 §4.7.1.2]
    if (!next_level(topic, topic_more, level)) return false;
    if (wanted != "+" && wanted != level) return false;
  }
  return !topic_more;
}

bool overlap(std::string_view a, std::string_view b) {
  a = without_share(a);
  b = without_share(b);
  // A wildcard at the start does not match "$SYS" and the like [MQTT-4.7.2-1].
  auto wild = [](std::string_view filter) { return filter.find_first_of("+#") == 0; };
  if ((a.starts_with('$') && wild(b)) || (b.starts_with('$') && wild(a))) return false;
  bool more_a = true;
  bool more_b = true;
  std::string_view of_a;
  std::string_view of_b;
  while (true) {
    const bool any_a = next_level(a, more_a, of_a);
    const bool any_b = next_level(b, more_b, of_b);
    if ((any_a && of_a == "#") || (any_b && of_b == "#")) return true;
    if (!any_a || !any_b) return any_a == any_b;
    if (of_a != "+" && of_b != "+" && of_a != of_b) return false;
  }
}

Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  if (Status status = check_text(text); !status) return fail(status.error());
  TopicPattern out;
  std::string_view level;
  bool more = true;
  while (next_level(text, more, level)) {
    Level made{Kind::kExact, std::string(level)};
    if (level == "+") {
      made.kind = Kind::kAny;
    } else if (level == "#") {
      if (more) return bad("\"#\" must be the last level");
      made.kind = Kind::kRest;
    } else if (level.starts_with('{') && level.ends_with('}')) {
      made = {Kind::kNamed, std::string(level.substr(1, level.size() - 2))};
      if (made.text.empty()) return bad("\"{}\" has no name in it");
      if (std::find(out.names_.begin(), out.names_.end(), made.text) != out.names_.end())
        return bad("the name \"" + made.text + "\" stands twice");
      out.names_.push_back(made.text);
    } else if (level.find_first_of("+#{}") != std::string_view::npos) {
      return bad("\"" + std::string(level) +
                 "\": \"+\", \"#\" and \"{name}\" must be a whole level, between slashes");
    }
    out.levels_.push_back(std::move(made));
  }
  if (out.names_.empty()) return bad("it names no level: write \"{name}\" in place of a level");
  return out;
}

bool TopicPattern::match(std::string_view topic, std::vector<std::string_view>& values) const {
  const size_t before = values.size();
  bool more = true;
  for (const Level& wanted : levels_) {
    if (wanted.kind == Kind::kRest) return true;
    std::string_view level;
    if (!next_level(topic, more, level) || (wanted.kind == Kind::kExact && wanted.text != level)) {
      values.resize(before);
      return false;
    }
    if (wanted.kind == Kind::kNamed) values.push_back(level);
  }
  if (!more) return true;
  values.resize(before);
  return false;
}

}  // namespace leat::mqtt
