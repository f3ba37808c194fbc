#include "codec/avro/writer.h"

#include <cmath>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "codec/avro/decimal.h"
#include "codec/avro/defaults.h"
#include "codec/avro/wire.h"
#include "codec/text/json_members.h"
#include "record/whole_number.h"

namespace leat {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;

int64_t floor_divided(int64_t n, int64_t by) {
  return n / by - (n % by < 0 ? 1 : 0);
}

bool is_time(AvroLogical logical) {
  return logical >= AvroLogical::kDate;
}

// What stands for a field that a record has not: its default, or null where that is of its type.
std::optional<std::string> missing_of(const AvroField& field) {
  if (field.has_default) {
    size_t values = 0;
    Result<std::string> bytes = avro_default(field, values);
    if (bytes) return *bytes;
  }
  if (field.type->type == AvroType::kNull) return "";
  for (size_t i = 0; i < field.type->branches.size() && field.type->type == AvroType::kUnion; ++i) {
    if (field.type->branches[i]->type != AvroType::kNull) continue;
    std::string bytes;
    append_avro_long(bytes, static_cast<int64_t>(i));
    return bytes;
  }
  return std::nullopt;
}

// How well a value fits a type of a union: 3 it is of it, 1 and 2 it can be made of it, 0 it
// cannot.
int fit(const AvroNode& node, const Value& value) {
  using enum AvroType;
  const bool none = node.logical == AvroLogical::kNone;
  const bool integer = node.type == kInt || node.type == kLong;
  const bool real = node.type == kFloat || node.type == kDouble;
  const bool raw = (node.type == kBytes || node.type == kFixed);
  const bool decimal = node.logical == AvroLogical::kDecimal;
  const int as_text = node.type == kString ? 1 : 0;
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return node.type == kNull ? 3 : 0;
    case Type::kBool:
      return node.type == kBoolean ? 3 : as_text;
    case Type::kInteger:
      return integer ? (none ? 3 : 2) : real || decimal ? 2 : as_text;
    case Type::kFloat:
      return node.type == kDouble ? 3 : real || decimal ? 2 : integer && none ? 1 : as_text;
    case Type::kDecimal:
      return decimal ? 3 : node.type == kString ? 2 : real || (integer && none) ? 1 : 0;
    case Type::kString:
      return node.type == kString || node.type == kEnum ? 3
             : is_time(node.logical)                    ? 2
             : raw || real                              ? 1
                                                        : 0;
    case Type::kBytes:
      return raw && !decimal ? 3 : as_text;
    case Type::kTime:
      return is_time(node.logical) ? 3 : as_text;
    case Type::kJson:
      if (value.view()[0] == '[') return node.type == kArray ? 3 : as_text;
      return node.type == kRecord ? 3 : node.type == kMap ? 2 : as_text;
  }
  return 0;
}

}  // namespace

AvroFieldMap AvroWriter::map_shape(const AvroNode& schema, const Shape& shape) {
  AvroFieldMap out;
  std::vector<bool> known(shape.size());
  for (const AvroField& field : schema.fields) {
    const int place = shape.find(field.name);
    out.places.push_back(place);
    out.missing.push_back(missing_of(field));
    if (place >= 0) known[static_cast<size_t>(place)] = true;
    if (place < 0 && !out.missing.back() && out.problem.empty())
      out.problem = excerpt(field.name) + ": missing, and without a default in the schema";
  }
  for (size_t i = 0; i < known.size() && out.problem.empty(); ++i)
    if (!known[i])
      out.problem =
          excerpt(shape.name(i)) + (is_avro_name(shape.name(i))
                                        ? ": no field of the schema"
                                        : ": no name in Avro; a transform `map` can rename it");
  return out;
}

bool AvroWriter::record(const AvroNode& schema, const AvroFieldMap& map, const Record& record) {
  if (!map.problem.empty()) return fail(map.problem);
  const size_t start = size_;
  for (size_t i = 0; i < map.places.size(); ++i) {
    static constexpr Value kNone;
    const Value& given = map.places[i] < 0 ? kNone : record.values[map.places[i]];
    if (given.type == Type::kAbsent && map.missing[i]) {
      put(*map.missing[i]);
    } else if (given.type == Type::kAbsent || !value(*schema.fields[i].type, given)) {
      if (given.type == Type::kAbsent) problem_ = "missing, and without a default in the schema";
      problem_ = excerpt(schema.fields[i].name) + ": " + problem_;
      size_ = start;
      return false;
    }
  }
  return true;
}

void AvroWriter::put_long(int64_t n) {
  char* at = room(kAvroLongSize);
  size_ += static_cast<size_t>(write_avro_long(at, n) - at);
}

void AvroWriter::put(std::string_view bytes) {
  swar::copy_short(room(bytes.size()), bytes.data(), bytes.size());
  size_ += bytes.size();
}

bool AvroWriter::refuse(const AvroNode& node, const Value& value) {
  std::string what = type_name(value.type);
  if (value.type != Type::kNull) what += " " + excerpt(std::string(text_of(value)), 40);
  return fail(what + " cannot be written as " + avro_type_name(node.type) +
              (node.logical == AvroLogical::kNone ? "" : " of its logical type"));
}

