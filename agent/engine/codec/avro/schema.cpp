#include "codec/avro/schema.h"

#include <cjson/cJSON.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"

namespace leat {
namespace {

constexpr const char* kTypeNames[] = {"null",   "boolean", "int",    "long",   "float",
                                      "double", "bytes",   "string", "record", "enum",
                                      "array",  "map",     "fixed",  "union"};
constexpr size_t kPrimitives = 8;
// Each costs some 200 bytes, so that no file takes the memory away by its header.
constexpr size_t kMostNodes = 20'000;
// Of a decimal: those of kMostDecimalBytes, and no more zeros.
constexpr int kMostDigits = 617;

constexpr std::pair<std::string_view, AvroLogical> kLogicals[] = {
    {"decimal", AvroLogical::kDecimal},
    {"uuid", AvroLogical::kUuid},
    {"date", AvroLogical::kDate},
    {"time-millis", AvroLogical::kTimeMillis},
    {"time-micros", AvroLogical::kTimeMicros},
    {"timestamp-millis", AvroLogical::kTimestampMillis},
    {"timestamp-micros", AvroLogical::kTimestampMicros},
    {"local-timestamp-millis", AvroLogical::kLocalMillis},
    {"local-timestamp-micros", AvroLogical::kLocalMicros},
};

bool fits(AvroLogical logical, const AvroNode& node) {
  switch (logical) {
    case AvroLogical::kNone:
      return true;
    case AvroLogical::kDecimal:
      return (node.type == AvroType::kBytes || node.type == AvroType::kFixed) &&
             node.precision > 0 && node.precision <= kMostDigits && node.scale >= 0 &&
             node.scale <= node.precision;
    case AvroLogical::kUuid:
      return node.type == AvroType::kString;
    case AvroLogical::kDate:
    case AvroLogical::kTimeMillis:
      return node.type == AvroType::kInt;
    default:
      return node.type == AvroType::kLong;
  }
}

const cJSON* member(const cJSON* object, const char* name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

std::string text_of(const cJSON* object, const char* name) {
  const char* text = cJSON_GetStringValue(member(object, name));
  return text == nullptr ? "" : text;
}

int whole(const cJSON* object, const char* name, int fallback) {
  const cJSON* number = member(object, name);
  if (!cJSON_IsNumber(number)) return fallback;
  const double value = number->valuedouble;
  return value >= 0 && value <= 1 << 30 && value == static_cast<int>(value)
             ? static_cast<int>(value)
             : -1;
}

}  // namespace

const char* avro_type_name(AvroType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

bool is_avro_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  if (name.empty() || (!is_letter(name[0]) && name[0] != '_')) return false;
  return std::ranges::all_of(
      name, [&](char c) { return is_letter(c) || c == '_' || (c >= '0' && c <= '9'); });
}

// Walks the JSON; places in messages are of it.
class AvroSchemaParser {
 public:
  explicit AvroSchemaParser(AvroSchema& schema) : schema_(schema) {}

  const AvroNode* type(const cJSON* json, const std::string& space, const std::string& place,
                       int depth) {
    if (depth > AvroSchema::kMaxDepth) return refuse(place, "nested too deep");
    if (schema_.nodes_.size() >= kMostNodes) return refuse(place, "the schema has too many types");
    if (cJSON_IsString(json)) return named(json->valuestring, space, place);
    if (cJSON_IsArray(json)) return a_union(json, space, place, depth);
    if (!cJSON_IsObject(json))
      return refuse(place, "no type, which is a name, an object or an array");
    const cJSON* type = member(json, "type");
    if (!cJSON_IsString(type))  // {"type": {"type": …}}
      return this->type(type, space, place + ".type", depth + 1);
    const std::string_view name = type->valuestring;
    if (name == "record" || name == "error") return record(json, space, place, depth);
    if (name == "enum") return an_enum(json, space, place);
    if (name == "fixed") return fixed(json, space, place);
    if (name == "array" || name == "map") {
      AvroNode& node = make(name == "array" ? AvroType::kArray : AvroType::kMap);
      const char* what = name == "array" ? "items" : "values";
      const AvroNode* item = this->type(member(json, what), space, place + "." + what, depth + 1);
      if (item == nullptr) return nullptr;
      node.branches.push_back(item);
      return &node;
    }
    const size_t before = schema_.nodes_.size();
    const AvroNode* node = named(name, space, place);
    if (node != nullptr && schema_.nodes_.size() > before)
      set_logical(*schema_.nodes_.back(), json);
    return node;
  }

  const std::string& problem() const { return problem_; }

 private:
  std::nullptr_t refuse(const std::string& place, const std::string& why) {
    if (problem_.empty()) problem_ = (place.empty() ? "" : place.substr(1) + ": ") + why;
    return nullptr;
  }

