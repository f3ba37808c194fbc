#include "histories/history.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

constexpr size_t kMostFailures = 5;

uint64_t number_in(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

bool replaying() {
  static const bool kReplaying = std::getenv("LEAT_HISTORY_ONLY") != nullptr;
  return kReplaying;
}

}  // namespace

size_t Dice::pick(std::initializer_list<unsigned> weights) {
  unsigned sum = 0;
  for (unsigned weight : weights) sum += weight;
  uint64_t at = below(sum);
  size_t index = 0;
  for (unsigned weight : weights) {
    if (at < weight) return index;
    at -= weight;
    ++index;
  }
  return index;
}

std::string Dice::bytes(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    uint64_t some = random_();
    for (size_t j = i; j < size && j < i + 8; ++j, some >>= 8) out[j] = static_cast<char>(some);
  }
  return out;
}

void History::step(const std::function<std::string()>& say) {
  ++step_count_;
  if (!replaying()) return;
  std::fprintf(stderr, "%4llu %s\n", static_cast<unsigned long long>(step_count_), say().c_str());
}

void History::note(const std::function<std::string()>& say) {
  if (replaying()) std::fprintf(stderr, "       %s\n", say().c_str());
}

void History::breaks(const std::string& what) {
  if (problem_.empty()) problem_ = "after step " + std::to_string(step_count_) + ": " + what;
  if (replaying()) std::fprintf(stderr, "     BROKEN: %s\n", what.c_str());
}

void run_histories(const std::string& kind, int part,
                   const std::function<std::unique_ptr<History>(uint64_t seed)>& make) {
  uint64_t first = number_in("LEAT_HISTORY_SEED", 1) + static_cast<uint64_t>(part);
  uint64_t count = number_in("LEAT_HISTORIES", LEAT_HISTORIES) / 2 / kParts;
  if (replaying()) {
    first = number_in("LEAT_HISTORY_ONLY", 1);
    count = part == 0 ? 1 : 0;
  } else {
    log::set_level(
        log::Level{static_cast<int>(log::Level::kError) + 1});  // faults are no news here
  }
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);  // a history's memory is the next one's
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  std::map<std::string, uint64_t> met;
  uint64_t steps = 0;
  size_t failures = 0;
  uint64_t run = 0;
  for (; run < count && failures < kMostFailures; ++run) {
    uint64_t seed = first + run * kParts;
    std::unique_ptr<History> history = make(seed);
    history->run();
    steps += history->step_count();
    for (const auto& [what, times] : history->met) met[what] += times;
    if (!history->broken()) continue;
    ++failures;
    ADD_FAILURE() << kind << " history " << seed << ": " << history->problem()
                  << "\n  replay it: scripts/fault-histories --only " << kind << " --seed " << seed;
  }
  log::set_level(log::Level::kInfo);
  std::printf("figures %s histories=%llu steps=%llu broken=%zu", kind.c_str(),
              static_cast<unsigned long long>(run), static_cast<unsigned long long>(steps),
              failures);
  for (const auto& [what, times] : met)
    std::printf(" %s=%llu", what.c_str(), static_cast<unsigned long long>(times));
  std::printf("\n");
}

bool long_histories() {
  static const bool kLong = std::getenv("LEAT_HISTORY_LONG") != nullptr;
  return kLong;
}

std::string empty_folder() {
  static const std::unique_ptr<TempDir> kFolder = [] {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
    return std::make_unique<TempDir>();
  }();
  for (const std::string& name : kFolder->list()) std::filesystem::remove_all(*kFolder / name);
  return kFolder->path();
}

}  // namespace leat::testing
