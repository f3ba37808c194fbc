// How the bytes of one schema, the writer's, are read as values of another, the reader's
// (specification 1.11, "Schema Resolution"): promotions, defaults, aliases, fields that are passed
// over. Worked out once, so that a record costs nothing for it. Without a schema of the reader's it
// is the writer's.
//
// Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/avro/schema.h"
#include "record/shape.h"
#include "record/value.h"

namespace leat {

// What a value is made of what was read.
enum class AvroAs : uint8_t {
  kItself,
  kFloat,  // of an integer
  kText,   // of bytes
  kBytes,  // of text
  kDecimal,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kLocalMillis,
  kLocalMicros,
};

struct AvroStep {
  struct Field {
    const AvroStep* step;
    int target;       // its place among the reader's fields; -1: nobody wants it
    std::string key;  // `,"name":` for nested JSON
  };
  // A field of the reader's that the writer has not.
  struct Default {
    int target;
    std::string key;
    const AvroStep* step;
    std::string bytes;  // as if they had been written
  };

  AvroType type = AvroType::kNull;  // as it was written
  AvroAs as = AvroAs::kItself;
  uint32_t size = 0;                           // kFixed
  int scale = 0;                               // kDecimal
  std::vector<const AvroStep*> branches = {};  // kUnion; kArray and kMap: one
  // kEnum: the reader's, "" where it has none.
  std::vector<std::string> symbols = {};
  std::vector<Field> fields = {};  // kRecord, in the writer's order
  std::vector<Default> defaults = {};
  ShapeRef shape = {};  // kRecord: of the reader's fields
  // Not "": it cannot be read, and why. It can be passed over.
  std::string problem = {};
  // Not 0: a value of it takes no bytes, and is so many values in all.
  uint64_t empty = 0;
  // kRecord: its fields of which values take bytes, all that passing over one comes by.
  std::vector<const AvroStep*> passed = {};

  const AvroStep& item() const { return *branches[0]; }
};

class AvroPlan {
 public:
  // `reader`: null for the writer's. kData: nothing of it could ever be read, and why.
  static Result<std::shared_ptr<const AvroPlan>> make(AvroSchemaRef writer,
                                                      const AvroSchemaRef& reader);

  const AvroStep& root() const { return *root_; }
  const AvroSchema& writer() const { return *writer_; }
  // The shape of what is no record: its one field is called "value".
  const ShapeRef& value_shape() const { return value_shape_; }
  size_t footprint() const { return footprint_; }

 private:
  friend class AvroResolver;
  AvroSchemaRef writer_;
  std::vector<std::unique_ptr<AvroStep>> steps_;
  const AvroStep* root_ = nullptr;
  ShapeRef value_shape_;
  size_t footprint_ = 0;
};
using AvroPlanRef = std::shared_ptr<const AvroPlan>;

}  // namespace leat
