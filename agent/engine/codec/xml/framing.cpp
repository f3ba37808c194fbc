#include "codec/xml/framing.h"

#include <algorithm>

#include "codec/xml/pieces.h"

namespace leat {
namespace {

// Calls f(offset) for each place where `bytes` can be cut, until it answers false.
template <typename F>
void each_cut(const XmlPath& path, std::string_view bytes, F&& f) {
  XmlPieces pieces(path, path.level());
  const char* const end = bytes.data() + bytes.size();
  for (const char* p = bytes.data(); p < end;) {
    const XmlPiece piece = pieces.next(p, end);
    if (!piece.complete) return;
    p = piece.end;
    if (pieces.among_records() && !f(static_cast<size_t>(p - bytes.data()))) return;
  }
}

}  // namespace

size_t XmlFraming::complete_prefix(std::string_view bytes) const {
  size_t whole = 0;
  each_cut(path_, bytes, [&whole](size_t at) {
    whole = at;
    return true;
  });
  return whole;
}

size_t XmlFraming::first_longer(std::string_view records, size_t most) const {
  size_t before = 0;
  bool longer = false;
  each_cut(path_, records, [&](size_t at) {
    longer = at - before > most;
    if (!longer) before = at;
    return !longer;
  });
  return longer ? before : std::string_view::npos;
}

bool XmlFraming::is_record(std::string_view tag_name) const {
  return path_.is_step(path_.level(), local_name(tag_name));
}

bool XmlFraming::begins_with_record(std::string_view bytes) const {
  XmlPieces pieces(path_, path_.level());
  const char* const end = bytes.data() + bytes.size();
  for (const char* p = bytes.data(); p < end;) {
    const XmlPiece piece = pieces.next(p, end);
    if (!piece.complete || piece.kind == XmlPiece::Kind::kRecord)
      return piece.kind == XmlPiece::Kind::kRecord;
    p = piece.end;
  }
  return false;
}

size_t XmlFraming::behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const {
  if (place.in == GivenUp::In::kBefore)
    place.in = begins_with_record(bytes) ? GivenUp::In::kNested : GivenUp::In::kOther;
  const bool to_its_end = place.in == GivenUp::In::kNested;
  place.going_on = false;
  size_t at = bytes.find('<', from);
  for (; at != std::string_view::npos; at = bytes.find('<', at + 1)) {
    const size_t close = bytes.find_first_of(" \t\r\n/>", at + 2);
    if (close == std::string_view::npos) break;  // it may be the tag, when the rest of it is there
    const bool ends = bytes[at + 1] == '/';
    const std::string_view name = bytes.substr(at + (ends ? 2 : 1), close - at - (ends ? 2 : 1));
    if (name == "?xml") return at;
    // Where any root is a record, nothing else tells where one ends.
    if (!path_.steps.empty() && ends == to_its_end && is_xml_name(name) && is_record(name)) {
      const size_t behind = bytes.find('>', close);
      if (!ends) return at;
      if (behind == std::string_view::npos) break;
      return behind + 1;
    }
  }
  place.going_on = true;
  // A tag that is longer than any name is none.
  constexpr size_t kLongestName = 1024;
  return at == std::string_view::npos || bytes.size() - at > kLongestName ? bytes.size() : at;
}

Status XmlFraming::split(Batch&, DeadLetters&) const {
  return fail(ErrorKind::kUsage, "XML is decoded, not split");
}

}  // namespace leat