  AvroNode& make(AvroType type) {
    schema_.nodes_.push_back(std::make_unique<AvroNode>());
    schema_.nodes_.back()->type = type;
    return *schema_.nodes_.back();
  }

  const AvroNode* named(std::string_view name, const std::string& space, const std::string& place) {
    const auto* primitive = std::ranges::find(kTypeNames, kTypeNames + kPrimitives, name);
    if (primitive != kTypeNames + kPrimitives)
      return &make(static_cast<AvroType>(primitive - kTypeNames));
    auto known = names_.find(full_name(name, space));
    if (known == names_.end()) known = names_.find(std::string(name));
    if (known == names_.end())
      return refuse(place, "no type " + json_quoted(excerpt(name)) + " is known there");
    return known->second;
  }

  static std::string full_name(std::string_view name, const std::string& space) {
    if (name.find('.') != std::string_view::npos || space.empty()) return std::string(name);
    return space + "." + std::string(name);
  }

  // Of a named type: false when it cannot be. Sets `inner`, the namespace of what is within it.
  bool take_name(const cJSON* json, const std::string& space, const std::string& place,
                 AvroNode& node, std::string& inner) {
    const std::string name = text_of(json, "name");
    if (name.empty()) return refuse(place, "has no name"), false;
    const cJSON* given = member(json, "namespace");
    inner = cJSON_IsString(given) ? given->valuestring : space;
    node.name = full_name(name, inner);
    const size_t dot = node.name.rfind('.');
    inner = dot == std::string::npos ? "" : node.name.substr(0, dot);
    const cJSON* alias = nullptr;
    cJSON_ArrayForEach(alias, member(json, "aliases")) {
      if (cJSON_IsString(alias)) node.aliases.push_back(full_name(alias->valuestring, inner));
    }
    if (!names_.emplace(node.name, &node).second)
      return refuse(place, "the name " + json_quoted(excerpt(node.name)) + " is taken"), false;
    return true;
  }

  const AvroNode* record(const cJSON* json, const std::string& space, const std::string& place,
                         int depth) {
    AvroNode& node = make(AvroType::kRecord);
    std::string inner;
    if (!take_name(json, space, place, node, inner)) return nullptr;
    const cJSON* fields = member(json, "fields");
    if (!cJSON_IsArray(fields)) return refuse(place, "a record without fields");
    const cJSON* field = nullptr;
    std::map<std::string, size_t> seen;
    cJSON_ArrayForEach(field, fields) {
      const std::string at = place + ".fields[" + std::to_string(node.fields.size()) + "]";
      AvroField out;
      out.name = text_of(field, "name");
      if (out.name.empty()) return refuse(at, "has no name");
      if (!seen.emplace(out.name, 0).second)
        return refuse(at, "the name " + json_quoted(out.name) + " is taken");
      const cJSON* alias = nullptr;
      cJSON_ArrayForEach(alias, member(field, "aliases")) {
        if (cJSON_IsString(alias)) out.aliases.emplace_back(alias->valuestring);
      }
      if (const cJSON* fallback = member(field, "default")) {
        out.has_default = true;
        char* printed = cJSON_PrintUnformatted(fallback);
        out.fallback = printed == nullptr ? "null" : printed;
        cJSON_free(printed);
      }
      out.type = type(member(field, "type"), inner, at + ".type", depth + 1);
      if (out.type == nullptr) return nullptr;
      node.fields.push_back(std::move(out));
    }
    return &node;
  }

  const AvroNode* an_enum(const cJSON* json, const std::string& space, const std::string& place) {
    AvroNode& node = make(AvroType::kEnum);
    std::string inner;
    if (!take_name(json, space, place, node, inner)) return nullptr;
    const cJSON* symbol = nullptr;
    cJSON_ArrayForEach(symbol, member(json, "symbols")) {
      if (!cJSON_IsString(symbol)) return refuse(place + ".symbols", "not all of them are strings");
      node.symbols.emplace_back(symbol->valuestring);
    }
    if (node.symbols.empty()) return refuse(place, "an enum without symbols");
    node.default_symbol = text_of(json, "default");
    return &node;
  }

  const AvroNode* fixed(const cJSON* json, const std::string& space, const std::string& place) {
    AvroNode& node = make(AvroType::kFixed);
    std::string inner;
    if (!take_name(json, space, place, node, inner)) return nullptr;
    const int size = whole(json, "size", -1);
    if (size < 0) return refuse(place + ".size", "no whole number");
    node.size = static_cast<uint32_t>(size);
    set_logical(node, json);
    return &node;
  }

