// A specification gone through statement by statement, so that a gap is seen: each statement has
// cases in the table of its suite, or says why there are none.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace leat {

struct Statement {
  const char* number;  // "6-2": the second one that is told apart in section 6
  const char* says;
  const char* left_out = nullptr;  // why no case asks for it
};

// `cases`: anything with a member `statement`. Each belongs to a statement, and each statement that
// is not left out has one.
template <typename Statements, typename... Cases>
void expect_no_gap(const Statements& statements, const Cases&... cases) {
  auto count = [](const auto& table, std::string_view number) {
    return std::count_if(std::begin(table), std::end(table),
                         [number](const auto& one) { return one.statement == number; });
  };
  for (const Statement& statement : statements) {
    auto same_number = [&statement](const Statement& other) {
      return other.number == std::string_view(statement.number);
    };
    EXPECT_EQ(std::count_if(std::begin(statements), std::end(statements), same_number), 1)
        << statement.number << " is there twice";
    auto found = (count(cases, statement.number) + ...);
    EXPECT_EQ(found == 0, statement.left_out != nullptr)
        << statement.number << " (" << statement.says << ") has " << found << " cases";
  }
  auto known = [&statements](const auto& one) {
    EXPECT_TRUE(std::any_of(std::begin(statements), std::end(statements),
                            [&one](const Statement& statement) {
                              return one.statement == std::string_view(statement.number);
                            }))
        << one.statement << " is no statement";
  };
  (std::for_each(std::begin(cases), std::end(cases), known), ...);
}

}  // namespace leat
