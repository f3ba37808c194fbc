#include "base/lz4_block.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/hex.h"

namespace leat {
namespace {

using namespace std::string_literals;

std::string packed(std::string_view text) {
  std::string out(lz4_bound(text.size()), '\0');
  out.resize(lz4_compress(text, out.data()));
  return out;
}

// "(damaged)" when it is.
std::string unpacked(std::string_view block, size_t size) {
  std::string exact(block);  // alone, so that the address sanitizer sees a read beyond it
  exact.shrink_to_fit();
  std::string out(size, '\0');
  return lz4_decompress(exact, out.data(), size) ? out : "(damaged)";
}

std::string from_hex(std::string_view digits) {
  std::string out;
  for (size_t i = 0; i < digits.size(); i += 2) out += static_cast<char>(hex_byte(digits, i));
  return out;
}

// Of texts from hardly compressible to all the same, of all sizes around the format's limits.
std::string some_text(std::mt19937& random, size_t size) {
  const unsigned alphabet = 1 + random() % 40;
  std::string text;
  while (text.size() < size) {
    if (text.size() > 8 && random() % 4 == 0) {
      text += text.substr(random() % (text.size() - 4), random() % 300);
    } else {
      text += static_cast<char>('!' + random() % alphabet);
    }
  }
  text.resize(size);
  return text;
}

TEST(Lz4Block, of_all_sizes_and_kinds_comes_back_as_it_was) {
  std::mt19937 random(7);
  for (size_t i = 0; i < 400; ++i) {
    std::string text = some_text(random, i);
    std::string block = packed(text);
    EXPECT_LE(block.size(), lz4_bound(i));
    EXPECT_EQ(unpacked(block, i), text);
  }
  for (size_t size : {65'535, 65'536, 65'537, 200'000}) {  // the farthest match and beyond
    std::string text =
        some_text(random, 100) + std::string(size - 200, 'x') + some_text(random, 100);
    EXPECT_EQ(unpacked(packed(text), text.size()), text);
    text = some_text(random, size);
    EXPECT_EQ(unpacked(packed(text), text.size()), text);
  }
}

// Blocks that liblz4 1.9.4 has made.
TEST(Lz4Block, of_another_lz4_is_read) {
  EXPECT_EQ(unpacked("\x00"s, 0), "");
  EXPECT_EQ(unpacked("\x50hello"s, 5), "hello");
  EXPECT_EQ(unpacked(from_hex("1f61010005506161616161"), 30), std::string(30, 'a'));
  EXPECT_EQ(unpacked(from_hex("3f61626303000150632d656e64"), 28), "abcabcabcabcabcabcabcabc-end");
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(
      unpacked(from_hex("716c696e6520300a070012310700123207001233070012340700123507001236070012"
                        "3707001238070012390700143147000348001331490013314a0013314b0013314c0013"
                        "314d0013314e0013314f00133150001332500013325000133250001332500013325000"
                        "1332500013325000133250001332500013325000133350001333500013335000133350"
                        "0013335000133350001333500013335000b033380a6c696e652033390a"),
               lines.size()),
      lines);
}

TEST(Lz4Block, makes_telemetry_small) {
  std::string lines;
  for (int i = 0; i < 1000; ++i)
    lines += R"({"ts":17600000)" + std::to_string(10'000 + i * 7) +
             R"(,"device":"gw-07/plc-01","temp":)" + std::to_string(20 + i % 13) +
             R"(.5,"ok":true})"
             "\n";
  EXPECT_LT(packed(lines).size(), lines.size() / 3);
  EXPECT_LT(packed(std::string(100'000, 'a')).size(), 500U);
}

TEST(Lz4Block,
     that_is_damaged_is_found_out_or_is_other_text_but_never_reads_or_writes_out_of_bounds) {
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string text = some_text(random, 40 + random() % 400);
    std::string block = packed(text);
    std::string other = block;
    other[random() % other.size()] ^= static_cast<char>(1U << (random() % 8));
    EXPECT_EQ(unpacked(other, text.size()).size() == text.size() ||
                  unpacked(other, text.size()) == "(damaged)",
              true);
    EXPECT_EQ(unpacked(block.substr(0, random() % block.size()), text.size()), "(damaged)");
    EXPECT_EQ(unpacked(block, text.size() - 1), "(damaged)");
    EXPECT_EQ(unpacked(block, text.size() + 1), "(damaged)");
  }
  EXPECT_EQ(unpacked("", 0), "(damaged)");
  EXPECT_EQ(unpacked("\x10"
                     "a"
                     "\x00\x00"s,
                     6),
            "(damaged)")
      << "a match at no distance";
  EXPECT_EQ(unpacked("\x10"
                     "a"
                     "\x02\x00"s,
                     6),
            "(damaged)")
      << "a match before the beginning";
  EXPECT_EQ(unpacked("\xF0" + std::string(100, '\xFF'), 6), "(damaged)") << "a length without end";
}

}  // namespace
}  // namespace leat
