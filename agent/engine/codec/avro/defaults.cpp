#include "codec/avro/defaults.h"

#include <cjson/cJSON.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "codec/avro/wire.h"

namespace leat {
namespace {

// Beyond that the JSON parser has lost digits.
constexpr double kExact = 9007199254740992.0;

// How much the defaults are so far.
struct Room {
  size_t& values;
  int depth = 0;

  Room deeper() const { return {values, depth + 1}; }
  // One more. A long text is as much as many values.
  bool take(const char* text) const {
    values += 1 + (text == nullptr ? 0 : std::strlen(text) / 64);
    return depth <= AvroSchema::kMaxDepth && values <= kMostDefaultValues;
  }
};

// Bytes are written as characters up to U+00FF.
bool append_code_points(std::string& out, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c <= 0xC3 && i + 1 < text.size()) {
      out += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      return false;
    }
  }
  return true;
}

bool append(std::string& out, const AvroNode& node, const cJSON* json, Room room);

template <typename F>
bool append_items(std::string& out, const cJSON* json, F&& one) {
  const int size = cJSON_GetArraySize(json);
  if (size > 0) append_avro_long(out, size);
  const cJSON* item = nullptr;
  cJSON_ArrayForEach(item, json) {
    if (!one(item)) return false;
  }
  append_avro_long(out, 0);
  return true;
}

bool append_record(std::string& out, const AvroNode& node, const cJSON* json, Room room) {
  if (!cJSON_IsObject(json)) return false;
  return std::ranges::all_of(node.fields, [&](const AvroField& field) {
    if (const cJSON* value = cJSON_GetObjectItemCaseSensitive(json, field.name.c_str()))
      return append(out, *field.type, value, room.deeper());
    cJSON* fallback = field.has_default ? cJSON_Parse(field.fallback.c_str()) : nullptr;
    const bool good = fallback != nullptr && append(out, *field.type, fallback, room.deeper());
    cJSON_Delete(fallback);
    return good;
  });
}

bool append_number(std::string& out, const AvroNode& node, const cJSON* json) {
  if (!cJSON_IsNumber(json)) return false;
  const double value = json->valuedouble;
  if (node.type == AvroType::kInt || node.type == AvroType::kLong) {
    if (value != std::floor(value) || std::fabs(value) >= kExact) return false;
    append_avro_long(out, static_cast<int64_t>(value));
  } else if (node.type == AvroType::kFloat) {
    const auto small = static_cast<float>(value);
    out.append(reinterpret_cast<const char*>(&small), sizeof small);
  } else {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return true;
}

bool append(std::string& out, const AvroNode& node, const cJSON* json, Room room) {
  const char* text = cJSON_GetStringValue(json);
  if (!room.take(text)) return false;
  switch (node.type) {
    case AvroType::kNull:
      return cJSON_IsNull(json) != 0;
    case AvroType::kBoolean:
      out += cJSON_IsTrue(json) != 0 ? '\1' : '\0';
      return cJSON_IsBool(json) != 0;
    case AvroType::kInt:
    case AvroType::kLong:
    case AvroType::kFloat:
    case AvroType::kDouble:
      return append_number(out, node, json);
    case AvroType::kString:
      if (text != nullptr) append_avro_text(out, text);
      return text != nullptr;
    case AvroType::kBytes:
    case AvroType::kFixed: {
      std::string bytes;
      if (text == nullptr || !append_code_points(bytes, text)) return false;
      if (node.type == AvroType::kBytes) append_avro_long(out, static_cast<int64_t>(bytes.size()));
      out += bytes;
      return node.type == AvroType::kBytes || bytes.size() == node.size;
    }
    case AvroType::kEnum: {
      if (text == nullptr) return false;
      const auto symbol = std::ranges::find(node.symbols, text);
      append_avro_long(out, symbol - node.symbols.begin());
      return symbol != node.symbols.end();
    }
    case AvroType::kArray:
      return cJSON_IsArray(json) != 0 && append_items(out, json, [&](const cJSON* item) {
               return append(out, node.item(), item, room.deeper());
             });
    case AvroType::kMap:
      return cJSON_IsObject(json) != 0 && append_items(out, json, [&](const cJSON* item) {
               append_avro_text(out, item->string);
               return room.take(item->string) && append(out, node.item(), item, room.deeper());
             });
    case AvroType::kRecord:
      return append_record(out, node, json, room);
    case AvroType::kUnion:  // of the first of its types
      append_avro_long(out, 0);
      return append(out, node.item(), json, room.deeper());
  }
  return false;
}

}  // namespace

Result<std::string> avro_default(const AvroField& field, size_t& values) {
  std::string out;
  cJSON* json = cJSON_Parse(field.fallback.c_str());
  const bool good = json != nullptr && append(out, *field.type, json, {values});
  cJSON_Delete(json);
  if (good) return out;
  if (values > kMostDefaultValues)
    return fail(ErrorKind::kData, "the defaults, of which the last is that of the field \"" +
                                      excerpt(field.name) + "\", make more than " +
                                      format_count(kMostDefaultValues, "value"));
  return fail(ErrorKind::kData, "the default of the field \"" + excerpt(field.name) +
                                    "\" is not of its type: " + excerpt(field.fallback));
}

Status avro_check_defaults(const AvroSchema& schema) {
  size_t values = 0;
  std::vector<const AvroNode*> nodes{&schema.root()};
  std::set<const AvroNode*> seen;
  while (!nodes.empty()) {
    const AvroNode* node = nodes.back();
    nodes.pop_back();
    if (!seen.insert(node).second) continue;
    nodes.insert(nodes.end(), node->branches.begin(), node->branches.end());
    for (const AvroField& field : node->fields) {
      nodes.push_back(field.type);
      if (!field.has_default) continue;
      const Result<std::string> bytes = avro_default(field, values);
      if (values > kMostDefaultValues) return fail(bytes.error());
    }
  }
  return {};
}

}  // namespace leat
