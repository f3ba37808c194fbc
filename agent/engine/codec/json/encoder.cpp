#include "codec/json/encoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/double_text.h"
#include "base/text.h"

namespace leat {
namespace {

constexpr size_t kNumberSize = 32;  // int64 and shortest round-trip doubles take less

// Copies plain text up to the first byte that a JSON string cannot hold as it is, or that is not
// ASCII; returns how much that was.
size_t copy_plain_ascii(char* out, std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= swar::kSize; p += swar::kSize, out += swar::kSize) {
    swar::Word word = swar::load(p);
    std::memcpy(out, &word, sizeof word);
    swar::Word stop = swar::json_special(word) | (word & swar::kHigh);
    if (stop != 0) return static_cast<size_t>(p - text.data() + swar::first_byte(stop));
  }
  for (; p < end; ++p, ++out) {
    auto c = static_cast<unsigned char>(*p);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    *out = *p;
  }
  return static_cast<size_t>(p - text.data());
}

// What copy_plain_ascii() has stopped at, and all behind it.
void write_escaped(std::string_view text, SliceWriter& writer) {
  while (!text.empty()) {
    writer.reserve(text.size() + kEscapeRoom);
    char* at = writer.at();
    text.remove_prefix(write_json_escaped(text, at, writer.limit()));
    writer.advance_to(at);
  }
}

}  // namespace

Result<BatchRef> JsonEncoder::encode(const Batch& in, DeadLetters&) {
  BatchRef out = batch_like(in);
  SliceWriter writer(out->arena);
  size_t made = 0;
  for (size_t i = 0; i < in.records.size(); ++i) {
    const Record& record = in.records[i];
    write_record(record, writer);
    out->slices.push_back(writer.finish(record.end_offset, record.end_line));
    made += out->slices.back().size;
    if (made >= in.quantum && in.may_cut(i + 1)) return stop_behind(i, in, std::move(out));
  }
  return out;
}

void JsonEncoder::write_record(const Record& record, SliceWriter& writer) {
  const Shape& shape = *record.shape;
  const size_t count = shape.size();
  for (size_t i = 0; i < count; ++i) {
    const Value& value = record.values[i];
    if (value.type != Type::kAbsent) write_field(shape.json_key(i), value, writer);
  }
  writer.reserve(3);
  if (writer.size() == 0) {
    writer.put('{');
  } else {
    *writer.start() = '{';  // over the comma of the first key
  }
  writer.put('}');
  writer.put(separator_);
}

void JsonEncoder::write_field(std::string_view key, const Value& value, SliceWriter& writer) {
  if (value.type == Type::kString) return write_string(key, value, writer);
  if (value.form == Form::kText || value.type == Type::kJson || value.type == Type::kDecimal) {
    writer.reserve(key.size() + value.size);
    writer.put(key);
    char* start = writer.at();
    writer.put(value.view());
    // JSON from a message may have newlines for space, but a newline ends the record here.
    if (value.type == Type::kJson) std::replace(start, writer.at(), '\n', ' ');
    return;
  }
  if (value.type == Type::kBool || value.type == Type::kNull) {
    writer.reserve(key.size() + 5);
    writer.put(key);
    writer.put(value.type == Type::kNull ? std::string_view("null")
               : value.integer != 0      ? std::string_view("true")
                                         : std::string_view("false"));
    return;
  }
  if (value.type == Type::kInteger) {
    writer.reserve(key.size() + kNumberSize);
    writer.put(key);
    writer.advance_to(std::to_chars(writer.at(), writer.at() + kNumberSize, value.integer).ptr);
    return;
  }
  if (value.type == Type::kFloat && std::isfinite(value.real)) {
    writer.reserve(key.size() + kNumberSize);
    writer.put(key);
    writer.advance_to(write_double(writer.at(), value.real));
    return;
  }
  write_slow(key, value, writer);
}

void JsonEncoder::write_string(std::string_view key, const Value& value, SliceWriter& writer) {
  writer.reserve(key.size() + value.size + 2);
  writer.put(key);
  writer.put('"');
  std::string_view text = value.view();
  if (value.form == Form::kText) {
    writer.put(text);
  } else {
    const size_t plain = copy_plain_ascii(writer.at(), text);
    writer.advance_to(writer.at() + plain);
    if (plain < text.size()) write_escaped(text.substr(plain), writer);
  }
  writer.append('"');
}

void JsonEncoder::write_slow(std::string_view key, const Value& value, SliceWriter& writer) {
  scratch_.clear();
  append_json(scratch_, value);
  writer.append(key);
  writer.append(scratch_);
}

}  // namespace leat
