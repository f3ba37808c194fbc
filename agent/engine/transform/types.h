// The transforms, one descriptor each; registry.cpp lists them.
#pragma once

#include "stage/transform.h"

namespace leat {

extern const TransformType kExplodeTransform;
extern const TransformType kFilterTransform;
extern const TransformType kMapTransform;
extern const TransformType kSqlTransform;
// With LEAT_STREAMS.
extern const TransformType kDeadbandTransform;
extern const TransformType kDedupeTransform;
extern const TransformType kRateTransform;
extern const TransformType kSampleTransform;
extern const TransformType kWindowTransform;
// With LEAT_LOOKUP.
extern const TransformType kLookupTransform;

}  // namespace leat
