// Why records became dead letters, and how many for which reason: the stage, the code, and its
// words without what differs from record to record.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

struct DeadLetterReason {
  std::string stage;
  std::string code;  // Rejection::code
  std::string reason;
  uint64_t count = 0;
};

// "at byte 17: \"abc\" is no number" → "at byte #: \"…\" is no number", cut where it is long.
std::string kind_of_reason(std::string_view reason);

class DeadLetterReasons {
 public:
  // Of more, the others are counted as one: a person reads them.
  static constexpr size_t kMost = 16;

  // True for the first one of its kind, as far as kinds are told apart.
  bool count(std::string_view stage, std::string_view code, std::string_view reason);
  const std::vector<DeadLetterReason>& all() const { return all_; }

 private:
  std::vector<DeadLetterReason> all_;  // in the order in which they came first
};

}  // namespace leat
