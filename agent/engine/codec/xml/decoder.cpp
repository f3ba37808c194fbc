#include "codec/xml/decoder.h"

#include <algorithm>

#include "base/text.h"
#include "codec/text/charset.h"
#include "codec/text/line_framing.h"
#include "stage/decode_messages.h"

namespace leat {
namespace {

// A document may begin behind a byte order mark.
constexpr uint64_t kByteOrderMark = 3;

std::string_view declared_encoding(std::string_view declaration) {
  std::string_view encoding;
  each_xml_attribute(declaration, [&](std::string_view name, std::string_view value) {
    if (name == "encoding") encoding = value;
  });
  return encoding;
}

// And no comment or instruction.
bool is_element(const XmlPiece& piece) {
  return piece.text.size() > 1 && piece.text[0] == '<' && piece.text[1] != '!' &&
         piece.text[1] != '?';
}

}  // namespace

Result<Turn> XmlDecoder::decode(Batch& batch, DeadLetters& dead) {
  tree_.begin();
  if (batch.content == Content::kBytes) {
    decode_stream(batch, dead);
  } else {
    decode_slices(batch, dead);
  }
  batch.bytes = {};  // records end otherwise than with their lines
  batch.become_records();
  return Turn::kDone;
}

// Where a batch begins, reading goes on among records: a stream is cut nowhere else, and the
// framing that cuts it cannot know better. What lies between two batches was given up by the
// source, and ended there, too.
XmlDecoder::Place& XmlDecoder::place_at(const Batch& batch) {
  const Position& begin = batch.begin;
  Place& place = places_[begin.partition];
  if (begin.offset <= kByteOrderMark) {
    place = {.level = dialect_.path.level(), .at_start = true};
  } else if (place.offset != begin.offset) {
    place.level = dialect_.path.level();
    place.at_start = false;
  }
  return place;
}

void XmlDecoder::decode_stream(Batch& batch, DeadLetters& dead) {
  Place& place = place_at(batch);
  XmlPieces pieces(dialect_.path, place.level);
  ValueRun values(batch.arena);
  const char* const begin = batch.bytes.data();
  const char* const end = begin + batch.bytes.size();
  uint32_t lines = 0;
  for (const char* p = begin; p < end;) {
    const XmlPiece piece = pieces.next(p, end);
    lines += count_newlines(p, piece.end);
    p = piece.end;
    const auto offset = static_cast<uint32_t>(p - begin);
    const size_t before = batch.records.size();
    const char* problem =
        take(piece, pieces.level(), place, batch, batch.preamble ? nullptr : &values);
    if (batch.records.size() > before) {
      batch.records.back().end_offset = offset;
      batch.records.back().end_line = lines;
    }
    if (problem == nullptr || batch.preamble) continue;
    const Position& from = batch.begin;
    dead.add_text(piece.text, {from.partition, from.offset + offset, from.line + lines},
                  problem + known_content(piece.text, false));
    if (batch.in_turns() && p < end && pieces.among_records() && dead.full()) {
      batch.leave_bytes(offset, lines);
      break;
    }
  }
  place.level = pieces.level();
  place.offset = batch.rest ? batch.rest->begin.offset : batch.end.offset;
  if (batch.preamble) place.level = dialect_.path.level();
  if (batch.end.last && !batch.rest) {
    if (place.opened && !batch.preamble && batch.rejected.empty())
      dead.add_text("", batch.end, "the input ends before </" + dialect_.path.steps[0] + ">");
    places_.erase(batch.begin.partition);
  }
  if (!batch.preamble) batch.end.line = batch.begin.line + lines;
}

const char* XmlDecoder::take(const XmlPiece& piece, size_t level, Place& place, Batch& batch,
                             ValueRun* values) {
  using Kind = XmlPiece::Kind;
  if (!piece.complete) {
    if (piece.text.empty()) return nullptr;
    return piece.problem != nullptr ? piece.problem : "the input ends within it";
  }
  const bool at_start = place.at_start;
  if (is_element(piece)) place.at_start = false;
  switch (piece.kind) {
    case Kind::kNothing:
      return at_start && is_element(piece) && level > 0 ? XmlPieces::kOtherRoot : nullptr;
    case Kind::kDeclaration: {
      place.scope.close(0);
      place.opened = false;
      const std::string_view encoding = declared_encoding(piece.text);
      if (encoding.empty() || dialect_.is_encoding(encoding)) return nullptr;
      problem_ = "the document is in " + excerpt(encoding, 40) + ", and xml.encoding says " +
                 (dialect_.latin1 ? "latin1" : "utf-8");
      return problem_.c_str();
    }
    case Kind::kOpens:
      place.scope.close(level - 1);
      place.opened = true;
      each_xml_attribute(piece.text, [&](std::string_view name, std::string_view value) {
        if (XmlScope::is_declaration(name)) place.scope.declare(dialect_, level - 1, name, value);
      });
      return nullptr;
    case Kind::kCloses:
      place.scope.close(level);
      place.opened = level > 0;
      return nullptr;
    case Kind::kBad:
      return piece.problem;
    case Kind::kRecord:
      break;
  }
  if (values == nullptr || tree_.read(piece.text, place.scope, batch, *values)) return nullptr;
  place.scope.close(dialect_.path.level());
  return tree_.problem().c_str();
}

void XmlDecoder::decode_slices(Batch& batch, DeadLetters& dead) {
  ValueRun values(batch.arena);
  decode_messages(batch, dead, [&](size_t s) {
    const Slice& slice = batch.slices[s];
    const char* problem = message(slice, batch, values);
    if (problem == nullptr) return true;
    dead.add_text(slice.view(), batch.position_after(s),
                  problem + known_content(slice.view(), false));
    return false;
  });
}

// Not null: why the message is none.
const char* XmlDecoder::message(const Slice& slice, Batch& batch, ValueRun& values) {
  Place place;
  XmlPieces pieces(dialect_.path, 0);
  bool any = false;
  const char* const end = slice.data + slice.size;
  for (const char* p = slice.data; p < end;) {
    const XmlPiece piece = pieces.next(p, end);
    if (const char* problem = take(piece, pieces.level(), place, batch, &values)) return problem;
    any = any || is_element(piece);
    p = piece.end;
  }
  if (place.opened) {
    problem_ = "it ends before </" + dialect_.path.steps[0] + ">";
    return problem_.c_str();
  }
  const bool blank = std::all_of(slice.data, end, is_xml_space);
  return any || blank ? nullptr : "no XML document";
}

}  // namespace leat
