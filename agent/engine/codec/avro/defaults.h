// Defaults of a schema's fields. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/avro/schema.h"

namespace leat {

// What all defaults together may be: they are made of each other, so that a short schema could
// have any number.
constexpr size_t kMostDefaultValues = 65'536;

// The default of a field that has one, in the binary encoding; its values are counted. kData: it is
// not of the field's type, or there are too many.
Result<std::string> avro_default(const AvroField& field, size_t& values);
// kData: there are too many, and of which field's.
Status avro_check_defaults(const AvroSchema& schema);

}  // namespace leat
