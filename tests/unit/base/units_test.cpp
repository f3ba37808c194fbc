#include "base/units.h"

#include <gtest/gtest.h>

#include "base/counted.h"

namespace leat {
namespace {

TEST(Bytes, are_read_with_their_unit) {
  EXPECT_EQ(parse_bytes("4096").value(), 4096);
  EXPECT_EQ(parse_bytes("64KiB").value(), 65536);
  EXPECT_EQ(parse_bytes("8 MiB").value(), 8 << 20);
  EXPECT_EQ(parse_bytes("10KB").value(), 10'000);
}

TEST(Bytes, that_are_no_size_are_refused_with_an_example) {
  for (const char* text :
       {"", "MiB", "-1", "1.5MiB", "8 mib", "99999999999999999999", "9TB", "9000000000GiB"}) {
    Result<int64_t> size = parse_bytes(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().message().find("8MiB"), std::string::npos);
  }
}

TEST(Durations, are_read_with_their_unit) {
  EXPECT_EQ(parse_duration("200ms").value().count(), 200);
  EXPECT_EQ(parse_duration("30s").value().count(), 30'000);
  EXPECT_EQ(parse_duration("7d").value().count(), 604'800'000);
}

TEST(Durations, without_a_unit_are_refused_since_it_would_be_a_guess) {
  EXPECT_FALSE(parse_duration("30"));
  EXPECT_FALSE(parse_duration("soon"));
  EXPECT_FALSE(parse_duration("106751991168d"));
}

TEST(Numbers, are_shown_as_people_read_them) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_count(-1234), "-1,234");
  EXPECT_EQ(format_count(1, "record"), "1 record");
  EXPECT_EQ(format_count(0, "retry"), "0 retries");
  EXPECT_EQ(format_count(1, "retry"), "1 retry");
  EXPECT_EQ(format_count(1, "spooled record", "is", "are"), "1 spooled record is");
  EXPECT_EQ(format_count(1234, "record", "is", "are"), "1,234 records are");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_duration(Milliseconds(80'000)), "1m 20s");
  EXPECT_EQ(format_duration(Milliseconds(1500)), "1.5s");
}

}  // namespace
}  // namespace leat
