// UTF-16 (RFC 2781) in the text formats: characters, byte orders, places.
#include "codec/text/utf16.h"

#include <algorithm>
#include <utility>

#include "codec/lines/decoder.h"
#include "codec/text/utf16_framing.h"
#include "csv_fixture.h"
#include "stage/format.h"

namespace leat {
namespace {

std::string utf16(std::u16string_view text, ByteOrder order, bool mark = false) {
  std::string out;
  auto add = [&out, order](char16_t unit) {
    char high = static_cast<char>(unit >> 8);
    char low = static_cast<char>(unit & 0xFF);
    out += order == ByteOrder::kLittle ? low : high;
    out += order == ByteOrder::kLittle ? high : low;
  };
  if (mark) add(0xFEFF);
  for (char16_t unit : text) add(unit);
  return out;
}

class Utf16Test : public CsvTest {
 protected:
  TextReader reader(const char* invalid = "deadLetter") {
    Options options(find_read_format("lines")->options);
    options.set("encoding", "utf-16");
    options.set("invalidText", invalid);
    return TextReader(options);
  }
  // As a source would, in reads of `step` bytes.
  Strings in_reads(const Framing& framing, Decoder& decoder, const std::string& text, size_t step) {
    Strings records;
    uint64_t offset = 0;
    for (size_t read = 0; offset < text.size();) {
      read = std::min(read + step, text.size());
      std::string piece = text.substr(offset, read - offset);
      size_t whole = framing.complete_prefix(piece);
      if (read == text.size() && whole < piece.size()) {
        whole = piece.size();
        piece += framing.terminator();
      } else {
        piece.resize(whole);
      }
      BatchRef batch = bytes_of(piece);
      batch->begin = {0, offset, 0};
      for (std::string& record : decode(decoder, batch)) records.push_back(std::move(record));
      offset += whole;
    }
    return records;
  }
};

constexpr ByteOrder kOrders[] = {ByteOrder::kLittle, ByteOrder::kBig};

TEST_F(Utf16Test, lines_are_read_in_either_order_with_their_places_in_bytes) {
  for (ByteOrder order : kOrders) {
    LineDecoder decoder(reader());
    EXPECT_EQ(decode(decoder,
                     utf16(u"caf\u00E9 \u20AC\r\n\r\n\U0001F600 \u0A41\u010A\nlast", order, true)),
              (Strings{"{\"line\":\"caf\u00E9 \u20AC\"}", "{\"line\":\"\U0001F600 \u0A41\u010A\"}",
                       "{\"line\":\"last\"}"}));
    EXPECT_EQ(batch_->records[0].end_offset, 2U + 2 * 8);
    EXPECT_EQ(batch_->records[0].end_line, 1U);
    EXPECT_EQ(batch_->records[1].end_offset, 2U + 2 * (8 + 2 + 6));
    EXPECT_EQ(batch_->records[1].end_line, 3U);
    EXPECT_EQ(batch_->records[2].end_offset, 2U + 2 * (8 + 2 + 6 + 4));
  }
}

TEST_F(Utf16Test, without_a_mark_the_first_line_end_tells_the_order) {
  for (ByteOrder order : kOrders) {
    LineDecoder decoder(reader());
    EXPECT_EQ(decode(decoder, utf16(u"a\nb\n", order)),
              (Strings{R"({"line":"a"})", R"({"line":"b"})"}));
  }
}

TEST_F(Utf16Test, reads_may_end_anywhere) {
  options_.set("encoding", "utf-16");
  const std::u16string_view text =
      u"id,\"a\nb\"\r\n1,\"x\u00E9\n\U0001F600\"\r\n2,\"he said \"\"\u20AC\"\"\"\n3,\U0001F601";
  const Strings wanted{"{\"id\":1,\"a\\nb\":\"x\u00E9\\n\U0001F600\"}",
                       "{\"id\":2,\"a\\nb\":\"he said \\\"\u20AC\\\"\"}",
                       "{\"id\":3,\"a\\nb\":\"\U0001F601\"}"};
  Utf16Framing framing(std::make_unique<CsvFraming>(dialect()));
  for (ByteOrder order : kOrders)
    for (bool mark : {true, false})
      for (size_t step = 1; step < 40; ++step) {
        CsvDecoder decoder(dialect());
        EXPECT_EQ(in_reads(framing, decoder, utf16(text, order, mark), step), wanted)
            << "in reads of " << step;
      }
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(Utf16Test, places_in_csv_are_bytes_whatever_was_unescaped) {
  options_.set("encoding", "utf-16");
  CsvDecoder decoder(dialect());
  decode(decoder, utf16(u"a\n\"\"\"\u20AC\"\"\"\n2\n", ByteOrder::kBig, true));
  ASSERT_EQ(batch_->records.size(), 2U);
  EXPECT_EQ(batch_->records[0].end_offset, 2U + 2 * (2 + 8));
  EXPECT_EQ(batch_->records[1].end_offset, 2U + 2 * (2 + 8 + 2));
}

TEST_F(Utf16Test, what_is_no_character_is_a_dead_letter_or_replaced) {
  const std::u16string half(1, char16_t{0xD83D});
  std::string text = utf16(u"one\nx" + half + u"y\n" + half, ByteOrder::kLittle, true);
  text += 'z';  // an odd byte
  LineDecoder decoder(reader());
  EXPECT_EQ(decode(decoder, text), Strings{R"({"line":"one"})"});
  EXPECT_EQ(dead_.reasons(), (Strings{"invalid UTF-16", "invalid UTF-16"}));
  EXPECT_EQ(dead_.letters[0].offset, 2U + 2 * 4 + 2 * 4);
  EXPECT_EQ(dead_.letters[1].offset, text.size());
  LineDecoder replacing(reader("replace"));
  EXPECT_EQ(decode(replacing, text), (Strings{R"({"line":"one"})", "{\"line\":\"x\uFFFDy\"}",
                                              "{\"line\":\"\uFFFD\uFFFD\"}"}));
}

// They had the text that was made of it: in the file it could not be found, nor read again from
// there.
TEST_F(Utf16Test, dead_letters_have_the_bytes_of_the_source) {
  const std::u16string half(1, char16_t{0xD83D});
  for (ByteOrder order : kOrders) {
    for (bool mark : {true, false}) {
      dead_.letters.clear();
      const std::string first = utf16(half + u"\u20AC\n", order, mark);
      const std::string second = utf16(u"x" + half + u"\r\n", order);
      LineDecoder lines(reader());
      BatchRef batch = bytes_of(first + utf16(u"one\n", order) + second);
      EXPECT_EQ(decode(lines, batch), Strings{R"({"line":"one"})"});
      EXPECT_EQ(dead_.texts(), (Strings{first, second}));
      dead_.letters.clear();
      EXPECT_EQ(decode(lines, slices_of({first + second})), Strings{});
      EXPECT_EQ(dead_.texts(), (Strings{first, second})) << "of a message";
      // As it is tried again, when its letters have been made whole.
      EXPECT_EQ(decode(lines, slices_of({utf16(u"\u20AC\n", order, mark)})),
                Strings{"{\"line\":\"\u20AC\"}"});

      dead_.letters.clear();
      options_.set("encoding", "utf-16");
      CsvDecoder csv(dialect());
      const std::string row = utf16(u"\"3\n\"\"\",4,5\r\n", order);
      BatchRef rows = bytes_of(utf16(u"a,b\n1,2\n", order, mark) + row + utf16(u"\n6,7\n", order));
      EXPECT_EQ(decode(csv, rows), (Strings{R"({"a":1,"b":2})", R"({"a":6,"b":7})"}));
      EXPECT_EQ(dead_.texts(), Strings{row});
    }
  }
}

TEST_F(Utf16Test, on_resume_the_start_tells_the_order) {
  LineDecoder decoder(reader());
  BatchRef start = bytes_of(utf16(u"a\n", ByteOrder::kBig, true));
  start->preamble = true;
  EXPECT_EQ(decode(decoder, start), Strings{});
  BatchRef middle = bytes_of(utf16(u"b", ByteOrder::kBig));
  middle->begin.offset = 6;
  EXPECT_EQ(decode(decoder, middle), Strings{R"({"line":"b"})"});
  Options options(find_read_format("lines")->options);
  EXPECT_FALSE(find_read_format("lines")->needs_preamble(options));
  options.set("encoding", "utf-16");
  EXPECT_TRUE(find_read_format("lines")->needs_preamble(options));
  EXPECT_FALSE(find_read_format("lines")->passes_through(options));
}

TEST_F(Utf16Test, what_a_turn_leaves_is_read_from_its_place) {
  const std::u16string half(1, char16_t{0xDC00});
  LineDecoder decoder(reader());
  BatchRef batch = bytes_of(utf16(u"a\n" + half + u"\nb\n", ByteOrder::kBig, true));
  batch->end.last = true;
  batch->quantum = 1 << 20;
  dead_.most = 1;
  EXPECT_EQ(decode(decoder, batch), Strings{R"({"line":"a"})"});
  ASSERT_TRUE(batch_->rest);
  BatchRef rest = std::exchange(batch_->rest, {});
  EXPECT_EQ(rest->begin.offset, 10U);
  EXPECT_EQ(decode(decoder, rest), Strings{R"({"line":"b"})"});
  EXPECT_EQ(batch_->position_after(0).offset, 14U);
}

TEST_F(Utf16Test, each_message_has_a_mark_of_its_own) {
  LineDecoder decoder(reader());
  EXPECT_EQ(decode(decoder, slices_of({utf16(u"a\u00E9", ByteOrder::kLittle, true),
                                       utf16(u"b", ByteOrder::kBig, true)})),
            (Strings{"{\"line\":\"a\u00E9\"}", R"({"line":"b"})"}));
  EXPECT_EQ(batch_->records[1].end_offset, 200U);
}

TEST_F(Utf16Test, bytes_as_they_are_are_refused) {
  options_.set("encoding", "utf-16");
  options_.set("invalidText", "bytes");
  EXPECT_EQ(dialect_error(), "csv.invalidText: \"bytes\" does not go with encoding utf-16");
  Options options(find_read_format("lines")->options, "lines");
  options.set("encoding", "utf-16");
  options.set("invalidText", "bytes");
  EXPECT_FALSE(find_read_format("lines")->make_decoder(options));
}

}  // namespace
}  // namespace leat
