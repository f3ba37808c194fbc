#include "table/attempts.h"

#include <algorithm>

#include "base/random.h"

namespace leat::table {
namespace {

constexpr Milliseconds kFirstRetry{500};
constexpr Milliseconds kLongestRetry{30'000};
constexpr Milliseconds kLongestToBegin{60'000};
constexpr Milliseconds kLongestToGoOn{600'000};

}  // namespace

Attempts::Attempts(bool bounded)
    : bounded_(bounded), backoff_(random_number()), outage_(kFirstRetry, kLongestRetry) {}

Result<Milliseconds> Attempts::failed(const Error& error, int64_t now_us) {
  is_new_ = outage_.failed(error.message(), now_us);
  const Milliseconds longest = outage_.delay(now_us);
  const Milliseconds wait = backoff_.between(longest / 2, longest);
  if (!bounded_) return wait;
  const Milliseconds left = (reached_ ? kLongestToGoOn : kLongestToBegin) - outage_.lasted(now_us);
  if (left.count() > 0) return std::min(wait, left);
  return fail(ErrorKind::kUnavailable,
              error.message() + "; given up after " + format_duration(outage_.lasted(now_us)));
}

bool Attempts::to_be_said(int64_t now_us) {
  if (!is_new_ && !outage_.due(now_us)) return false;
  outage_.said(now_us);
  return true;
}

std::optional<Milliseconds> Attempts::went_well(int64_t now_us) {
  reached_ = true;
  if (!outage_.lasts()) return std::nullopt;
  const Milliseconds lasted = outage_.lasted(now_us);
  outage_.over();
  return lasted;
}

}  // namespace leat::table
