// Of many records a few, where which they are is known only from those behind them.
#pragma once

#include <memory>

#include "record/value.h"
#include "stage/transform.h"

namespace leat {

// Whether this build has them.
#ifdef LEAT_THINNING
inline constexpr bool kThinning = true;
#else
inline constexpr bool kThinning = false;
#endif

// `deadband` with `tolerance`.
std::unique_ptr<Transform> make_swinging_door(const Options& options, double tolerance);
// What both kinds of `deadband` take for a number; NaN: it is none.
double number_of(const Value& value);

// `sample` with `pick` "last".
std::unique_ptr<Transform> make_last_of_span(const Options& options);

}  // namespace leat
