// `maxDeadLetters`: how many dead letters a run may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat {

struct DeadLetterLimit {  // neither: any number
  std::optional<uint64_t> count;
  std::optional<double> share;  // of the records read, 0 to 1
  bool operator==(const DeadLetterLimit&) const = default;
};

// "100" or "0.5%"; nullopt for anything else.
std::optional<DeadLetterLimit> parse_dead_letter_limit(std::string_view text);

}  // namespace leat
