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

// What is no value that can be a record: up to the next one in the array, or to the line's end.
Extent other_extent(const char* p, const char* end, bool in_array) {
  while (p < end) {
    if (*p == '\n') return {p, true, true};
    char c = *p++;
    if (in_array && (c == ',' || c == ']')) return {p, true};
    if (in_array && c == '"') {
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

}  // namespace

JsonPiece json_piece(JsonDocument kind, const char* p, const char* end) {
  const bool in_array = kind == JsonDocument::kArray;
  JsonPiece out;
  out.end = end;
  p = skip_space(p, end);
  if (in_array && p < end && *p == '[') {
    out.opens = true;
    p = skip_space(p + 1, end);
  }
  if (p == end) return out;
  if (in_array && (*p == ']' || *p == ',')) {
    out.end = p + 1;
    out.complete = true;
    return out;
  }
  if (*p != '{' && (in_array || *p != '[')) {
    Extent other = other_extent(p, end, in_array);
    // Without what ends it, unless there is nothing else.
    const bool ended = other.complete && !other.torn && other.end - p > 1;
    out.text = text_between(p, ended ? other.end - 1 : other.end);
    out.end = other.end;
    out.complete = other.complete;
    out.problem = in_array ? "expected an object" : "expected an object or an array";
    return out;
  }
  Extent value = nested_extent(p, end);
  out.text = text_between(p, value.end);
  out.end = value.end;
  out.complete = value.complete;
  if (!in_array || !value.complete || value.torn) return out;
  const char* behind = skip_space(value.end, end);
  if (behind == end) {
    out.end = end;
    out.complete = false;
  } else if (*behind == ',' || *behind == ']') {
    out.end = behind + 1;
    out.followed = true;
  }
  return out;
}

size_t JsonPieceFraming::complete_prefix(std::string_view bytes) const {
  const char* const end = bytes.data() + bytes.size();
  const char* p = bytes.data();
  while (skip_space(p, end) < end) {
    JsonPiece piece = json_piece(kind_, p, end);
    if (!piece.complete) return static_cast<size_t>(p - bytes.data());
    p = piece.end;
  }
  return bytes.size();
}

Status JsonPieceFraming::split(Batch&, DeadLetters&) const {
  return fail(ErrorKind::kUsage, "JSON of several lines a record is decoded, not split");
}

}  // namespace leat
