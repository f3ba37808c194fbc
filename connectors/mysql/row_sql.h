// A field's value as SQL for its column. One rule holds, as for the other databases: stored
// exactly, or refused; what the server would round without a word is refused here.
#pragma once

#include <string>

#include "base/result.h"
#include "connectors/mysql/columns.h"
#include "record/value.h"

namespace leat::mysql {

// Appends it. Errors are kData, without the names of field and column.
Status append_sql(std::string& out, const ReadColumn& column, const Value& value);

}  // namespace leat::mysql
