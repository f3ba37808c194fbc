#include "stage/record_limit.h"

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

}  // namespace leat
