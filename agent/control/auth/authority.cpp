#include "control/auth/authority.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace leat::control {
namespace {

constexpr std::string_view kCounter = "control:counter:";
const std::string kAgent;  // the pipeline of these positions

// Of ES256, or of many bytes: one takes some ten milliseconds of a small board, on the loop that
// pipelines are on, too.
constexpr size_t kLarge = 64 * 1024;
constexpr int kMostInVain = 5;  // a second
constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kDayUs = 86'400 * kSecondUs;

// Nullopt: nothing that this leat has written.
std::optional<uint64_t> number_of(const std::string& text) {
  uint64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

Authority::Authority(AuthoritySetup setup)
    : setup_(std::move(setup)), refusals_(setup_.clock, setup_.on_refused) {}

void Authority::restore(const std::vector<SavedPosition>& saved) {
  for (const SavedPosition& one : saved) {
    if (!one.partition.starts_with(kCounter)) continue;
    uint64_t& last = counters_[one.partition.substr(kCounter.size())];
    last = std::max(last, number_of(one.value).value_or(UINT64_MAX));
  }
  restored_ = true;
}

void Authority::set(std::string agent, std::vector<std::string> groups,
                    const std::vector<ControlKey>& keys) {
  agent_ = std::move(agent);
  groups_ = std::move(groups);
  keys_.clear();
  for (const ControlKey& one : keys) {
    Result<jws::Key> key = one.is_public ? jws::Key::es256(one.key) : jws::Key::secret(one.key);
    if (key) keys_.emplace(one.id, Known{std::move(*key), one.role});
  }
}

Verdict Authority::refused(Refusal refusal, std::optional<SignedCommand> command) {
  refusals_.add(refusal);
  return {.refusal = refusal, .command = std::move(command)};
}

Verdict Authority::admit(std::string_view message) {
  if (message.size() > kLongestCommand) return refused(Refusal::kOversized);
  const std::optional<jws::Message> parsed = jws::parse(message);
  if (!parsed) return refused(Refusal::kMalformed);
  const auto known = keys_.find(parsed->key_id);
  if (known == keys_.end()) return refused(Refusal::kUnknownKey);
  if (parsed->algorithm != known->second.key.algorithm()) return refused(Refusal::kBadSignature);
  // Who has no key, or only what was sent before, must not keep the agent busy. Who has one must
  // wait for the next second then; what they sign anew is never in vain, be it for another agent.
  const int64_t now_us = setup_.clock.monotonic_us();
  if (now_us - second_us_ >= kSecondUs) {
    second_us_ = now_us;
    in_vain_ = 0;
  }
  const bool costly = parsed->algorithm == jws::Algorithm::kEs256 || message.size() > kLarge;
  if (costly && in_vain_ >= kMostInVain)
    return {.later = Milliseconds((second_us_ + kSecondUs - now_us) / 1'000 + 1)};
  bool anew = false;
  Verdict verdict = look_into(*parsed, known->second, known->first, anew);
  if (costly && !anew && (verdict.refusal || verdict.seen)) ++in_vain_;
  return verdict;
}

Verdict Authority::look_into(const jws::Message& message, Known& known, std::string_view key_id,
                             bool& anew) {
  if (!message.is_by(known.key)) return refused(Refusal::kBadSignature);
  const std::optional<std::string> payload = message.decoded();
  std::optional<Claims> claims = payload ? read_claims(*payload) : std::nullopt;
  if (!claims) return refused(Refusal::kUnreadable);
  anew = claims->counter > known.newest;
  known.newest = std::max(known.newest, claims->counter);
  if (!is_for_us(*claims)) return refused(Refusal::kOtherAddressee);
  SignedCommand command{.key = std::string(key_id),
                        .role = known.role,
                        .correlation = std::move(claims->correlation),
                        .command = std::move(claims->command),
                        .arguments = std::move(claims->arguments),
                        .counter = claims->counter};
  if (!restored_) return refused(Refusal::kUnavailable, std::move(command));
  uint64_t& last = counters_[command.key];
  const bool fresh = command.counter > last;
  if (setup_.seen && setup_.seen(command.correlation)) {
    // One that has the name of another must not act when that is forgotten.
    if (fresh) {
      last = command.counter;
      consume(command, false, {}, [](const Status&) {});
    }
    return {.command = std::move(command), .seen = true};
  }
  if (!fresh) return refused(Refusal::kReplayed, std::move(command));
  if (auto wrong = check_time(*claims)) return refused(*wrong, std::move(command));
  last = command.counter;
  return {.command = std::move(command)};
}

bool Authority::is_for_us(const Claims& claims) const {
  return std::ranges::any_of(claims.addressees, [this](const std::string& one) {
    return one == agent_ || std::ranges::find(groups_, one) != groups_.end();
  });
}

std::optional<Refusal> Authority::check_time(const Claims& claims) {
  clock_was_right_ = clock_was_right_ || setup_.clock_is_right();
  if (!clock_was_right_) return std::nullopt;
  const int64_t now_us = setup_.clock.unix_us();
  const double now = static_cast<double>(now_us) / kSecondUs;
  if (now >= claims.expires) return Refusal::kExpired;
  if (now < claims.not_before) return Refusal::kTooEarly;
  // Of a desk whose clock is years ahead: after it that key could not command for years.
  if (claims.counter > static_cast<uint64_t>(now_us + kDayUs)) return Refusal::kCounterAhead;
  return std::nullopt;
}

void Authority::consume(const SignedCommand& command, bool changes, std::vector<SavedPosition> with,
                        std::function<void(Status)> done) {
  with.push_back({std::string(kCounter) + command.key, std::to_string(command.counter)});
  setup_.journal.commit(
      kAgent, std::move(with), std::move(done),
      changes ? JournalClient::Durability::kPower : JournalClient::Durability::kProcess);
}

}  // namespace leat::control
