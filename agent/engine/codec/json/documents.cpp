#include "codec/json/documents.h"

namespace leat {
namespace {

const char* skip_space(const char* p, const char* end) {
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  return p;
}

struct Extent {
  const char* end = nullptr;
  bool complete = false;
  bool torn = false;  // by the end of its line, which lies behind it
};

// `p` is behind an opening quote. A string ends with its line, where it is not closed before: so a
// quote too many costs that line and not the rest of the stream.
Extent string_extent(const char* p, const char* end, bool& closed) {
  closed = false;
  for (; p < end; ++p) {
    if (*p == '"') {
      closed = true;
      return {p + 1, true};
    }
    if (*p == '\n') return {p, true, true};
    if (*p == '\\' && p + 1 < end && p[1] != '\n') ++p;
  }
  return {end, false};
}

// `p` is at '{' or '['. Only nesting is looked at: whether it is JSON is the decoder's business.
Extent nested_extent(const char* p, const char* end) {
  int depth = 0;
  while (p < end) {
    char c = *p++;
    if (c == '"') {
      bool closed;
      Extent string = string_extent(p, end, closed);
      if (!closed) return string;
      p = string.end;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return {p, true};
    }
  }
  return {end, false};
}

// What is no value that can be a record: up to what ends it in an array, or to the line's end.
Extent other_extent(const char* p, const char* end, bool in_array) {
  if (*p == '\0') {  // a hole in a file, and nobody's document
    while (p < end && *p == '\0') ++p;
    return {p, p < end};
  }
  while (p < end) {
    if (*p == '\n') return {p, true, true};
    if (in_array && (*p == ',' || *p == ']')) return {p, true};
    if (*p++ == '"' && in_array) {
      bool closed;
      Extent string = string_extent(p, end, closed);
      if (!closed) return string;
      p = string.end;
    }
  }
  return {end, false};
}

std::string_view text_between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

// `p` is at its first byte.
JsonPiece document_piece(const char* p, const char* end) {
  JsonPiece out;
  const bool nested = *p == '{' || *p == '[';
  const Extent value = nested ? nested_extent(p, end) : other_extent(p, end, false);
  if (!nested) out.problem = "expected an object or an array";
  out.text = text_between(p, value.end);
  out.end = value.end;
  out.complete = value.complete;
  return out;
}

// From `start` as far as `behind`.
JsonPiece closing_piece(const char* start, const char* behind, const char* end) {
  JsonPiece out;
  out.closes = true;
  out.text = text_between(start, behind);
  out.complete = skip_space(behind, end) < end;
  out.end = behind;
  return out;
}

// `p` is at its first byte.
JsonPiece array_piece(const char* p, const char* end) {
  if (*p == ']') return closing_piece(p, p + 1, end);
  JsonPiece out;
  out.opens = *p == '[';
  out.comma = *p == ',';
  if (out.opens || out.comma) {
    const char* const start = p;
    p = skip_space(p + 1, end);
    if (out.opens && p < end && *p == ']') {
      out = closing_piece(start, p + 1, end);
      out.opens = true;
      return out;
    }
    if (p == end || *p == ']' || *p == ',') {
      out.text = text_between(start, start + 1);
      out.end = start + 1;
      out.complete = p < end;
      out.problem = "expected an object behind it";
      return out;
    }
  }
  const bool nested = *p == '{' || *p == '[';
  const Extent value = nested ? nested_extent(p, end) : other_extent(p, end, true);
  if (*p != '{') out.problem = "expected an object";
  out.text = text_between(p, value.end);
  out.end = value.end;
  out.complete = value.complete;
  if (!value.complete || value.torn) return out;
  out.complete = skip_space(value.end, end) < end;
  return out;
}

}  // namespace

JsonPiece json_piece(JsonDocument kind, const char* p, const char* end) {
  p = skip_space(p, end);
  if (p == end) return {.text = {}, .end = end};
  return kind == JsonDocument::kArray ? array_piece(p, end) : document_piece(p, end);
}

const char* ArrayPlace::take(const JsonPiece& piece) {
  if (piece.text.empty()) return nullptr;
  const Behind before = behind;
  if (before == Behind::kArray) return "expected nothing behind the array";
  behind = !piece.closes ? Behind::kElement : torn ? Behind::kAnything : Behind::kArray;
  if (before == Behind::kNothing && !piece.opens) return "expected '[' before it";
  if (before == Behind::kNothing || before == Behind::kPerhapsNothing) return nullptr;
  if (piece.opens) return "expected no '[' before it";
  if (before == Behind::kElement && !piece.comma && !piece.closes) return "expected ',' before it";
  return nullptr;
}

size_t JsonPieceFraming::complete_prefix(std::string_view bytes) const {
  const char* const end = bytes.data() + bytes.size();
  const char* p = bytes.data();
  // The space before a piece goes with what is before it.
  while ((p = skip_space(p, end)) < end) {
    JsonPiece piece = json_piece(kind_, p, end);
    if (!piece.complete) return static_cast<size_t>(p - bytes.data());
    p = piece.end;
  }
  return bytes.size();
}

size_t JsonPieceFraming::first_longer(std::string_view records, size_t most) const {
  const char* const end = records.data() + records.size();
  for (const char* p = records.data(); (p = skip_space(p, end)) < end;) {
    const JsonPiece piece = json_piece(kind_, p, end);
    if (static_cast<size_t>(piece.end - p) > most) return static_cast<size_t>(p - records.data());
    p = piece.end;
  }
  return std::string_view::npos;
}

size_t JsonPieceFraming::behind_given_up(std::string_view bytes, size_t from,
                                         GivenUp& place) const {
  using In = GivenUp::In;
  const bool in_array = kind_ == JsonDocument::kArray;
  place.going_on = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool opens = c == '{' || c == '[';
    if (place.line_begins && opens && i >= from) return i;
    place.line_begins = c == '\n';
    if (place.quoted) {
      if (c == '\n') return i;  // a string ends with its line
      if (c == '"' && !place.escaped) place.quoted = false;
      place.escaped = c == '\\' && !place.escaped;
      continue;
    }
    if (place.in == In::kBefore || place.in == In::kBeforeMarked) {
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
      if (in_array && place.in == In::kBefore && (c == '[' || c == ',')) {
        place.in = In::kBeforeMarked;
        continue;
      }
      place.in = opens ? In::kNested : In::kOther;
      if (in_array && c == ']') return i + 1;
    }
    if (place.in == In::kOther) {
      if (c == '\n' || (in_array && (c == ',' || c == ']'))) return i;
      place.quoted = in_array && c == '"';
    } else if (opens) {
      ++place.depth;
    } else if (c == '"') {
      place.quoted = true;
    } else if ((c == '}' || c == ']') && --place.depth == 0) {
      return i + 1;
    }
  }
  place.going_on = true;
  return bytes.size();
}

Status JsonPieceFraming::split(Batch&, DeadLetters&) const {
  return fail(ErrorKind::kUsage, "JSON of several lines a record is decoded, not split");
}

}  // namespace leat
