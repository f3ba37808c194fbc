#include "protocols/amqp/table.h"

#include <amqp_framing.h>

#include <array>
#include <cstdint>

#include "base/big_endian.h"
#include "base/text.h"
#include "base/time_format.h"
#include "protocols/amqp/codec.h"
#include "record/value.h"

namespace leat::amqp {
namespace {

// Bytes of a value of a fixed size; -1: it has none, or is unknown.
int fixed_size(char kind) {
  switch (kind) {
    case AMQP_FIELD_KIND_VOID:
      return 0;
    case AMQP_FIELD_KIND_BOOLEAN:
    case AMQP_FIELD_KIND_I8:
    case AMQP_FIELD_KIND_U8:
      return 1;
    case AMQP_FIELD_KIND_I16:
    case AMQP_FIELD_KIND_U16:
      return 2;
    case AMQP_FIELD_KIND_I32:
    case AMQP_FIELD_KIND_U32:
    case AMQP_FIELD_KIND_F32:
      return 4;
    case AMQP_FIELD_KIND_DECIMAL:
      return 5;
    case AMQP_FIELD_KIND_I64:
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_F64:
    case AMQP_FIELD_KIND_TIMESTAMP:
      return 8;
    default:
      return -1;
  }
}

// A table or an array that is open while its bytes are walked through.
struct Open {
  size_t end;
  bool is_table;
};

// Walks over the value of a table's length and what is in it, without recursion. Returns how many
// bytes that is; npos when it is not whole, or too deep.
size_t walk(std::string_view text) {
  std::array<Open, kDeepestTable> open;
  if (text.size() < 4) return std::string_view::npos;
  const size_t all = 4 + size_t{read_big_endian<uint32_t>(text.data())};
  if (all > text.size()) return std::string_view::npos;
  size_t depth = 0;
  open[depth++] = {all, true};
  size_t at = 4;
  while (depth > 0) {
    const Open& here = open[depth - 1];
    if (at == here.end) {
      --depth;
      continue;
    }
    if (here.is_table) at += 1 + static_cast<uint8_t>(text[at]);
    if (at >= here.end) return std::string_view::npos;
    const char kind = text[at++];
    if (const int size = fixed_size(kind); size >= 0) {
      at += static_cast<size_t>(size);
      if (at > here.end) return std::string_view::npos;
      continue;
    }
    if (at + 4 > here.end) return std::string_view::npos;
    const size_t end = at + 4 + read_big_endian<uint32_t>(text.data() + at);
    if (end > here.end) return std::string_view::npos;
    at += 4;
    if (kind == AMQP_FIELD_KIND_TABLE || kind == AMQP_FIELD_KIND_ARRAY) {
      if (depth == open.size()) return std::string_view::npos;
      open[depth++] = {end, kind == AMQP_FIELD_KIND_TABLE};
    } else if (kind == AMQP_FIELD_KIND_UTF8 || kind == AMQP_FIELD_KIND_BYTES) {
      at = end;
    } else {
      return std::string_view::npos;
    }
  }
  return at;
}

// From the headers on, "" when there are none; nothing when what is before them is broken.
std::optional<std::string_view> headers_in(std::string_view properties) {
  if (properties.size() < 2) return std::nullopt;
  const auto flags = read_big_endian<uint16_t>(properties.data());
  size_t at = 2;
  // More flags follow, for properties that there are none of.
  if ((flags & 1) != 0) return std::nullopt;
  if ((flags & AMQP_BASIC_HEADERS_FLAG) == 0) return std::string_view();
  for (int before : {AMQP_BASIC_CONTENT_TYPE_FLAG, AMQP_BASIC_CONTENT_ENCODING_FLAG}) {
    if ((flags & before) == 0) continue;
    if (at >= properties.size()) return std::nullopt;
    at += 1 + static_cast<uint8_t>(properties[at]);
  }
  if (at >= properties.size()) return std::nullopt;
  return properties.substr(at);
}

// value / 10^decimals, exactly. The value is signed, as RabbitMQ and its clients have it; in AMQP
// §4.2.5.5 it is not, and so not in librabbitmq.
void append_decimal(std::string& out, const amqp_decimal_t& decimal) {
  const int64_t value = static_cast<int32_t>(decimal.value);
  std::string digits = std::to_string(value < 0 ? -value : value);
  if (value < 0) out += '-';
  const size_t places = decimal.decimals;
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  out.append(digits, 0, digits.size() - places);
  if (places > 0) out.append(".").append(digits, digits.size() - places);
}

}  // namespace

bool is_shallow_table(std::string_view encoded) {
  return walk(encoded) != std::string_view::npos;
}

bool has_shallow_headers(std::string_view properties) {
  const std::optional<std::string_view> headers = headers_in(properties);
  return headers && (headers->empty() || is_shallow_table(*headers));
}

std::optional<int64_t> number_in_headers(std::string_view properties, std::string_view name) {
  std::string_view rest = headers_in(properties).value_or(std::string_view());
  if (rest.size() < 4) return std::nullopt;
  const size_t size = read_big_endian<uint32_t>(rest.data());
  rest = rest.substr(4, size);
  while (!rest.empty()) {
    const size_t kind_at = 1 + size_t{static_cast<uint8_t>(rest.front())};
    if (kind_at >= rest.size()) return std::nullopt;
    const char kind = rest[kind_at];
    const bool found = rest.substr(1, kind_at - 1) == name;
    rest.remove_prefix(kind_at + 1);
    size_t size_of_value = 0;
    if (const int fixed = fixed_size(kind); fixed >= 0) {
      size_of_value = static_cast<size_t>(fixed);
    } else {
      if (rest.size() < 4) return std::nullopt;
      size_of_value = 4 + size_t{read_big_endian<uint32_t>(rest.data())};
    }
    if (size_of_value > rest.size()) return std::nullopt;
    if (found && kind == AMQP_FIELD_KIND_I64)
      return static_cast<int64_t>(read_big_endian<uint64_t>(rest.data()));
    rest.remove_prefix(size_of_value);
  }
  return std::nullopt;
}

std::optional<int64_t> unix_us_of(uint64_t timestamp) {
  constexpr int64_t kSecond = 1'000'000;
  if (timestamp > INT64_MAX / kSecond) return std::nullopt;
  const int64_t us = static_cast<int64_t>(timestamp) * kSecond;
  return can_be_written(us) ? std::optional(us) : std::nullopt;
}

void append_json(std::string& out, const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
      out += value.value.boolean != 0 ? "true" : "false";
      return;
    case AMQP_FIELD_KIND_I8:
      out += std::to_string(value.value.i8);
      return;
    case AMQP_FIELD_KIND_U8:
      out += std::to_string(value.value.u8);
      return;
    case AMQP_FIELD_KIND_I16:
      out += std::to_string(value.value.i16);
      return;
    case AMQP_FIELD_KIND_U16:
      out += std::to_string(value.value.u16);
      return;
    case AMQP_FIELD_KIND_I32:
      out += std::to_string(value.value.i32);
      return;
    case AMQP_FIELD_KIND_U32:
      out += std::to_string(value.value.u32);
      return;
    case AMQP_FIELD_KIND_I64:
      out += std::to_string(value.value.i64);
      return;
    case AMQP_FIELD_KIND_U64:
      out += std::to_string(value.value.u64);
      return;
    case AMQP_FIELD_KIND_F32:
      return leat::append_json(out, Value::of_float(static_cast<double>(value.value.f32)));
    case AMQP_FIELD_KIND_F64:
      return leat::append_json(out, Value::of_float(value.value.f64));
    case AMQP_FIELD_KIND_DECIMAL:
      return append_decimal(out, value.value.decimal);
    case AMQP_FIELD_KIND_UTF8:
      out += '"';
      append_json_escaped(out, text_of(value.value.bytes));
      out += '"';
      return;
    case AMQP_FIELD_KIND_BYTES:
      return leat::append_json(out, Value::of_text(Type::kBytes, text_of(value.value.bytes)));
    case AMQP_FIELD_KIND_TIMESTAMP:
      if (const std::optional<int64_t> time = unix_us_of(value.value.u64))
        return leat::append_json(out, Value::of_time(*time));
      out += std::to_string(value.value.u64);
      return;
    case AMQP_FIELD_KIND_TABLE:
      return append_json(out, value.value.table);
    case AMQP_FIELD_KIND_ARRAY:
      out += '[';
      for (int i = 0; i < value.value.array.num_entries; ++i) {
        if (i > 0) out += ',';
        append_json(out, value.value.array.entries[i]);
      }
      out += ']';
      return;
    default:
      out += "null";
  }
}

void append_json(std::string& out, const amqp_table_t& table) {
  out += '{';
  bool first = true;
  for (int i = 0; i < table.num_entries; ++i) {
    const amqp_table_entry_t& entry = table.entries[i];
    if (!first) out += ',';
    first = false;
    out += '"';
    append_json_escaped(out, text_of(entry.key));
    out += "\":";
    append_json(out, entry.value);
  }
  out += '}';
}

}  // namespace leat::amqp
