#include "codec/xml/pieces.h"

#include <algorithm>
#include <cstring>

namespace leat {
namespace {

std::string_view between(const char* start, const char* end) {
  return {start, static_cast<size_t>(end - start)};
}

const char* find(const char* p, const char* end, char c) {
  return static_cast<const char*>(std::memchr(p, c, static_cast<size_t>(end - p)));
}

// Behind the next `mark`; null when there is none.
const char* behind(const char* p, const char* end, std::string_view mark) {
  const size_t at = between(p, end).find(mark);
  return at == std::string_view::npos ? nullptr : p + at + mark.size();
}

bool ends_name(char c) {
  return is_xml_space(c) || c == '>' || c == '/';
}

std::string_view name_at(const char* p, const char* end) {
  const char* start = p;
  while (p < end && !ends_name(*p) && *p != '<') ++p;
  return between(start, p);
}

// Behind the '>' of a start tag; null when it is not there. A '>' may stand in a value.
const char* behind_tag(const char* p, const char* end) {
  char quote = 0;
  for (; p < end; ++p) {
    if (quote != 0) {
      if (*p == quote) quote = 0;
    } else if (*p == '>') {
      return p + 1;
    } else if (*p == '"' || *p == '\'') {
      quote = *p;
    }
  }
  return nullptr;
}

// Behind a document type with the declarations in it, in which quotes and brackets may stand.
const char* behind_doctype(const char* p, const char* end) {
  char quote = 0;
  bool within = false;
  for (; p < end; ++p) {
    if (quote != 0) {
      if (*p == quote) quote = 0;
    } else if (*p == '"' || *p == '\'') {
      quote = *p;
    } else if (*p == '[') {
      within = true;
    } else if (*p == ']') {
      within = false;
    } else if (*p == '>' && !within) {
      return p + 1;
    }
  }
  return nullptr;
}

bool begins_document(const char* p, const char* end) {
  const std::string_view text = between(p, end);
  return text.starts_with("<?xml") && text.size() > 5 && is_xml_space(text[5]);
}

struct ElementEnd {
  const char* at = nullptr;  // null: not among the bytes
  bool torn = false;         // a document begins before it
};

// Of the element of this name whose start tag has been read up to its name.
ElementEnd end_of_element(const char* p, const char* end, std::string_view name) {
  p = behind_tag(p, end);
  if (p == nullptr || p[-2] == '/') return {p};
  size_t open = 1;
  auto is_name = [&](const char* at) {
    return static_cast<size_t>(end - at) > name.size() &&
           std::memcmp(at, name.data(), name.size()) == 0 && ends_name(at[name.size()]);
  };
  while (p != nullptr && (p = find(p, end, '<')) != nullptr) {
    if (end - p < 2) return {};
    const char* next = p + 1;
    if (*next == '/') {
      if (!is_name(next + 1)) {
        p = next + 1;
        continue;
      }
      p = find(next, end, '>');
      if (p == nullptr) return {};
      ++p;
      if (--open == 0) return {p};
    } else if (*next == '!') {
      const std::string_view text = between(next, end);
      if (text.starts_with("!--")) {
        p = behind(next + 3, end, "-->");
      } else if (text.starts_with("![CDATA[")) {
        p = behind(next + 8, end, "]]>");
      } else if (std::string_view("!--").starts_with(text) ||
                 std::string_view("![CDATA[").starts_with(text)) {
        return {};  // it may become one of these
      } else {
        p = next;
      }
    } else if (*next == '?') {
      if (begins_document(p, end)) return {p, true};
      p = behind(next, end, "?>");
    } else if (*next == name[0] && is_name(next)) {
      p = behind_tag(next, end);
      if (p != nullptr && p[-2] != '/') ++open;
    } else {
      p = next;
    }
  }
  return {};
}

XmlPiece piece(XmlPiece::Kind kind, const char* p, const char* behind, const char* end,
               const char* problem = nullptr) {
  const bool complete = behind != nullptr;
  if (!complete) behind = end;
  return {kind, between(p, behind), behind, complete, problem};
}

XmlPiece element(XmlPiece::Kind kind, const char* p, const char* end, std::string_view name,
                 const char* problem = nullptr) {
  const ElementEnd found = end_of_element(name.data() + name.size(), end, name);
  if (found.torn) return piece(XmlPiece::Kind::kBad, p, found.at, end, "it has no end");
  return piece(kind, p, found.at, end, problem);
}

}  // namespace

bool is_xml_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

XmlPiece XmlPieces::next(const char* p, const char* end) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (p < end && is_xml_space(*p)) ++p;
  if (between(p, end).starts_with(kByteOrderMark)) p += kByteOrderMark.size();
  if (p == end) return {.text = {}, .end = end};
  if (*p != '<')
    return piece(XmlPiece::Kind::kBad, p, find(p, end, '<'), end, "text outside of a record");
  if (end - p < 2) return piece(XmlPiece::Kind::kBad, p, nullptr, end);
  if (p[1] == '/') return end_tag(p, end);
  return p[1] == '!' || p[1] == '?' ? markup(p, end) : tag(p, end);
}