// Points into the value or scratch_.
std::string_view AvroWriter::text_of(const Value& value) {
  const bool number = value.form == Form::kText && value.type != Type::kString;
  if (number || (value.is_text() && value.form == Form::kPlain && value.type != Type::kBytes))
    return value.view();
  scratch_.clear();
  append_text(scratch_, value);
  return scratch_;
}

bool AvroWriter::value(const AvroNode& node, const Value& given) {
  switch (node.type) {
    case AvroType::kNull:
      return given.type == Type::kNull || refuse(node, given);
    case AvroType::kBoolean:
      if (given.type != Type::kBool) return refuse(node, given);
      put({given.integer != 0 ? "\1" : "\0", 1});
      return true;
    case AvroType::kInt:
    case AvroType::kLong:
      return whole(node, given);
    case AvroType::kFloat:
    case AvroType::kDouble:
      return real(node, given);
    case AvroType::kString:
      return given.type == Type::kNull ? refuse(node, given) : text(given);
    case AvroType::kBytes:
    case AvroType::kFixed:
      return node.logical == AvroLogical::kDecimal ? decimal(node, given) : bytes(node, given);
    case AvroType::kEnum:
      return symbol(node, given);
    case AvroType::kRecord:
    case AvroType::kArray:
    case AvroType::kMap:
      return nested(node, given);
    case AvroType::kUnion:
      return a_union(node, given);
  }
  return false;
}

bool AvroWriter::whole(const AvroNode& node, const Value& given) {
  int64_t n = 0;
  const bool is_moment = given.type == Type::kTime || given.type == Type::kString;
  if (is_moment) {
    if (!is_time(node.logical) || !time(node, given, n)) return refuse(node, given);
  } else if (given.type == Type::kInteger) {
    n = integer_of(given);
  } else if (given.type == Type::kFloat && given.form == Form::kPlain) {
    constexpr double kEnd = 9223372036854775808.0;
    if (given.real != std::floor(given.real) || given.real < -kEnd || given.real >= kEnd)
      return refuse(node, given);
    n = static_cast<int64_t>(given.real);
  } else if (given.type == Type::kFloat || given.type == Type::kDecimal) {
    std::string digits;
    const std::optional<int64_t> found = whole_int64(given.view(), digits);
    if (!found) return refuse(node, given);
    n = *found;
  } else {
    return refuse(node, given);
  }
  if (node.type == AvroType::kInt && n != static_cast<int32_t>(n)) return refuse(node, given);
  put_long(n);
  return true;
}

// As the logical type counts it; what it does not count is cut off.
bool AvroWriter::time(const AvroNode& node, const Value& given, int64_t& out) {
  static const TimeFormat kFormat = TimeFormat::parse("rfc3339").value();
  const AvroLogical logical = node.logical;
  const bool of_day = logical == AvroLogical::kTimeMillis || logical == AvroLogical::kTimeMicros;
  int64_t us = given.integer;
  if (given.type == Type::kString) {
    std::string text(text_of(given));
    if (logical == AvroLogical::kDate && text.size() == 10) text += "T00:00:00Z";
    if (of_day) text = "1970-01-01T" + text + "Z";
    std::optional<int64_t> read = kFormat.read(text);
    const bool local = logical == AvroLogical::kLocalMillis || logical == AvroLogical::kLocalMicros;
    if (!read && local) read = kFormat.read(text + "Z");
    if (!read) return false;
    us = *read;
  }
  switch (logical) {
    case AvroLogical::kDate:
      out = floor_divided(us, kDayUs);
      return true;
    case AvroLogical::kTimeMillis:
    case AvroLogical::kTimeMicros:
      us -= floor_divided(us, kDayUs) * kDayUs;
      break;
    default:
      break;
  }
  const bool millis = logical == AvroLogical::kTimeMillis ||
                      logical == AvroLogical::kTimestampMillis ||
                      logical == AvroLogical::kLocalMillis;
  out = millis ? floor_divided(us, 1000) : us;
  return true;
}

bool AvroWriter::real(const AvroNode& node, const Value& given) {
  double n = 0;
  if (given.type == Type::kInteger) {
    const int64_t whole = integer_of(given);
    n = static_cast<double>(whole);
    constexpr double kEnd = 9223372036854775808.0;
    if (n >= kEnd || static_cast<int64_t>(n) != whole) return refuse(node, given);
  } else if (given.type == Type::kFloat || given.type == Type::kDecimal) {
    n = real_of(given);
  } else if (given.type == Type::kString) {  // what JSON has no numbers for
    const std::string_view text = text_of(given);
    if (text == "NaN")
      n = NAN;
    else if (text == "Infinity" || text == "-Infinity")
      n = text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    else
      return refuse(node, given);
  } else {
    return refuse(node, given);
  }
  if (node.type == AvroType::kDouble) {
    put({reinterpret_cast<const char*>(&n), sizeof n});
  } else {
    const auto small = static_cast<float>(n);
    put({reinterpret_cast<const char*>(&small), sizeof small});
  }
  return true;
}