  const AvroNode* a_union(const cJSON* json, const std::string& space, const std::string& place,
                          int depth) {
    AvroNode& node = make(AvroType::kUnion);
    const cJSON* branch = nullptr;
    cJSON_ArrayForEach(branch, json) {
      const std::string at = place + "[" + std::to_string(node.branches.size()) + "]";
      const AvroNode* type = this->type(branch, space, at, depth + 1);
      if (type == nullptr) return nullptr;
      if (type->type == AvroType::kUnion) return refuse(at, "a union directly within a union");
      node.branches.push_back(type);
    }
    if (node.branches.empty()) return refuse(place, "a union of nothing");
    return &node;
  }

  // One that is not right is none ("Logical Types").
  static void set_logical(AvroNode& node, const cJSON* json) {
    const std::string name = text_of(json, "logicalType");
    for (const auto& [known, logical] : kLogicals) {
      if (name != known) continue;
      node.precision = whole(json, "precision", 0);
      node.scale = whole(json, "scale", 0);
      if (fits(logical, node)) node.logical = logical;
    }
  }

  AvroSchema& schema_;
  std::map<std::string, const AvroNode*> names_;
  std::string problem_;
};

Result<AvroSchemaRef> AvroSchema::parse(std::string_view json) {
  auto schema = std::make_shared<AvroSchema>();
  cJSON* parsed = cJSON_ParseWithLength(json.data(), json.size());
  if (parsed == nullptr) return fail(ErrorKind::kData, "the schema is no JSON");
  AvroSchemaParser parser(*schema);
  // A schema that is nothing but the name of a type has its node made first, as all roots have.
  const AvroNode* root = parser.type(parsed, "", "", 0);
  cJSON_Delete(parsed);
  if (root == nullptr) return fail(ErrorKind::kData, "the schema: " + parser.problem());
  schema->json_ = json;
  for (const auto& node : schema->nodes_) {
    schema->footprint_ +=
        sizeof(AvroNode) + node->name.size() + node->branches.capacity() * sizeof(void*);
    for (const AvroField& field : node->fields)
      schema->footprint_ += sizeof(AvroField) + field.name.size() + field.fallback.size();
    for (const std::string& symbol : node->symbols)
      schema->footprint_ += sizeof(std::string) + symbol.size();
  }
  schema->footprint_ += json.size();
  return AvroSchemaRef(std::move(schema));
}

// --- Parsing Canonical Form ("Transforming into Parsing Canonical Form") ---

namespace {

void append_canonical(std::string& out, const AvroNode& node,
                      std::map<const AvroNode*, int>& seen) {
  const auto name = [&node] { return "{\"name\":" + json_quoted(node.name) + ",\"type\":"; };
  const bool is_named = !node.name.empty();
  if (is_named && seen[&node]++ > 0) {
    out += json_quoted(node.name);
    return;
  }
  const char* separator = "";
  switch (node.type) {
    case AvroType::kRecord:
      out += name() + "\"record\",\"fields\":[";
      for (const AvroField& field : node.fields) {
        out += std::exchange(separator, ",");
        out += "{\"name\":" + json_quoted(field.name) + ",\"type\":";
        append_canonical(out, *field.type, seen);
        out += '}';
      }
      out += "]}";
      return;
    case AvroType::kEnum:
      out += name() + "\"enum\",\"symbols\":[";
      for (const std::string& symbol : node.symbols) {
        out += std::exchange(separator, ",");
        out += json_quoted(symbol);
      }
      out += "]}";
      return;
    case AvroType::kFixed:
      out += name() + "\"fixed\",\"size\":" + std::to_string(node.size) + "}";
      return;
    case AvroType::kArray:
    case AvroType::kMap:
      out += node.type == AvroType::kArray ? "{\"type\":\"array\",\"items\":"
                                           : "{\"type\":\"map\",\"values\":";
      append_canonical(out, node.item(), seen);
      out += '}';
      return;
    case AvroType::kUnion:
      out += '[';
      for (const AvroNode* branch : node.branches) {
        out += std::exchange(separator, ",");
        append_canonical(out, *branch, seen);
      }
      out += ']';
      return;
    default:
      out += json_quoted(avro_type_name(node.type));
  }
}

}  // namespace

std::string avro_canonical_form(const AvroSchema& schema) {
  std::string out;
  std::map<const AvroNode*, int> seen;
  append_canonical(out, schema.root(), seen);
  return out;
}

uint64_t avro_fingerprint(std::string_view canonical) {
  constexpr uint64_t kEmpty = 0xc15d213aa4d7a795;
  uint64_t hash = kEmpty;
  for (char c : canonical) {
    uint64_t row = (hash ^ static_cast<unsigned char>(c)) & 0xff;
    for (int i = 0; i < 8; ++i) row = (row >> 1) ^ (kEmpty & (0 - (row & 1)));
    hash = (hash >> 8) ^ row;
  }
  return hash;
}

}  // namespace leat