XmlPiece XmlPieces::markup(const char* p, const char* end) {
  using Kind = XmlPiece::Kind;
  const std::string_view text = between(p, end);
  if (p[1] == '?') {
    const char* close = behind(p, end, "?>");
    const bool begins = begins_document(p, end);
    if (begins && close != nullptr) level_ = 0;
    return piece(begins ? Kind::kDeclaration : Kind::kNothing, p, close, end);
  }
  if (text.starts_with("<!--")) return piece(Kind::kNothing, p, behind(p + 4, end, "-->"), end);
  if (text.starts_with("<!DOCTYPE")) {
    const char* close = behind_doctype(p, end);
    if (close != nullptr) level_ = 0;
    return piece(Kind::kNothing, p, close, end);
  }
  constexpr std::string_view kCData = "<![CDATA[";
  if (text.starts_with(kCData))
    return piece(Kind::kBad, p, behind(p, end, "]]>"), end, "text outside of a record");
  const bool short_of = std::string_view("<!--").starts_with(text) ||
                        std::string_view("<!DOCTYPE").starts_with(text) || kCData.starts_with(text);
  return piece(Kind::kBad, p, short_of ? nullptr : find(p + 1, end, '<'), end, "no markup of XML");
}

XmlPiece XmlPieces::end_tag(const char* p, const char* end) {
  const char* close = find(p, end, '>');
  if (close == nullptr) return piece(XmlPiece::Kind::kBad, p, nullptr, end);
  const std::string_view local = local_name(name_at(p + 2, close));
  if (level_ == 0 || path_.steps[level_ - 1] != local)
    return piece(XmlPiece::Kind::kBad, p, close + 1, end, "the end of an element that is not open");
  --level_;
  return piece(XmlPiece::Kind::kCloses, p, close + 1, end);
}

XmlPiece XmlPieces::tag(const char* p, const char* end) {
  using Kind = XmlPiece::Kind;
  const std::string_view name = name_at(p + 1, end);
  if (name.data() + name.size() == end) return piece(Kind::kBad, p, nullptr, end);
  const std::string_view local = local_name(name);
  if (name.empty()) return piece(Kind::kBad, p, find(p + 1, end, '<'), end, "no markup of XML");
  // A root begins where a record may stand: what was before had no end. And a record where the root
  // may stand is one without its root.
  size_t level = level_;
  if (among_records() && level > 0 && path_.is_step(0, local)) level = 0;
  if (level == 0 && !path_.is_step(0, local) && path_.is_step(path_.level(), local))
    level = level_ = path_.level();
  if (!path_.is_step(level, local))
    return level_ > 0 ? element(Kind::kNothing, p, end, name)
                      : element(Kind::kBad, p, end, name, kOtherRoot);
  if (level == path_.level()) return element(Kind::kRecord, p, end, name);
  const char* close = behind_tag(name.data() + name.size(), end);
  if (close == nullptr) return piece(Kind::kOpens, p, nullptr, end);
  level_ = level;
  if (close[-2] == '/') return piece(Kind::kNothing, p, close, end);
  ++level_;
  return piece(Kind::kOpens, p, close, end);
}

}  // namespace leat
