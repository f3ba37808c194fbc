#include "task/verdict.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

// What is said of a run with so many records; "" when it is a success.
std::string verdict(const std::string& limit, uint64_t read, uint64_t delivered, uint64_t dead) {
  DeadLetterLimit most;
  if (!limit.empty()) most = parse_dead_letter_limit(limit).value();
  TaskStatus run;
  run.records = read;
  run.delivered = delivered;
  run.dead_letters = dead;
  Status status = verdict_of(most, run);
  return status ? "" : status.error().message();
}

TEST(VerdictTest, dead_letters_beside_what_was_delivered_are_no_failure) {
  EXPECT_EQ(verdict("", 100, 1, 99), "");
}

TEST(VerdictTest, nothing_but_dead_letters_is_one) {
  EXPECT_EQ(verdict("", 100, 0, 100), "nothing was delivered, and there are 100 dead letters");
  EXPECT_EQ(verdict("", 100, 0, 1), "nothing was delivered, and there is 1 dead letter");
  EXPECT_EQ(verdict("100%", 100, 0, 100), "nothing was delivered, and there are 100 dead letters");
}

TEST(VerdictTest, nothing_delivered_of_nothing_rejected_is_a_success) {
  EXPECT_EQ(verdict("", 0, 0, 0), "");
  EXPECT_EQ(verdict("0", 100, 0, 0), "");
}

TEST(VerdictTest, as_many_as_are_allowed_are_allowed) {
  EXPECT_EQ(verdict("10", 100, 90, 10), "");
  EXPECT_EQ(verdict("10", 100, 89, 11), "11 dead letters, and maxDeadLetters allows 10");
  EXPECT_EQ(verdict("0", 100, 99, 1), "1 dead letter, and maxDeadLetters allows 0");
}

TEST(VerdictTest, a_share_is_one_of_the_records_read) {
  EXPECT_EQ(verdict("1%", 1000, 990, 10), "");
  EXPECT_EQ(verdict("1%", 1000, 989, 11),
            "11 dead letters of 1,000 records, which is more than maxDeadLetters allows");
  EXPECT_EQ(verdict("0%", 1000, 999, 1),
            "1 dead letter of 1,000 records, which is more than maxDeadLetters allows");
}

TEST(VerdictTest, only_a_count_is_looked_at_before_the_end) {
  EXPECT_TRUE(within_limit(*parse_dead_letter_limit("10"), 10));
  EXPECT_FALSE(within_limit(*parse_dead_letter_limit("10"), 11));
  EXPECT_TRUE(within_limit(*parse_dead_letter_limit("1%"), 1'000'000));
  EXPECT_TRUE(within_limit({}, 1'000'000));
}

TEST(VerdictTest, a_limit_is_a_count_or_a_share_and_nothing_else) {
  EXPECT_EQ(parse_dead_letter_limit("0")->count, 0U);
  EXPECT_EQ(parse_dead_letter_limit("1000")->count, 1000U);
  EXPECT_EQ(parse_dead_letter_limit("100%")->share, 1.0);
  EXPECT_EQ(parse_dead_letter_limit("0.5%")->share, 0.005);
  for (const char* text :
       {"", "%", "-1", "-1%", "101%", "1.5", "ten", "1 %", "1e2%", "nan%", "1%%"})
    EXPECT_FALSE(parse_dead_letter_limit(text)) << text;
}

}  // namespace
}  // namespace leat
