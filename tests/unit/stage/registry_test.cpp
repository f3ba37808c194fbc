#include "stage/registry.h"

#include <gtest/gtest.h>

#include <array>

namespace leat {
namespace {

SourceType source_named(std::string_view name) {
  SourceType type{};
  type.name = name;
  return type;
}

SinkType sink_named(std::string_view name) {
  SinkType type{};
  type.name = name;
  return type;
}

const SourceType kTank = source_named("tank");
const SinkType kDrain = sink_named("drain");
const SinkType kTankSink = sink_named("tank");

TEST(Registry, finds_sources_and_sinks_by_name) {
  const std::array<const SourceType*, 1> sources{&kTank};
  const std::array<const SinkType*, 2> sinks{&kDrain, &kTankSink};
  Registry registry{sources, sinks};
  EXPECT_EQ(registry.source("tank"), &kTank);
  EXPECT_EQ(registry.sink("tank"), &kTankSink);
  EXPECT_EQ(registry.sink("drain"), &kDrain);
  EXPECT_EQ(registry.source("drain"), nullptr);
  EXPECT_EQ(registry.sink(""), nullptr);
}

}  // namespace
}  // namespace leat
