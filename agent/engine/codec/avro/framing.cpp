#include "codec/avro/framing.h"

#include <algorithm>

namespace leat {

// Calls f(begin, end) for each whole unit, until it answers false.
template <typename F>
void AvroFraming::each_unit(std::string_view bytes, F&& f) const {
  for (size_t at = 0; at < bytes.size();) {
    const AvroUnits::Unit unit = units_.next(bytes.substr(at));
    if (unit.kind == AvroUnits::Unit::Kind::kCut || !f(at, at + unit.size)) return;
    at += unit.size;
  }
}

size_t AvroFraming::complete_prefix(std::string_view bytes) const {
  size_t whole = 0;
  each_unit(bytes, [&whole](size_t, size_t end) {
    whole = end;
    return true;
  });
  return whole;
}

size_t AvroFraming::first_longer(std::string_view records, size_t most) const {
  size_t longer = std::string_view::npos;
  each_unit(records, [&](size_t begin, size_t end) {
    if (end - begin > most) longer = begin;
    return longer == std::string_view::npos;
  });
  return longer;
}

size_t AvroFraming::behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const {
  const size_t start = from - std::min(from, kAvroMarkerSize - 1);
  const size_t behind = units_.behind_marker(bytes, start);
  place.going_on = behind == std::string_view::npos;
  if (!place.going_on) return behind;
  // The marker may be there in part.
  return bytes.size() - std::min(bytes.size(), kAvroMarkerSize - 1);
}

Status AvroFraming::split(Batch&, DeadLetters&) const {
  return fail(ErrorKind::kUsage, "Avro is decoded, not split");
}

}  // namespace leat
