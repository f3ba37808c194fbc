// Hand-written because predicting the shape of the next record makes it, in portable C++, 1.6 times
// as fast as simdjson with AVX-512, 3 times as fast as simdjson without SIMD (all that 32-bit ARM
// would get), and 5 times as fast as RapidJSON at the same records; the figures are in JSON.md.
#include "codec/json/decoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "base/text.h"
#include "codec/text/charset.h"
#include "codec/text/limits.h"
#include "codec/text/line_framing.h"
#include "stage/decode_messages.h"

namespace leat {
namespace {

// Objects wider than this look for duplicate names by hash: comparing all pairs would let one long
// line stop the loop for seconds.
constexpr size_t kFewNames = 16;

// Bytes that a stream may begin with before its first document.
constexpr uint64_t kByteOrderMark = 3;

// Of the memory that the pipeline may hold: what is remembered of the shapes seen.
constexpr size_t kLayoutsShare = 8;

std::string_view between(const char* start, const char* end) {
  return {start, static_cast<size_t>(end - start)};
}

// Where reading begins there.
ArrayPlace usual_place(uint64_t offset) {
  using Behind = ArrayPlace::Behind;
  return {offset == 0                ? Behind::kNothing
          : offset <= kByteOrderMark ? Behind::kPerhapsNothing
                                     : Behind::kAnything};
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<Turn> JsonDecoder::decode(Batch& batch, DeadLetters& dead) {
  bool lines = batch.content == Content::kBytes && kind_ == JsonDocument::kLine;
  if (!batch.preamble) {
    ++batch_number_;
    layouts_.limit(batch.pool().budget().limit() / kLayoutsShare);
    Work work{batch, dead, JsonScanner(!lines), ValueRun(batch.arena)};
    if (lines) {
      decode_lines(work);
    } else if (batch.content == Content::kBytes) {
      decode_pieces(work);
    } else {
      decode_slices(work);
    }
  }
  if (batch.content == Content::kBytes && !lines) batch.bytes = {};  // cut by more than line ends
  batch.become_records();
  return Turn::kDone;
}

void JsonDecoder::decode_lines(Work& work) {
  Batch& batch = work.batch;
  const char* const begin = batch.bytes.data();
  const char* const end = begin + batch.bytes.size();
  work.scanner.set_end(end);
  batch.records.reserve(batch.bytes.size() / line_bytes_ + 16);
  uint32_t lines = 0;
  for (const char* line = begin; line < end;) {
    ++lines;
    size_t first = batch.records.size();
    // Without an error, the scanner stops at the newline: a line costs no pass of its own.
    const char* p = document(work, line);
    bool good = p != nullptr;
    if (!good) {
      p = static_cast<const char*>(std::memchr(line, '\n', static_cast<size_t>(end - line)));
      if (p == nullptr) p = end;
    }
    const char* next = p < end ? p + 1 : end;
    auto offset = static_cast<uint32_t>(next - begin);
    if (good) {
      for (size_t i = first; i < batch.records.size(); ++i) {
        batch.records[i].end_offset = offset;
        batch.records[i].end_line = lines;
      }
    } else {
      batch.records.resize(first);
      const Position& from = batch.begin;
      reject(work, line, next, {from.partition, from.offset + offset, from.line + lines});
      if (batch.in_turns() && next < end && work.dead.full()) {
        batch.leave_bytes(offset, lines);
        break;
      }
    }
    line = next;
  }
  batch.end.line = batch.begin.line + lines;
  if (batch.records.size() > 16) line_bytes_ = batch.bytes.size() / batch.records.size() + 1;
}

JsonDecoder::LineCheck::LineCheck(JsonDecoder& decoder, Batch& batch, DeadLetters& dead)
    : decoder_(decoder),
      work_{.batch = batch,
            .dead = dead,
            .scanner = JsonScanner(false),
            .values = ValueRun(batch.arena),
            .makes_records = false} {
  decoder_.layouts_.limit(batch.pool().budget().limit() / kLayoutsShare);
  work_.scanner.set_end(batch.bytes.data() + batch.bytes.size());
}

const char* JsonDecoder::LineCheck::end_of_object(const char* p) {
  JsonScanner& scanner = work_.scanner;
  const char* const end = scanner.end();
  work_.repeated = false;
  p = scanner.skip_space(p);
  if (p == end || *p != '{') return nullptr;
  p = decoder_.object(work_, p);
  if (p == nullptr || work_.repeated) return nullptr;
  p = scanner.skip_space(p);
  return p == end || *p == '\n' ? p : nullptr;
}

void JsonDecoder::decode_pieces(Work& work) {
  Batch& batch = work.batch;
  const char* const begin = batch.bytes.data();
  const char* const end = begin + batch.bytes.size();
  batch.records.reserve(batch.bytes.size() / line_bytes_ + 16);
  ArrayPlace place = place_at(batch.begin);
  // But where the source could not read on, what follows is known to it alone.
  const bool ends = batch.end.last && batch.rejected.empty();
  uint32_t lines = 0;
  for (const char* p = begin; p < end;) {
    const JsonPiece found = json_piece(kind_, p, end);
    const auto offset = static_cast<uint32_t>(found.end - begin);
    lines += count_newlines(p, found.end);
    const size_t first = batch.records.size();
    p = found.end;
    if (kind_ == JsonDocument::kArray ? element(work, found, ends, place) : piece(work, found)) {
      for (size_t i = first; i < batch.records.size(); ++i) {
        batch.records[i].end_offset = offset;
        batch.records[i].end_line = lines;
      }
      continue;
    }
    batch.records.resize(first);
    const Position& from = batch.begin;
    const char* text = found.text.data();
    reject(work, text, text + found.text.size(),
           {from.partition, from.offset + offset, from.line + lines});
    if (batch.in_turns() && p < end && work.dead.full()) {
      batch.leave_bytes(offset, lines);
      break;
    }
  }
  note_place(place, batch.rest ? batch.rest->begin : batch.end);
  batch.end.line = batch.begin.line + lines;
  if (batch.records.size() > 16) line_bytes_ = batch.bytes.size() / batch.records.size() + 1;
}

// False: it is no record, and the scanner knows why.
bool JsonDecoder::piece(Work& work, const JsonPiece& piece) {
  const char* text = piece.text.data();
  if (piece.text.empty()) return true;
  work.scanner.set_end(text + piece.text.size());
  if (piece.problem != nullptr) return work.scanner.fail(text, piece.problem) != nullptr;
  return document(work, text) != nullptr;
}

// The same, of an array. `ends`: so does the input, with the bytes.
bool JsonDecoder::element(Work& work, const JsonPiece& piece, bool ends, ArrayPlace& place) {
  JsonScanner& scanner = work.scanner;
  const char* text = piece.text.data();
  if (const char* misplaced = place.take(piece)) return scanner.fail(text, misplaced) != nullptr;
  if (piece.closes) return true;
  if (!this->piece(work, piece)) {
    // Nobody knows which bracket of it was meant for what.
    if (piece.text != "," && !value_of_json(piece.text))
      place = {ArrayPlace::Behind::kAnything, true};
    return false;
  }
  if (piece.text.empty() || piece.complete || !ends) return true;
  return scanner.fail(text + piece.text.size(), "expected ',' or ']' behind it") != nullptr;
}

ArrayPlace JsonDecoder::place_at(const Position& position) const {
  auto known = places_.find(position.partition);
  if (known == places_.end()) return usual_place(position.offset);
  // What lies between was given up by the source, with the comma or bracket of it, perhaps.
  if (known->second.second != position.offset) return {ArrayPlace::Behind::kAnything, true};
  return known->second.first;
}

void JsonDecoder::note_place(ArrayPlace place, const Position& position) {
  if (position.last || place == usual_place(position.offset))
    places_.erase(position.partition);
  else
    places_[position.partition] = {place, position.offset};
}

void JsonDecoder::decode_slices(Work& work) {
  Batch& batch = work.batch;
  decode_messages(batch, work.dead, [&](size_t s) {
    const Slice& slice = batch.slices[s];
    if (message(work, slice) != nullptr) return true;
    reject(work, slice.data, slice.data + slice.size, batch.position_after(s));
    return false;
  });
}

// Returns its end, null when any of it is not valid: a message stays whole.
const char* JsonDecoder::message(Work& work, const Slice& slice) {
  const char* p = slice.data;
  const char* const end = p + slice.size;
  work.scanner.set_end(end);
  if (kind_ != JsonDocument::kConcatenated) return document(work, p);
  while (p < end) {
    const JsonPiece found = json_piece(kind_, p, end);
    if (!piece(work, found)) return nullptr;
    p = found.end;
  }
  return p;
}

// A whole line (up to its newline), piece or message. Returns its end, null when it is not valid;
// then records of it may have been added already.
const char* JsonDecoder::document(Work& work, const char* p) {
  JsonScanner& scanner = work.scanner;
  auto at_end = [&scanner](const char* at) {
    return at == scanner.end() || (*at == '\n' && !scanner.newline_is_space());
  };
  if (at_end(p) || *p != '{') {
    p = scanner.skip_space(p);
    if (at_end(p)) return p;  // a blank line
  }
  if (*p == '{') {
    p = object(work, p);
  } else if (*p == '[') {
    p = array(work, p);
  } else {
    return scanner.fail(p, "expected an object");
  }
  if (p == nullptr || at_end(p)) return p;
  p = scanner.skip_space(p);
  if (at_end(p)) return p;
  return scanner.fail(p, "expected nothing behind the record");
}

const char* JsonDecoder::array(Work& work, const char* p) {
  JsonScanner& scanner = work.scanner;
  p = scanner.skip_space(p + 1);
  if (p < scanner.end() && *p == ']') return p + 1;
  for (;;) {
    if (p >= scanner.end() || *p != '{') return scanner.fail(p, "expected an object");
    p = object(work, p);
    if (p == nullptr) return nullptr;
    p = scanner.skip_space(p);
    if (p < scanner.end() && *p == ']') return p + 1;
    if (p >= scanner.end() || *p != ',') return scanner.fail(p, "expected ',' or ']'");
    p = scanner.skip_space(p + 1);
  }
}

// `p` is at '{'. Predicts that the record looks like the last one, and where it does not, that it
// looks like another one seen lately; else parses the rest of its names.
const char* JsonDecoder::object(Work& work, const char* p) {
  JsonScanner& scanner = work.scanner;
  ++p;
  JsonLayout* layout = current_;
  size_t field = 0;
  while (layout != nullptr) {
    const JsonKey* keys = layout->keys.data();
    const size_t count = layout->keys.size();
    Value* values = work.values.reserve(count, field);
    for (; field < count && keys[field].matches(p, scanner.end()); ++field) {
      p = scanner.value(p + keys[field].size, values[field]);
      if (p == nullptr) return nullptr;
    }
    if (field == count && p < scanner.end() && *p == '}') {
      current_ = layout;
      add_record(work, layout);
      return p + 1;
    }
    JsonLayout* other = layouts_.continue_from(layout, field, p, scanner.end());
    if (other == nullptr) {
      current_ = layout;  // the names of the fields read so far are its names
      break;
    }
    layout = other;
  }
  return unpredicted(work, p, field);
}

// `p` is behind the '{', or behind the value of the last of the first `field` fields, which looked
// like the current layout's.
const char* JsonDecoder::unpredicted(Work& work, const char* p, size_t field) {
  names_.clear();
  fields_.clear();
  unescaped_names_.clear();
  if (field > 0) {
    const Value* values = work.values.reserve(field, field);
    fields_.assign(values, values + field);
    for (size_t i = 0; i < field; ++i) names_.push_back(current_->shape->name(i));
  }
  p = members(work, p);
  if (p != nullptr) finish_unpredicted(work);
  return p;
}

// The rest of an object. Returns the place behind its '}'.
const char* JsonDecoder::members(Work& work, const char* p) {
  JsonScanner& scanner = work.scanner;
  const char* const end = scanner.end();
  spaced_ = current_ != nullptr && current_->spaced;
  p = scanner.skip_space(p);
  if (names_.empty() && p < end && *p == '}') return p + 1;
  for (;;) {
    if (!names_.empty()) {
      if (p < end && *p == '}') return p + 1;
      if (p >= end || *p != ',') return scanner.fail(p, "expected ',' or '}'");
      p = scanner.skip_space(p + 1);
    }
    Value name;
    p = scanner.member_name(p, name);
    if (p == nullptr) return nullptr;
    spaced_ = p[-1] == ' ';
    if (name.form == Form::kText) {
      append_unescaped(unescaped_names_.emplace_back(), name.view());
      names_.push_back(unescaped_names_.back());
    } else {
      names_.push_back(name.view());
    }
    if (names_.size() > kMaxFields) return scanner.fail(p, "more than 16384 fields");
    p = scanner.value(p, fields_.emplace_back());
    if (p == nullptr) return nullptr;
    p = scanner.skip_space(p);
  }
}

void JsonDecoder::finish_unpredicted(Work& work) {
  // Names of a known layout are unique, so only unknown ones are searched for duplicates.
  JsonLayout* layout = layouts_.find(names_, spaced_);
  if (layout == nullptr) {
    work.repeated |= keep_last_of_duplicates();
    if (!layouts_.has_room(names_)) return add_too_wide(work);
    layout = layouts_.obtain(names_, spaced_);
  }
  Value* values = work.values.reserve(fields_.size());
  std::copy(fields_.begin(), fields_.end(), values);
  current_ = layout;
  add_record(work, layout);
}

// Nothing is predicted from it, for that would take several times what the record does.
void JsonDecoder::add_too_wide(Work& work) {
  current_ = nullptr;
  if (!work.makes_records) return;
  bool known = too_wide_ != nullptr && too_wide_->same_names(names_);
  if (!known) too_wide_ = std::make_shared<const Shape>(names_);
  work.batch.adopt(too_wide_);
  Value* values = work.values.reserve(fields_.size());
  std::copy(fields_.begin(), fields_.end(), values);
  append(work, too_wide_.get(), fields_.size());
}

size_t JsonDecoder::held() const {
  constexpr size_t kPlace = 48;  // a node of the map
  return layouts_.footprint() + places_.size() * kPlace +
         names_.capacity() * sizeof(std::string_view) + fields_.capacity() * sizeof(Value) +
         (too_wide_ ? too_wide_->footprint() : 0);
}

// RFC 8259 section 4 leaves duplicates open; like most, we keep the last value, in the place of the
// first name. True: there were some.
bool JsonDecoder::keep_last_of_duplicates() {
  // Open addressing, at most half full: 1 + the place of a name that is kept.
  std::vector<uint32_t> places;
  if (names_.size() > kFewNames) places.assign(std::bit_ceil(2 * names_.size()), 0);
  size_t kept = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    size_t place = kept;
    if (names_.size() <= kFewNames) {
      auto kept_end = names_.begin() + static_cast<std::ptrdiff_t>(kept);
      auto found = std::find(names_.begin(), kept_end, names_[i]);
      place = static_cast<size_t>(found - names_.begin());
    } else {
      size_t at = std::hash<std::string_view>()(names_[i]) & (places.size() - 1);
      while (places[at] != 0 && names_[places[at] - 1] != names_[i])
        at = (at + 1) & (places.size() - 1);
      if (places[at] == 0) places[at] = static_cast<uint32_t>(kept + 1);
      place = places[at] - 1;
    }
    names_[place] = names_[i];
    fields_[place] = fields_[i];
    if (place == kept) ++kept;
  }
  const bool any = kept < names_.size();
  names_.resize(kept);
  fields_.resize(kept);
  return any;
}

void JsonDecoder::add_record(Work& work, JsonLayout* layout) {
  if (!work.makes_records) return;
  if (layout->adopted_batch != batch_number_) {
    work.batch.adopt(layout->shape);
    layout->adopted_batch = batch_number_;
  }
  append(work, layout->shape.get(), layout->keys.size());
}

void JsonDecoder::append(Work& work, const Shape* shape, size_t count) {
  work.batch.records.push_back({shape, work.values.reserve(count), work.batch.arrival_us, 0, 0});
  work.values.commit(count);
}

void JsonDecoder::reject(Work& work, const char* start, const char* end, const Position& after) {
  std::string_view text = between(start, end);
  if (!work.scanner.newline_is_space() || kind_ != JsonDocument::kLine)
    text = without_line_end(text);
  std::string reason = "invalid JSON at column ";
  reason += std::to_string(work.scanner.error_at() - start + 1);
  reason += ": ";
  reason += work.scanner.error_text();
  // What a person who has such a file looks for.
  reason += known_content(text, false);
  if (kind_ == JsonDocument::kLine && text == "[")
    reason += R"( (an array over several lines needs "json": {"document": "array"}))";
  work.dead.add_text(text, after, reason);
}

}  // namespace leat
