#include "plan/role.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(Role, may_what_the_ones_before_it_may) {
  EXPECT_TRUE(may(Role::kRead, Role::kRead));
  EXPECT_FALSE(may(Role::kRead, Role::kOperate));
  EXPECT_FALSE(may(Role::kOperate, Role::kConfigure));
  EXPECT_TRUE(may(Role::kConfigure, Role::kRead));
  EXPECT_TRUE(may(Role::kConfigure, Role::kConfigure));
}

TEST(Role, is_read_as_it_is_written_and_no_other_way) {
  for (Role role : {Role::kRead, Role::kOperate, Role::kConfigure})
    EXPECT_EQ(role_named(name_of(role)), role);
  for (std::string_view name : {"", "Read", "root", "operate "})
    EXPECT_FALSE(role_named(name)) << name;
}

}  // namespace
}  // namespace leat
