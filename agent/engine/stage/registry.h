// The connectors in this build. The engine never names one: it is handed the registry that CMake
// generates from the list in connectors/CMakeLists.txt.
#pragma once

#include <span>
#include <string_view>

#include "stage/sink.h"
#include "stage/source.h"

namespace leat {

// A connector that the build could have had.
struct LeftOut {
  std::string_view name;
  bool source = false;
  bool sink = false;
};

struct Registry {
  std::span<const SourceType* const> sources;
  std::span<const SinkType* const> sinks;
  std::span<const LeftOut> left_out = {};

  const SourceType* source(std::string_view name) const;
  const SinkType* sink(std::string_view name) const;
};

// Defined in the generated file of connectors/.
const Registry& connectors();

}  // namespace leat
