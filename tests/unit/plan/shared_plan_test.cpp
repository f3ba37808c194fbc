#include <gtest/gtest.h>

#include "plan/shared_job.h"

namespace leat {
namespace {

using Noted = std::vector<SavedPosition>;

TEST(SharedPlan, is_what_the_asking_task_has_noted) {
  const std::string list("a\0b c\0\"d%\"", 10);
  const std::optional<SharedPlan> plan =
      SharedPlan::of({{"ranges of table t", "{}"}, {std::string(kTaskList), list}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->tasks, (std::vector<std::string>{"a", "b c", "\"d%\""}));
  ASSERT_EQ(plan->noted.size(), 1U);
  EXPECT_EQ(plan->noted[0].partition, "ranges of table t");
}

TEST(SharedPlan, is_none_without_its_list) {
  EXPECT_FALSE(SharedPlan::of({}));
  EXPECT_FALSE(SharedPlan::of({{"ranges of table t", "{}"}}));
  EXPECT_TRUE(SharedPlan::of({{std::string(kTaskList), ""}})->tasks.empty());
}

TEST(SharedPlan, names_of_tasks_tell_what_they_do) {
  EXPECT_TRUE(only_sql("job~(preSql)") && only_sql("job~(postSql)"));
  EXPECT_TRUE(only_asks("job~(tasks)") && !only_asks("job~orders") && !only_sql("job~(tasks)"));
  EXPECT_EQ(run_of("job"), "job~(run)");
}

TEST(SharedPlan, tables_of_different_names_are_tasks_of_different_names) {
  EXPECT_EQ(task_text("public.order-lines_2"), "public.order-lines_2");
  EXPECT_EQ(task_text("a b"), "a=20b");
  EXPECT_EQ(task_text("客"), "=E5=AE=A2");
  EXPECT_EQ(task_text("a=20b"), "a=3D20b");
}

}  // namespace
}  // namespace leat
