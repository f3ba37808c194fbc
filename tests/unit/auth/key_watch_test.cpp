#include "control/auth/key_watch.h"

#include <gtest/gtest.h>

namespace leat::control {
namespace {

const ControlKey kOld{.id = "fleet", .key = "old", .role = Role::kConfigure};
const ControlKey kNew{.id = "fleet-2", .key = "new", .role = Role::kConfigure};
const ControlKey kOps{.id = "ops", .key = "ops", .role = Role::kOperate};

TEST(KeyWatch, while_an_old_key_can_configure_nothing_is_to_be_shown) {
  KeyWatch watch;
  EXPECT_TRUE(watch.begin({kOld}, {kOld, kNew, kOps}));
  EXPECT_FALSE(watch.waits());
  EXPECT_EQ(watch.verdict(), "");
}

TEST(KeyWatch, keys_that_replace_all_old_ones_must_be_used) {
  KeyWatch watch;
  EXPECT_TRUE(watch.begin({kOld, kOps}, {kNew, kOps}));
  EXPECT_TRUE(watch.waits());
  watch.used("ops");
  watch.used("fleet");
  EXPECT_NE(watch.verdict().find("(fleet-2)"), std::string::npos) << watch.verdict();
  watch.used("fleet-2");
  EXPECT_FALSE(watch.waits());
  EXPECT_EQ(watch.verdict(), "");
}

TEST(KeyWatch, a_key_of_the_same_name_with_another_content_is_new) {
  KeyWatch watch;
  ControlKey changed = kOld;
  changed.key = "another";
  EXPECT_TRUE(watch.begin({kOld}, {changed}));
  EXPECT_TRUE(watch.waits());
}

TEST(KeyWatch, without_a_key_that_can_configure_it_is_refused_at_once) {
  KeyWatch watch;
  EXPECT_FALSE(watch.begin({kOld}, {kOps}));
  EXPECT_FALSE(watch.begin({kOld}, {}));
}

TEST(KeyWatch, what_was_shown_counts_for_a_later_change_with_the_same_keys) {
  KeyWatch watch;
  watch.begin({kOld}, {kNew});
  watch.used("fleet-2");
  EXPECT_TRUE(watch.begin({kOld}, {kNew}));
  EXPECT_FALSE(watch.waits());
  watch.end();
  watch.begin({kOld}, {kNew});
  EXPECT_TRUE(watch.waits()) << "another probation";
}

}  // namespace
}  // namespace leat::control
