#include "codec/avro/derive.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.h"
#include "codec/avro/schema.h"

namespace leat {
namespace {

constexpr std::string_view kDerivedNames[] = {
    "\"boolean\"", "\"long\"",
    "\"double\"",  "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}",
    "\"bytes\"",   "\"string\"",
};

struct Seen {
  enum Kind : uint8_t { kBoolean, kLong, kDouble, kTime, kBytes, kString, kKinds };

  std::string name;
  bool kinds[kKinds] = {};

  void note(const Value& value) {
    switch (value.type) {
      case Type::kAbsent:
      case Type::kNull:
        return;
      case Type::kBool:
        kinds[kBoolean] = true;
        return;
      case Type::kInteger:
      case Type::kFloat:
        kinds[value.type == Type::kInteger ? kLong : kDouble] = true;
        if (value.form == Form::kText) kinds[kLong] = kinds[kDouble] = true;
        return;
      case Type::kTime:
        kinds[kTime] = true;
        return;
      case Type::kBytes:
        kinds[kBytes] = true;
        return;
      case Type::kString:
      case Type::kJson:     // as its text: its own type may be another with each record
      case Type::kDecimal:  // no type of Avro holds any of them without its precision
        kinds[kString] = true;
    }
  }

  // Of two whole numbers a union could not tell which is meant.
  std::string type() const {
    std::string out = "[\"null\"";
    bool any = false;
    for (bool kind : kinds) any = any || kind;
    for (size_t i = 0; i < kKinds; ++i)
      if (any ? kinds[i] && !(i == kTime && kinds[kLong])
              : i == kBoolean || i == kLong || i == kDouble || i == kString)
        out += "," + std::string(kDerivedNames[i]);
    return out + "]";
  }
};

}  // namespace

std::string avro_schema_of(const Batch& batch, const std::string& record) {
  std::vector<Seen> fields;
  for (const Record& one : batch.records) {
    for (size_t i = 0; i < one.shape->size(); ++i) {
      const std::string_view name = one.shape->name(i);
      size_t at = i < fields.size() && fields[i].name == name ? i : 0;
      while (at < fields.size() && fields[at].name != name) ++at;
      if (at == fields.size()) {
        if (!is_avro_name(name)) continue;
        fields.push_back({.name = std::string(name)});
      }
      fields[at].note(one.values[i]);
    }
  }
  std::string out = "{\"type\":\"record\",\"name\":" + json_quoted(record) + ",\"fields\":[";
  const char* separator = "";
  for (const Seen& field : fields) {
    out += std::exchange(separator, ",");
    out +=
        "{\"name\":" + json_quoted(field.name) + ",\"type\":" + field.type() + ",\"default\":null}";
  }
  return out + "]}";
}

}  // namespace leat
