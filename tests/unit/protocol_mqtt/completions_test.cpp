#include "protocols/mqtt/completions.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::mqtt {
namespace {

using namespace std::string_literals;

std::string sent(Completions& completions) {
  std::string out;
  completions.append(out, Version::k5);
  return out;
}

const std::string kPubcomp5 = "\x70\x02\x00\x05"s;
const std::string kPubcomp6 = "\x70\x02\x00\x06"s;

TEST(Completions, go_at_once_where_nothing_is_kept) {
  Completions completions(false);
  completions.released(5, true);
  EXPECT_EQ(sent(completions), kPubcomp5);
}

TEST(Completions, wait_until_the_identifier_is_free_for_good) {
  Completions completions(true);
  completions.released(5, true);
  EXPECT_EQ(sent(completions), "");
  completions.formed(100);
  completions.released(6, true);
  completions.acked(99);
  EXPECT_EQ(sent(completions), "");
  completions.acked(100);
  EXPECT_EQ(sent(completions), kPubcomp5) << "6 was in use when that commit was formed";
  completions.saved(completions.mark());
  EXPECT_EQ(sent(completions), kPubcomp6);
  EXPECT_FALSE(completions.waiting());
}

TEST(Completions, an_unknown_identifier_keeps_its_place) {
  Completions completions(true);
  completions.released(5, true);
  completions.released(6, false);
  EXPECT_EQ(sent(completions), "");
  completions.saved(completions.mark());
  EXPECT_EQ(sent(completions), kPubcomp5 + "\x70\x03\x00\x06\x92"s);
}

TEST(Completions, of_a_lost_connection_are_asked_for_again) {
  Completions completions(true);
  completions.released(5, true);
  completions.connection_lost();
  completions.released(5, false);
  EXPECT_EQ(sent(completions), "") << "that it is free is not durable yet";
  completions.saved(completions.mark());
  EXPECT_EQ(sent(completions), "\x70\x03\x00\x05\x92"s);
}

}  // namespace
}  // namespace leat::mqtt
