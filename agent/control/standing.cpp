#include "control/standing.h"

#include <utility>
#include <vector>

#include "base/log.h"

namespace leat {
namespace {

constexpr std::string_view kPrefix = "standing:";

}  // namespace

std::string text_of(const Standing& standing) {
  std::string out = !standing.mounted ? "" : *standing.mounted ? "mounted" : "unmounted";
  if (standing.activity == Activity::kRuns) return out;
  if (!out.empty()) out += ' ';
  return out + (standing.activity == Activity::kPaused ? "paused" : "stopped");
}

Standing standing_of(std::string_view text) {
  Standing out;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (word == "mounted") out.mounted = true;
    if (word == "unmounted") out.mounted = false;
    if (word == "paused") out.activity = Activity::kPaused;
    if (word == "stopped") out.activity = Activity::kStopped;
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

void Standings::load(std::function<void(Status)> done) {
  journal_.load("", [this, done = std::move(done)](Result<std::vector<SavedPosition>> saved) {
    if (!saved) return done(fail(saved.error()));
    for (const SavedPosition& one : *saved)
      if (one.partition.starts_with(kPrefix))
        all_[one.partition.substr(kPrefix.size())] = standing_of(one.value);
    done({});
  });
}

Standing Standings::of(const std::string& pipeline) const {
  auto found = all_.find(pipeline);
  return found == all_.end() ? Standing{} : found->second;
}

void Standings::set(const std::string& pipeline, const Standing& standing) {
  const std::string text = text_of(standing);
  if (text.empty()) {
    all_.erase(pipeline);
  } else {
    all_[pipeline] = standing;
  }
  journal_.commit(
      "", {{std::string(kPrefix) + pipeline, text}},
      [pipeline](const Status& status) {
        if (!status)
          log::error(pipeline, "what it was told holds only until the agent ends: " +
                                   status.error().message());
      },
      JournalClient::Durability::kPower);
}

}  // namespace leat
