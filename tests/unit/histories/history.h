// Random histories: what a seed makes of the same dice each time, with what must hold checked after
// each step. A history that breaks it says its seed, its steps, and the command that replays it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace leat::testing {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t seed() { return random_(); }
  // From 0 to n - 1.
  uint64_t below(uint64_t n) { return random_() % n; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool one_in(uint64_t n) { return below(n) == 0; }
  // The index of one of the weights, as often as it weighs.
  size_t pick(std::initializer_list<unsigned> weights);
  std::string bytes(size_t size);

 private:
  std::mt19937_64 random_;
};

class History {
 public:
  explicit History(uint64_t seed) : dice(seed) {}
  virtual ~History() = default;
  virtual void run() = 0;

  bool broken() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }
  uint64_t step_count() const { return step_count_; }
  // Faults that were met, by kind.
  std::map<std::string, uint64_t> met;

 protected:
  // What happens next; said only while replaying.
  void step(const std::function<std::string()>& say);
  // What comes of it; said only while replaying.
  void note(const std::function<std::string()>& say);
  // Something does not hold. The first one counts.
  void breaks(const std::string& what);

  Dice dice;

 private:
  std::string problem_;
  uint64_t step_count_ = 0;
};

// Of each kind half of LEAT_HISTORIES are run (else half of what the build says), with the seeds
// from LEAT_HISTORY_SEED (else 1) on; in parts, since ctest runs tests side by side: `part` of
// kParts has every kParts-th seed. Prints what was met. With LEAT_HISTORY_ONLY just that seed, and
// its steps. `kind`: of the replay command.
constexpr int kParts = 4;
void run_histories(const std::string& kind, int part,
                   const std::function<std::unique_ptr<History>(uint64_t seed)>& make);

// With LEAT_HISTORY_LONG each has half as many steps again, and other seeds break it.
bool long_histories();

// A folder in memory where the system has one: it is made once, and emptied for each history.
std::string empty_folder();

}  // namespace leat::testing
