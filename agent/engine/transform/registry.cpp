#include "transform/types.h"

namespace leat {

std::span<const TransformType* const> transform_types() {
  static constexpr const TransformType* kTypes[] = {
      &kFilterTransform, &kMapTransform,      &kExplodeTransform, &kSqlTransform,
#ifdef LEAT_STREAMS
      &kDedupeTransform, &kDeadbandTransform, &kSampleTransform,  &kRateTransform,
      &kWindowTransform,
#endif
#ifdef LEAT_LOOKUP
      &kLookupTransform,
#endif
  };
  return kTypes;
}

const TransformType* find_transform(std::string_view name) {
  for (const TransformType* type : transform_types())
    if (type->name == name) return type;
  return nullptr;
}

}  // namespace leat
