#include "transform/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace leat::digest {
namespace {

class Digest : public ::testing::Test {
 protected:
  void add(double number) {
    if (used_ == kMost) used_ = compress(cells_, used_);
    cells_[used_++] = {number, 1};
    all_.push_back(number);
  }
  double at(double share) { return percentile(cells_, used_, share); }
  // How many of all lie between what it says and what is right, as a share of all.
  double error_of_rank(double share) {
    std::vector<double> sorted = all_;
    std::ranges::sort(sorted);
    const double found = at(share);
    const double count = static_cast<double>(sorted.size());
    const auto below = std::ranges::lower_bound(sorted, found) - sorted.begin();
    const auto above = std::ranges::upper_bound(sorted, found) - sorted.begin();
    const double rank = share * (count - 1);
    const double least = static_cast<double>(below) - 1;
    const double most = static_cast<double>(above);
    return rank < least ? (least - rank) / count : rank > most ? (rank - most) / count : 0;
  }
  double next() {  // 0 to 1
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(random_ >> 11) / 9007199254740992.0;
  }

  Cell cells_[kMost];
  size_t used_ = 0;
  std::vector<double> all_;
  uint64_t random_ = 5;
};

TEST_F(Digest, is_exact_as_long_as_all_numbers_fit) {
  for (const double number : {4.0, 1.0, 3.0, 2.0}) add(number);
  EXPECT_EQ(at(0), 1);
  EXPECT_EQ(at(0.5), 2.5);
  EXPECT_EQ(at(0.25), 1.75);
  EXPECT_EQ(at(1), 4);
  for (int i = 0; i < 252; ++i) add(i + 5);
  for (int i = 0; i <= 255; ++i) EXPECT_NEAR(at(i / 255.0), i + 1, 1e-9);
}

TEST_F(Digest, errs_by_less_than_it_promises_however_numbers_are_distributed_and_come) {
  const char* kinds[] = {"even",       "rising",     "falling", "normal",
                         "heavy tail", "two values", "zigzag"};
  for (const char* name : kinds) {
    const std::string kind = name;
    used_ = 0;
    all_.clear();
    for (int i = 0; i < 30'000; ++i) {
      const double x = next();
      if (kind == "even") add(x);
      if (kind == "rising") add(i);
      if (kind == "falling") add(-i);
      if (kind == "normal") add(std::sqrt(-2 * std::log(1 - x)) * std::cos(6.2831853 * next()));
      if (kind == "heavy tail") add(std::exp(12 * x * x));
      if (kind == "two values") add(x < 0.3 ? 1 : 2);
      if (kind == "zigzag") add(i % 2 == 0 ? i : 30'000 - i);
    }
    EXPECT_LE(used_, kMost);
    EXPECT_EQ(at(0), std::ranges::min(all_));
    EXPECT_EQ(at(1), std::ranges::max(all_));
    for (const double share : {0.25, 0.5, 0.75}) EXPECT_LT(error_of_rank(share), 0.01) << kind;
    for (const double share : {0.01, 0.99}) EXPECT_LT(error_of_rank(share), 0.003) << kind;
  }
}

TEST_F(Digest, compressing_always_makes_room) {
  for (int i = 0; i < static_cast<int>(kMost); ++i) cells_[i] = {static_cast<double>(i), 1e12};
  EXPECT_LE(compress(cells_, kMost), kMost * 3 / 4);
}

}  // namespace
}  // namespace leat::digest
