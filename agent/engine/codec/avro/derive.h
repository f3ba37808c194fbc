// A schema for records that were given none.
#pragma once

#include <string>

#include "record/batch.h"

namespace leat {

// Of the types that the fields of these records have: each may be null, too. Numbers read as text
// (JSON, CSV), whose type is that of their look, are a union of long and double, so that 21
// and 21.5 are both what they are; a field that is null in all of them may become anything. Fields
// whose names Avro does not allow are left out.
std::string avro_schema_of(const Batch& batch, const std::string& record);

}  // namespace leat
