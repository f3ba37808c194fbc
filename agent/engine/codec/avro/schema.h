// Schemas of Avro (specification 1.11, "Schema Declaration"), from their JSON.
//
// Written by hand, as all of this folder is: Debian's libavro would bring 190 KB, with jansson,
// snappy and lzma, reads files of the C library and builds a tree of its own for each value, of
// which records would be copied (README.md of codec/ has the figures).
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat {

enum class AvroType : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kFixed,
  kUnion,
};
const char* avro_type_name(AvroType type);

// Those that mean something here; of others the type below counts, as the specification has it.
enum class AvroLogical : uint8_t {
  kNone,
  kDecimal,
  kUuid,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kLocalMillis,
  kLocalMicros,
};

struct AvroNode;

struct AvroField {
  std::string name;
  std::vector<std::string> aliases;
  const AvroNode* type = nullptr;
  bool has_default = false;
  std::string fallback;  // the default, as JSON
};

struct AvroNode {
  AvroType type = AvroType::kNull;
  AvroLogical logical = AvroLogical::kNone;
  uint32_t size = 0;  // kFixed
  int precision = 0;  // kDecimal
  int scale = 0;
  std::string name;                  // of named types, with the namespace
  std::vector<std::string> aliases;  // as names are
  std::vector<AvroField> fields;     // kRecord
  std::vector<std::string> symbols;  // kEnum
  std::string default_symbol;        // "": none
  // kUnion: its branches; kArray and kMap: one, what they hold.
  std::vector<const AvroNode*> branches;

  const AvroNode& item() const { return *branches[0]; }
};

class AvroSchema {
 public:
  // Deeper schemas are refused, and no record is read that is nested deeper.
  static constexpr int kMaxDepth = 64;

  // kData, what is wrong and where: "fields[2].type: no type \"Unit\" is known there".
  static Result<std::shared_ptr<const AvroSchema>> parse(std::string_view json);

  const AvroNode& root() const { return *nodes_[0]; }
  const std::string& json() const { return json_; }
  size_t footprint() const { return footprint_; }

 private:
  friend class AvroSchemaParser;
  std::string json_;
  std::vector<std::unique_ptr<AvroNode>> nodes_;
  size_t footprint_ = 0;
};
using AvroSchemaRef = std::shared_ptr<const AvroSchema>;

// The schema in Parsing Canonical Form, and its 64-bit Rabin fingerprint ("Schema Fingerprints").
std::string avro_canonical_form(const AvroSchema& schema);
uint64_t avro_fingerprint(std::string_view canonical);
// A name that records, fields and symbols may have.
bool is_avro_name(std::string_view name);

}  // namespace leat
