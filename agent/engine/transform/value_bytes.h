// Values as bytes that are the same for the same values, as they are remembered. Thread: any.
#pragma once

#include <string>

#include "memory/arena.h"
#include "record/value.h"
#include "state/bytes.h"

namespace leat {

// Numbers are as they were written, so 1 and 1.0 are two; absent is null.
void put_value(std::string& out, const Value& value);
// Null for what is none. Text is copied into the arena.
Value take_value(ByteReader& from, Arena& arena);

}  // namespace leat
