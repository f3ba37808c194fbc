// The binary form of numeric (numeric_recv and numeric_send of the server,
// https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c): digits to the
// base of 10,000, the weight of the first, the sign, and the number of decimals shown.
#pragma once

#include <string_view>

#include "connectors/postgres/misfit.h"
#include "protocols/postgres/buffer.h"

namespace leat::postgres {

// `text` follows the grammar of RFC 8259 section 6. Exact: no digit is lost, and "44.50" keeps its
// zero. Appends nothing when it does not fit.
Misfit append_numeric(Buffer& out, std::string_view text);
void append_numeric_nan(Buffer& out);

// Digits before the decimal point, leading zeros not counted.
int64_t integer_digits(std::string_view text);

}  // namespace leat::postgres