bool AvroWriter::text(const Value& given) {
  put_text(text_of(given));
  return true;
}

bool AvroWriter::symbol(const AvroNode& node, const Value& given) {
  const std::string_view text = text_of(given);
  for (size_t i = 0; given.type == Type::kString && i < node.symbols.size(); ++i) {
    if (node.symbols[i] != text) continue;
    put_long(static_cast<int64_t>(i));
    return true;
  }
  return fail(excerpt(text, 40) + " is no symbol of the enum " + node.name);
}

// Text stands for bytes as it does in JSON that leat writes: as base64.
bool AvroWriter::bytes(const AvroNode& node, const Value& given) {
  std::string decoded;
  std::string_view raw;
  if (given.type == Type::kBytes) {
    raw = given.view();
  } else if (given.type == Type::kString && append_from_base64(decoded, text_of(given))) {
    raw = decoded;
  } else if (given.type == Type::kString) {
    return fail("bytes are written as base64 in text, which " + excerpt(text_of(given), 40) +
                " is not");
  } else {
    return refuse(node, given);
  }
  if (node.type == AvroType::kBytes) {
    put_text(raw);
    return true;
  }
  if (raw.size() != node.size)
    return fail(std::to_string(raw.size()) + " bytes, and the schema has " +
                std::to_string(node.size));
  put(raw);
  return true;
}

bool AvroWriter::decimal(const AvroNode& node, const Value& given) {
  const bool number =
      given.type == Type::kInteger || given.type == Type::kFloat || given.type == Type::kDecimal;
  const std::string_view text = text_of(given);
  const bool written =
      given.type == Type::kString && !text.empty() && json_number_length(text) == text.size();
  if (!number && !written) return refuse(node, given);
  std::optional<std::string> unscaled = avro_decimal_bytes(text, node.precision, node.scale);
  if (!unscaled || (node.type == AvroType::kFixed && unscaled->size() > node.size))
    return fail(excerpt(text, 40) + " has more digits than a decimal of precision " +
                std::to_string(node.precision) + " and scale " + std::to_string(node.scale));
  if (node.type == AvroType::kBytes) {
    put_text(*unscaled);
  } else {
    const char sign = static_cast<signed char>((*unscaled)[0]) < 0 ? '\xff' : '\0';
    put(std::string(node.size - unscaled->size(), sign) + *unscaled);
  }
  return true;
}

bool AvroWriter::a_union(const AvroNode& node, const Value& given) {
  const size_t start = size_;
  problem_.clear();
  for (int wanted = 3; wanted > 0; --wanted) {
    for (size_t i = 0; i < node.branches.size(); ++i) {
      if (fit(*node.branches[i], given) != wanted) continue;
      put_long(static_cast<int64_t>(i));
      if (value(*node.branches[i], given)) return true;
      size_ = start;
    }
  }
  if (!problem_.empty()) return false;
  if (given.type == Type::kNull || given.type == Type::kAbsent)
    return fail("null, which the schema does not allow");
  std::string what = type_name(given.type);
  return fail(what + " " + excerpt(std::string(text_of(given)), 40) +
              " is of none of the types of the schema");
}

// --- nested: from JSON
// -----------------------------------------------------------------------------

bool AvroWriter::nested(const AvroNode& node, const Value& given) {
  if (given.type != Type::kJson || (given.view()[0] == '[') != (node.type == AvroType::kArray))
    return refuse(node, given);
  return node.type == AvroType::kRecord ? nested_record(node, given.view())
                                        : items(node, given.view());
}

bool AvroWriter::nested_record(const AvroNode& node, std::string_view json) {
  std::vector<std::pair<std::string, Value>> members;
  each_json_member(json, [&members](std::string_view name, const Value& member) {
    members.emplace_back(name, member);
    return true;
  });
  size_t used = 0;
  for (const AvroField& field : node.fields) {
    const auto found = std::ranges::find_if(
        members, [&field](const auto& one) { return one.first == field.name; });
    bool good = found != members.end();
    if (good) {
      ++used;
      good = value(*field.type, found->second);
    } else if (std::optional<std::string> missing = missing_of(field)) {
      put(*missing);
      good = true;
    } else {
      problem_ = "missing, and without a default in the schema";
    }
    if (!good) return fail(excerpt(field.name) + ": " + problem_);
  }
  if (used == members.size()) return true;
  for (const auto& [name, member] : members)
    if (std::ranges::none_of(node.fields,
                             [&name](const AvroField& field) { return field.name == name; }))
      return fail(excerpt(name) + ": no field of " + node.name);
  return true;  // a name that stands twice
}

bool AvroWriter::items(const AvroNode& node, std::string_view json) {
  int64_t count = 0;
  each_json_member(json, [&count](std::string_view, const Value&) { return ++count > 0; });
  if (count > 0) put_long(count);
  const bool map = node.type == AvroType::kMap;
  const bool good = each_json_member(json, [&](std::string_view name, const Value& item) {
    if (map) put_text(name);
    return value(node.item(), item);
  });
  put_long(0);
  return good;
}

}  // namespace leat
