// What the options `avro` of a source and of a sink say.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/avro/plan.h"
#include "options/options.h"

namespace leat {

extern const std::span<const Option> kAvroReadOptions;
extern const std::span<const Option> kAvroWriteOptions;

enum class AvroEncoding : uint8_t {
  kContainer,
  kBare,          // nothing but the data
  kSingleObject,  // C3 01 and the fingerprint of the schema before it ("Single object encoding")
};
constexpr std::string_view kAvroSingleMagic("\xC3\x01", 2);

std::string avro_hex(uint64_t fingerprint);

// As a source reads it.
struct AvroDialect {
  AvroEncoding encoding = AvroEncoding::kContainer;
  AvroSchemaRef schema;  // the reader's; null: that of the writer
  // Of single messages: how those with this fingerprint are read. One with kBare, whatever it is.
  std::vector<std::pair<uint64_t, AvroPlanRef>> plans;

  static Result<AvroDialect> from(const Options& options);
};

// As a sink writes it.
struct AvroWriting {
  AvroEncoding encoding = AvroEncoding::kContainer;
  AvroSchemaRef schema = {};  // null: it comes of the first records
  std::string record = {};    // and is called so
  bool deflate = false;

  static Result<AvroWriting> from(const Options& options);
};

}  // namespace leat
