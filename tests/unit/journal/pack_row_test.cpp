#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"
#include "journal/spool_table.h"

namespace leat {
namespace {

const RowIdentity kIdentity{"line-1", "00112233", 70, 3, 67, {{"file1", "{\"offset\":9}"}}};

std::string telemetry(size_t records) {
  std::string out;
  for (size_t i = 0; i < records; ++i)
    out += R"({"ts":1760000)" + std::to_string(100'000 + i * 7) + R"(,"device":"gw-)" +
           std::to_string(i * 7919 % 97) + R"(","temp":)" + std::to_string(i * 104'729 % 1000) +
           "}\n";
  return out;
}

// Of version 3, as the leat before this one wrote it: telemetry(2) three times.
constexpr std::string_view kOld =
    "0319cb6e801d010000460343066c696e652d31083030313132323333010566696c65310c7b226f6666736574"
    "223a397d7801ab562a2956b2323437330002431061a0a394925a96999caa64a5945eae6ba0a4a354929a5ba0"
    "646550cb558da1da1c55b599115cb9b99125360d43c9780084fd4a6e";

// How a row is packed: FORMAT.md.
enum : char { kPlain = 2, kZlib = 3, kLz4 = 4 };

TEST(PackRow, gives_back_what_it_was_given_in_haste_or_not) {
  for (bool in_haste : {false, true}) {
    for (const std::string& content :
         {std::string(), std::string("x"), telemetry(1), telemetry(500)}) {
      std::string row = pack_row(kIdentity, content, in_haste);
      Result<std::string> unpacked = unpack_row(row);
      ASSERT_TRUE(unpacked);
      EXPECT_EQ(*unpacked, content);
      std::optional<RowIdentity> whose = identify_row(row);
      ASSERT_TRUE(whose);
      EXPECT_EQ(whose->pipeline, "line-1");
      EXPECT_EQ(whose->first, 70U);
      EXPECT_EQ(whose->positions.size(), 1U);
      EXPECT_FALSE(is_old_row(row));
    }
  }
}

TEST(PackRow, takes_few_bytes_when_there_is_time_and_little_time_in_haste) {
  const std::string content = telemetry(500);
  std::string slow = pack_row(kIdentity, content);
  std::string fast = pack_row(kIdentity, content, true);
  EXPECT_EQ(slow[0], kZlib);
  EXPECT_EQ(fast[0], kLz4);
  EXPECT_LT(slow.size(), fast.size());
  EXPECT_LT(fast.size(), content.size() / 2);
}

TEST(PackRow, does_without_zlib_for_a_message_and_without_anything_where_nothing_is_gained) {
  EXPECT_EQ(pack_row(kIdentity, telemetry(8))[0], kLz4);
  EXPECT_EQ(pack_row(kIdentity, "no repetition")[0], kPlain);
}

TEST(PackRow, of_an_older_leat_is_read) {
  std::string row;
  for (size_t i = 0; i + 1 < kOld.size(); i += 2) row += static_cast<char>(hex_byte(kOld, i));
  ASSERT_TRUE(identify_row(row));
  EXPECT_EQ(row[0], kZlib);
  Result<std::string> unpacked = unpack_row(row);
  ASSERT_TRUE(unpacked);
  EXPECT_EQ(*unpacked, telemetry(2) + telemetry(2) + telemetry(2));
}

TEST(PackRow, that_is_damaged_anywhere_is_told_from_a_row) {
  for (bool in_haste : {false, true}) {
    const std::string row = pack_row(kIdentity, telemetry(30), in_haste);
    for (size_t i = 0; i < row.size(); ++i) {
      std::string damaged = row;
      damaged[i] ^= 0x10;
      EXPECT_FALSE(unpack_row(damaged)) << i;
      EXPECT_FALSE(identify_row(damaged)) << i;
    }
    EXPECT_FALSE(unpack_row(row.substr(0, row.size() - 1)));
  }
}

}  // namespace
}  // namespace leat
