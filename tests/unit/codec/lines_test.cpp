#include "codec/lines/decoder.h"
#include "codec/raw/decoder.h"
#include "codec/text/line_framing.h"
#include "codec/text/text_encoder.h"
#include "stage/format.h"

#include "codec_fixture.h"

namespace leat {
namespace {

class LinesTest : public CodecTest {};
using LineFramingTest = CodecTest;
using TextEncoderTest = CodecTest;

TEST_F(LineFramingTest, ends_at_the_last_newline) {
  LineFraming framing;
  EXPECT_EQ(framing.complete_prefix(""), 0U);
  EXPECT_EQ(framing.complete_prefix("abc"), 0U);
  EXPECT_EQ(framing.complete_prefix("abc\n"), 4U);
  EXPECT_EQ(framing.complete_prefix("abc\r\ndef\ngh"), 9U);
  EXPECT_EQ(framing.terminator(), "\n");
}

TEST_F(LineFramingTest, splits_without_blank_lines_and_keeps_terminators) {
  BatchRef batch = bytes_of("one\n\n two\r\n \t\r\nthree");
  batch->begin = {1, 10, 5};
  ASSERT_TRUE(LineFraming().split(*batch, dead_));
  EXPECT_EQ(batch->content, Content::kSlices);
  ASSERT_EQ(batch->slices.size(), 3U);
  EXPECT_EQ(batch->slices[0].view(), "one\n");
  EXPECT_EQ(batch->slices[1].view(), " two\r\n");
  EXPECT_EQ(batch->slices[2].view(), "three");
  EXPECT_EQ(batch->position_after(1).offset, 21U);
  EXPECT_EQ(batch->position_after(1).line, 8U);
  EXPECT_EQ(batch->end.line, 10U);
}

TEST_F(LinesTest, makes_a_record_of_each_line) {
  LineDecoder decoder;
  EXPECT_EQ(decode(decoder, "one\n\ntwo \"2\"\r\nthree"),
            (Strings{R"({"line":"one"})", R"({"line":"two \"2\""})", R"({"line":"three"})"}));
  EXPECT_EQ(batch_->records[1].end_line, 3U);
  EXPECT_EQ(batch_->end.line, 4U);
}

TEST_F(LinesTest, what_is_no_text_is_a_dead_letter) {
  LineDecoder decoder;
  EXPECT_EQ(decode(decoder, std::string_view("caf\xC3\xA9\ncaf\xE9\r\na\0b\nlast\n", 21)).size(),
            2U);
  EXPECT_EQ(value(0, "line").type, Type::kString);
  EXPECT_EQ(value(1, "line").view(), "last");
  EXPECT_EQ(dead_.reasons(), (Strings{"invalid UTF-8", "NUL byte"}));
  EXPECT_EQ(dead_.letters[0].text, "caf\xE9");
  EXPECT_EQ(dead_.letters[0].line, 2U);
  EXPECT_EQ(dead_.letters[0].offset, 12U);
}

TEST_F(LinesTest, all_are_bytes_or_none) {
  LineDecoder decoder(text_reader("utf-8", "bytes"));
  decode(decoder, "abc\ncaf\xE9\n");
  EXPECT_EQ(value(0, "line").type, Type::kBytes);
  EXPECT_EQ(value(1, "line").type, Type::kBytes);
  EXPECT_EQ(value(1, "line").view(), "caf\xE9");
}

TEST_F(LinesTest, of_another_encoding_become_utf8) {
  LineDecoder decoder(text_reader("latin1", "deadLetter"));
  EXPECT_EQ(decode(decoder,
                   "T=21.5\xB0"
                   "C\nabc\n"),
            (Strings{"{\"line\":\"T=21.5\xC2\xB0"
                     "C\"}",
                     R"({"line":"abc"})"}));
  EXPECT_EQ(batch_->records[0].end_offset, 9U) << "of the source's bytes";
}

TEST_F(LinesTest, dead_letters_end_a_turn) {
  LineDecoder decoder;
  dead_.most = 1;
  BatchRef batch = bytes_of("\xFF\na\n");
  batch->quantum = 1 << 20;
  EXPECT_TRUE(decode(decoder, batch).empty());
  BatchRef rest = std::exchange(batch->rest, {});
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->begin.offset, 2U);
  EXPECT_EQ(rest->begin.line, 1U);
  BatchRef messages = slices_of({"\xFF\nb", "a"});
  messages->quantum = 1 << 20;
  EXPECT_EQ(decode(decoder, messages), Strings{R"({"line":"b"})"}) << "of a message all lines";
  rest = std::exchange(messages->rest, {});
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->slices.size(), 1U);
}

TEST_F(LinesTest, that_pass_through_are_the_same_dead_letters) {
  const std::string_view text = "one\n\xFF\n\ntwo\r\n\xFF\xFEz\n";
  BatchRef batch = bytes_of(text);
  ASSERT_TRUE(TextLineFraming(TextReader()).split(*batch, dead_));
  EXPECT_EQ(joined(*batch), "one\ntwo\r\n");
  EXPECT_EQ(batch->end.line, 5U);
  std::vector<RecordedDeadLetters::Letter> split = std::exchange(dead_.letters, {});
  LineDecoder decoder;
  decode(decoder, text);
  ASSERT_EQ(split.size(), 2U);
  ASSERT_EQ(dead_.letters.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(split[i].text, dead_.letters[i].text);
    EXPECT_EQ(split[i].reason, dead_.letters[i].reason);
    EXPECT_EQ(split[i].offset, dead_.letters[i].offset);
    EXPECT_EQ(split[i].line, dead_.letters[i].line);
  }
  EXPECT_EQ(split[1].reason, "invalid UTF-8: it begins like UTF-16 text (encoding utf-16)");
}

TEST_F(LinesTest, pass_through_as_long_as_their_bytes_stay) {
  const ReadFormat* lines = find_read_format("lines");
  auto passes = [lines](const char* encoding, const char* invalid) {
    Options options(lines->options);
    options.set("encoding", encoding);
    options.set("invalidText", invalid);
    return lines->passes_through(options);
  };
  EXPECT_TRUE(passes("utf-8", "deadLetter"));
  EXPECT_TRUE(passes("utf-8", "bytes"));
  EXPECT_FALSE(passes("utf-8", "replace"));
  EXPECT_FALSE(passes("latin1", "deadLetter"));
}

TEST_F(LinesTest, makes_a_record_of_each_line_of_a_message) {
  LineDecoder decoder;
  EXPECT_EQ(decode(decoder, slices_of({"one\n", "two\r\n\nlines", ""})),
            (Strings{R"({"line":"one"})", R"({"line":"two"})", R"({"line":"lines"})"}));
  EXPECT_EQ(batch_->records[1].end_offset, 200U) << "a message is acknowledged as a whole";
  EXPECT_EQ(batch_->records[2].end_offset, 200U);
  EXPECT_EQ(batch_->records[2].end_line, 2U);
}

TEST_F(LinesTest, come_back_as_they_were) {
  LineDecoder decoder(text_reader("utf-8", "bytes"));
  TextEncoder encoder("line", TextEncoder::Ends::kWithNewline);
  decode(decoder, "one\r\ncaf\xE9\n\nlast");
  EXPECT_EQ(encode(encoder, *batch_), "one\ncaf\xE9\nlast\n");
  EXPECT_EQ(encoded_->slices[2].end_line, 4U);
}

TEST_F(LinesTest, raw_takes_a_batch_as_one_record) {
  RawDecoder decoder;
  std::string_view bytes("a\0b\n\xFF", 5);
  decode(decoder, bytes);
  ASSERT_EQ(batch_->records.size(), 1U);
  EXPECT_EQ(value(0, "data").type, Type::kBytes);
  EXPECT_EQ(value(0, "data").view(), bytes);
  EXPECT_EQ(batch_->records[0].end_offset, 5U);
  TextEncoder encoder("data", TextEncoder::Ends::kAsItIs);
  EXPECT_EQ(encode(encoder, *batch_), bytes);
}

TEST_F(LinesTest, raw_takes_each_message_as_one_record) {
  RawDecoder decoder;
  EXPECT_EQ(decode(decoder, slices_of({"ab", "c\nd"})).size(), 2U);
  EXPECT_EQ(value(1, "data").view(), "c\nd");
  EXPECT_TRUE(decode(decoder, "").empty());
}

TEST_F(LinesTest, raw_frames_whatever_there_is) {
  RawFraming framing;
  EXPECT_EQ(framing.complete_prefix("abc"), 3U);
  EXPECT_EQ(framing.terminator(), "");
  BatchRef batch = bytes_of("a\nb");
  ASSERT_TRUE(framing.split(*batch, dead_));
  ASSERT_EQ(batch->slices.size(), 1U);
  EXPECT_EQ(batch->slices[0].view(), "a\nb");
}

TEST_F(LinesTest, make_nothing_of_a_preamble) {
  BatchRef lines = bytes_of("a\n");
  lines->preamble = true;
  LineDecoder line_decoder;
  EXPECT_TRUE(decode(line_decoder, lines).empty());
  BatchRef raw = bytes_of("a\n");
  raw->preamble = true;
  RawDecoder raw_decoder;
  EXPECT_TRUE(decode(raw_decoder, raw).empty());
}

TEST_F(TextEncoderTest, takes_the_named_field_or_the_only_one) {
  TextEncoder encoder("line", TextEncoder::Ends::kWithNewline);
  EXPECT_EQ(encode(encoder, *record_of({{"a", text("x")}, {"line", text("y")}})), "y\n");
  EXPECT_EQ(encode(encoder, *record_of({{"a", text("x")}})), "x\n");
  EXPECT_EQ(encode(encoder, *record_of({{"a", Value::of_integer(7)}})), "7\n");
  EXPECT_EQ(encode(encoder, *record_of({{"a", Value::null()}})), "\n");
  EXPECT_EQ(encode(encoder,
                   *record_of({{"a", Value::of_text(Type::kString, "x\\t\\u00e9", Form::kText)}})),
            "x\t\xC3\xA9\n");
}

TEST_F(TextEncoderTest, refuses_what_is_not_one_line) {
  TextEncoder encoder("line", TextEncoder::Ends::kWithNewline);
  BatchRef batch = record_of({{"a", text("x")}, {"b", text("y")}});
  add_record(*batch, {{"line", text("two\nlines")}});
  add_record(*batch, {{"line", Value::absent()}});
  add_record(*batch, {{"line", text("good")}});
  EXPECT_EQ(encode(encoder, *batch), "good\n");
  EXPECT_EQ(dead_.reasons(), (Strings{"the record has no field 'line'",
                                      "line: has a newline in it, which would make two lines of it",
                                      "the record has no field 'line'"}));
  EXPECT_EQ(encoded_->slices[0].end_offset, 40U);
}

}  // namespace
}  // namespace leat
