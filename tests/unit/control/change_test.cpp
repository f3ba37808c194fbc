#include "control/change.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

using Names = std::vector<std::string>;

PipelineConfig config(const std::string& name, int version) {
  PipelineConfig out;
  out.name = name;
  out.limits.records_per_second = version;
  return out;
}

WantedPipeline wanted(const std::string& name, int version, bool ended = false) {
  return {std::make_shared<const PipelineConfig>(config(name, version)), ended};
}

TEST(Change, names_what_is_kept_added_changed_and_removed) {
  Change change = compute_change(
      {{"same", wanted("same", 1)}, {"other", wanted("other", 1)}, {"gone", wanted("gone", 1)}},
      {config("new", 1), config("other", 2), config("same", 1)}, false);
  EXPECT_EQ(change.kept, Names{"same"});
  EXPECT_EQ(change.added, Names{"new"});
  EXPECT_EQ(change.changed, Names{"other"});
  EXPECT_EQ(change.removed, Names{"gone"});
}

TEST(Change, starts_again_what_has_ended) {
  Change change = compute_change({{"done", wanted("done", 1, true)}}, {config("done", 1)}, false);
  EXPECT_EQ(change.changed, Names{"done"});
  EXPECT_TRUE(change.kept.empty());
}

TEST(Change, touches_all_when_what_they_share_is_different) {
  Change change = compute_change({{"a", wanted("a", 1)}}, {config("a", 1)}, true);
  EXPECT_EQ(change.changed, Names{"a"});
}

TEST(Change, of_nothing_is_nothing) {
  Change change = compute_change({}, {}, false);
  EXPECT_TRUE(change.kept.empty() && change.added.empty());
  EXPECT_TRUE(change.changed.empty() && change.removed.empty());
}

}  // namespace
}  // namespace leat
