// The text form of a field. For types that have a binary form it is made from that, so that the two
// always agree on what is accepted and what it means.
#include <charconv>
#include <cstring>

#include "base/time_format.h"
#include "connectors/postgres/encode.h"
#include "connectors/postgres/times.h"

namespace leat::postgres {
namespace {

int64_t integer_from(std::string_view bytes) {
  uint64_t bits = 0;
  for (char c : bytes) bits = bits << 8 | static_cast<unsigned char>(c);
  // Sign-extends what is shorter than 8 bytes.
  unsigned shift = static_cast<unsigned>(64 - 8 * bytes.size());
  return static_cast<int64_t>(bits << shift) >> shift;
}

template <typename Number>
void append_number(std::string& out, Number number) {
  char digits[40];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

template <typename Number, typename Bits>
void append_float(std::string& out, std::string_view bytes) {
  auto bits = static_cast<Bits>(integer_from(bytes));
  Number number;
  std::memcpy(&number, &bits, sizeof number);
  append_number(out, number);  // "inf" and "nan" are understood, too
}

void append_hex(std::string& out, std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[c & 15];
  }
}

void append_moment(std::string& out, Kind kind, int64_t number) {
  constexpr size_t kDate = 10;
  constexpr size_t kTimeAt = 11;
  bool date = kind == Kind::kDate;
  bool last = number == (date ? INT32_MAX : INT64_MAX);
  bool first = number == (date ? INT32_MIN : INT64_MIN);
  if (kind != Kind::kTime && (last || first)) {
    out += last ? "infinity" : "-infinity";
    return;
  }
  int64_t us = kind == Kind::kTime ? number : (date ? number * kUsPerDay : number) + kEpochUs;
  std::string text = rfc3339(us);
  if (date) text.resize(kDate);
  if (kind == Kind::kTime) text.erase(0, kTimeAt);
  if (!date && kind != Kind::kTimestampTz) text.pop_back();  // the Z
  out += text;
}

void append_value(std::string& out, Kind kind, std::string_view bytes) {
  switch (kind) {
    case Kind::kBool:
      out += bytes[0] != 0 ? "true" : "false";
      return;
    case Kind::kInt2:
    case Kind::kInt4:
    case Kind::kInt8:
      return append_number(out, integer_from(bytes));
    case Kind::kFloat4:
      return append_float<float, int32_t>(out, bytes);
    case Kind::kFloat8:
      return append_float<double, int64_t>(out, bytes);
    case Kind::kBytea:
      out += "\\x";
      return append_hex(out, bytes);
    case Kind::kUuid:
      return append_hex(out, bytes);
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return append_moment(out, kind, integer_from(bytes));
    case Kind::kJsonb:
      out += bytes.substr(1);  // behind the version
      return;
    default:
      out += bytes;
  }
}

}  // namespace

Misfit FieldEncoder::text_form(const Column& column, const Value& value, std::string_view& text,
                               bool& null) {
  null = value.type == Type::kNull || value.type == Type::kAbsent;
  if (null) return Misfit::kNone;
  bool array = column.kind == Kind::kArray && value.type == Type::kJson;
  if (array) {
    text_.clear();
    if (!append_array_literal(text_, value.view())) return Misfit::kSyntax;
    text = text_;
    return check_text(text);
  }
  if (!has_binary_form(column.kind)) {
    binary_.clear();
    Misfit misfit = append_text(binary_, column, value);
    text = binary_.view().substr(binary_.size() < 4 ? binary_.size() : 4);
    return misfit;
  }
  binary_.clear();
  if (Misfit misfit = append_binary(binary_, column, value); misfit != Misfit::kNone) return misfit;
  if (column.kind == Kind::kNumeric) {
    // As it was checked, the server can read the number as it stands.
    text_.clear();
    if (value.type == Type::kBool) {
      text_ = value.integer != 0 ? "1" : "0";
    } else {
      leat::append_text(text_, value);
    }
    text = text_;
    return Misfit::kNone;
  }
  scratch_.clear();
  append_value(scratch_, column.kind, binary_.view().substr(4));
  text = scratch_;
  return Misfit::kNone;
}

}  // namespace leat::postgres
