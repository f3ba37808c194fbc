#include "table/position.h"

#include <gtest/gtest.h>

#include "table/cursor_log.h"

namespace leat::table {
namespace {

TEST(TablePosition, what_is_saved_is_read_again) {
  TablePosition position;
  position.cursor = {"updated_at", "i\"d"};
  position.after = {"2026-01-02 03:04:05.123456+00", "ä\n"};
  position.upto = {"2026-02-01", "9"};
  position.floor = "x";
  position.full = true;
  position.low = 18446744073709551615U;
  position.high = 7;
  position.since = "s";
  position.next_since = "n";
  position.system = "7301";
  Result<TablePosition> read = TablePosition::parse(position.json());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->json(), position.json());
  EXPECT_EQ(read->after, position.after);
  EXPECT_EQ(read->low, position.low);
}

TEST(TablePosition, what_is_none_is_refused) {
  for (const char* bad :
       {"", "12", "{}", "[]", R"({"reading":"new","cursor":["a"],"after":["1","2"]})",
        R"({"reading":"new","low":"x"})", R"({"reading":1})"}) {
    EXPECT_FALSE(TablePosition::parse(bad)) << bad;
  }
}

TEST(Division, what_is_saved_is_read_again) {
  Division division;
  division.cursor = {"a", "b"};
  division.bounds = {{"1", "x\"y"}, {"2", ""}};
  Result<Division> read = Division::parse(division.json());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->cursor, division.cursor);
  EXPECT_EQ(read->bounds, division.bounds);
  for (const char* bad :
       {"", "[]", "{}", R"({"cursor":["a"]})", R"({"cursor":[],"bounds":[]})",
        R"({"cursor":["a"],"bounds":["1"]})", R"({"cursor":["a"],"bounds":[["1","2"]]})",
        R"({"cursor":["a"],"bounds":[[1]]})"})
    EXPECT_FALSE(Division::parse(bad)) << bad;
}

Pass pass_of(uint64_t low) {
  TablePosition pass;
  pass.cursor = {"a", "b"};
  pass.low = low;
  return std::make_shared<const TablePosition>(pass);
}

TEST(CursorLog, every_row_that_may_be_asked_for_is_found_with_its_pass) {
  Budget budget(1 << 20);
  CursorLog log;
  log.charge_to(budget);
  const Pass passes[] = {pass_of(1), pass_of(2)};
  for (uint64_t i = 1; i <= 2000; ++i) {
    const std::string number = std::to_string(i);
    const std::string_view key[] = {number, i % 2 == 0 ? "" : "odd"};
    log.add(passes[i > 1000 ? 1 : 0], key);
  }
  EXPECT_EQ(log.end(), 2000U);
  EXPECT_GT(budget.used(), 2000U);
  log.forget_before(900);
  for (uint64_t i = 900; i <= 2000; ++i) {
    std::optional<TablePosition> position = log.position(i);
    ASSERT_TRUE(position) << i;
    EXPECT_EQ(position->after, (Key{std::to_string(i), i % 2 == 0 ? "" : "odd"}));
    EXPECT_EQ(position->low, i > 1000 ? 2U : 1U);
  }
  EXPECT_FALSE(log.position(0));
  EXPECT_FALSE(log.position(1));
  EXPECT_FALSE(log.position(2001));
  const size_t before = budget.used();
  log.forget_before(2000);
  EXPECT_TRUE(log.position(2000)) << "it may be asked for again";
  EXPECT_LT(budget.used(), before);
}

}  // namespace
}  // namespace leat::table
