#include "control/auth/refusals.h"

#include <numeric>

namespace leat::control {
namespace {

struct Words {
  std::string_view name;
  std::string_view reason;
};
constexpr std::array<Words, kRefusals> kWords = {{
    {"oversized", ""},
    {"malformed", ""},
    {"unknown key", ""},
    {"bad signature", ""},
    {"unreadable", "what is signed is no command: it needs aud, jti, counter, exp and command"},
    {"other addressee", "it is for another agent"},
    {"replayed", "its counter was used before, or a higher one: sign the command anew"},
    {"counter ahead",
     "its counter is more than a day ahead of the time: no later command could be taken"},
    {"too early", "its time (nbf) has not come"},
    {"expired", "its time (exp) is over"},
    {"role", "the role of the key does not allow it"},
    {"unavailable", "which commands came before cannot be read from the journal"},
}};

}  // namespace

std::string_view name_of(Refusal refusal) {
  return kWords[static_cast<size_t>(refusal)].name;
}

std::string_view reason_of(Refusal refusal) {
  return kWords[static_cast<size_t>(refusal)].reason;
}

void Refusals::add(Refusal refusal) {
  ++counts_[static_cast<size_t>(refusal)];
  if (!said_.due(clock_.monotonic_us())) return;
  std::string what;
  uint64_t all = 0;
  for (size_t i = 0; i < kRefusals; ++i) {
    const uint64_t fresh = counts_[i] - said_counts_[i];
    if (fresh == 0) continue;
    all += fresh;
    what += (what.empty() ? "" : ", ") + std::string(kWords[i].name) + " " + std::to_string(fresh);
  }
  said_counts_ = counts_;
  log::warn("control",
            "commands from afar were refused: " + std::to_string(all) + " (" + what + ")");
  if (on_said_) on_said_(what);
}

uint64_t Refusals::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

}  // namespace leat::control
