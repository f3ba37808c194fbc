#include "stage/registry.h"

namespace leat {
namespace {

template <typename Type>
const Type* find(std::span<const Type* const> types, std::string_view name) {
  for (const Type* type : types)
    if (type->name == name) return type;
  return nullptr;
}

}  // namespace

const SourceType* Registry::source(std::string_view name) const {
  return find(sources, name);
}

const SinkType* Registry::sink(std::string_view name) const {
  return find(sinks, name);
}

}  // namespace leat
