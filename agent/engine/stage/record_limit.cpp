#include "stage/record_limit.h"

#include "base/units.h"

namespace leat {

TooLong find_too_long(std::string_view bytes, size_t whole, const Framing& framing, size_t most,
                      GivenUp& place) {
  if (bytes.size() <= most) return {};  // as nearly always
  size_t begin = framing.first_longer(bytes.substr(0, whole), most);
  if (begin == std::string_view::npos) {
    if (bytes.size() - whole <= most) return {};
    begin = whole;
  }
  place = {};
  return {begin, framing.behind_given_up(bytes.substr(begin), most, place)};
}

Rejected too_long_letter(Batch& batch, std::string_view bytes, size_t most) {
  constexpr size_t kKept = 1024;
  return {batch.arena.copy(bytes.substr(0, kKept)),
          batch.arena.copy("the record is longer than maxRecord (" +
                           format_bytes(static_cast<int64_t>(most)) +
                           "); only its start is kept here")};
}

}  // namespace leat
