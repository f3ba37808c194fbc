#include "base/lifetime.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

namespace leat {
namespace {

struct Counter {
  explicit Counter(int& calls) : calls_(calls) {}
  std::function<void(int)> callback() {
    return lifetime_.guard([this](int more) { calls_ += more; });
  }
  int& calls_;
  Lifetime lifetime_;
};

TEST(Lifetime, a_callback_comes_while_the_object_is_there_and_not_after_that) {
  int calls = 0;
  std::optional<Counter> counter(std::in_place, calls);
  std::function<void(int)> callback = counter->callback();
  callback(2);
  EXPECT_EQ(calls, 2);
  counter.reset();
  callback(3);
  EXPECT_EQ(calls, 2);
}

TEST(Lifetime, its_witness_tells_when_the_object_is_gone) {
  std::optional<Lifetime> lifetime(std::in_place);
  auto gone = lifetime->witness();
  EXPECT_FALSE(*gone);
  lifetime.reset();
  EXPECT_TRUE(*gone);
}

}  // namespace
}  // namespace leat
