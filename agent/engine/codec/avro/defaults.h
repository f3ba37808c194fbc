// Defaults of a schema's fields. Any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/avro/schema.h"

namespace leat {

// The default of a field that has one, in the binary encoding. kData: it is not of the field's
// type.
Result<std::string> avro_default(const AvroField& field);

}  // namespace leat
