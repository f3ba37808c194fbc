#include "connectors/serial/marked_input.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::serial {
namespace {

using namespace std::string_view_literals;

class Marks : public MarkListener {
 public:
  void on_bytes(std::string_view bytes) override { text += bytes; }
  void on_damaged(char byte) override { text += std::string("<bad ") + byte + ">"; }
  void on_break() override { text += "<break>"; }
  std::string text;
};

std::string decoded(std::string_view bytes) {
  Marks whole;
  MarkedInput().decode(bytes, whole);
  Marks single;
  MarkedInput input;
  for (char byte : bytes) input.decode({&byte, 1}, single);
  EXPECT_EQ(whole.text, single.text) << "a mark may be cut in two by the end of a read";
  return whole.text;
}

TEST(MarkedInput, good_bytes_pass) {
  EXPECT_EQ(decoded("abc\0\n"sv), "abc\0\n"sv);
}

TEST(MarkedInput, doubled_ff_is_one_good_byte) {
  EXPECT_EQ(decoded("a\xFF\xFF"
                    "b\xFF\xFF\xFF\xFF"),
            "a\xFF"
            "b\xFF\xFF");
}

TEST(MarkedInput, damaged_bytes_and_breaks_are_told_apart) {
  EXPECT_EQ(decoded("a\xFF\0x\xFF\0\0b"sv), "a<bad x><break>b");
  EXPECT_EQ(decoded("\xFF\0\xFF"sv), "<bad \xFF>");
}

TEST(MarkedInput, ff_without_a_mark_is_a_byte) {
  EXPECT_EQ(decoded("a\xFF\nb"), "a\xFF\nb");
}

TEST(MarkedInput, reset_forgets_half_a_mark) {
  Marks marks;
  MarkedInput input;
  input.decode("\xFF", marks);
  input.reset();
  input.decode("a", marks);
  EXPECT_EQ(marks.text, "a");
}

}  // namespace
}  // namespace leat::serial
