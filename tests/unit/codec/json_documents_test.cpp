// JSON that is not one document a line: `json.document`, and what passes through undecoded.
#include "codec/json/documents.h"

#include <algorithm>

#include "codec/json/decoder.h"
#include "codec/json/line_framing.h"
#include "codec_fixture.h"
#include "stage/format.h"

namespace leat {
namespace {

class JsonDocumentsTest : public CodecTest {
 protected:
  struct Read {
    Strings records;
    Strings dead;
    std::vector<uint64_t> ends;
    uint64_t lines = 0;
    bool operator==(const Read&) const = default;
  };

  // Reads `text` as a source does that sees `chunk` more bytes at a time; what is no whole piece
  // yet is read again with what follows.
  Read read(JsonDocument kind, std::string_view text, size_t chunk, uint64_t from = 0) {
    JsonPieceFraming framing(kind);
    JsonDecoder decoder(kind);
    Read out;
    dead_.letters.clear();
    size_t at = 0;
    for (size_t seen = std::min(chunk, text.size()); at < text.size();) {
      size_t whole = framing.complete_prefix(text.substr(at, seen - at));
      if (seen == text.size()) whole = seen - at;  // the end: what is there is all
      if (whole > 0) {
        BatchRef batch = bytes_of(text.substr(at, whole));
        batch->begin = {0, from + at, out.lines};
        batch->end = {0, from + at + whole, out.lines, at + whole == text.size()};
        for (std::string& record : decode(decoder, batch)) out.records.push_back(std::move(record));
        for (size_t i = 0; i < batch->records.size(); ++i)
          out.ends.push_back(batch->position_after(i).offset);
        out.lines = batch->end.line;
        at += whole;
      }
      seen = std::min(std::max(seen, at) + chunk, text.size());
    }
    for (const RecordedDeadLetters::Letter& letter : dead_.letters)
      out.dead.push_back(letter.text + " | " + letter.reason);
    return out;
  }

  // The same however the bytes come.
  Read read(JsonDocument kind, std::string_view text) {
    Read whole = read(kind, text, text.size());
    for (size_t chunk = 1; chunk < text.size(); ++chunk) {
      Read pieces = read(kind, text, chunk);
      EXPECT_EQ(pieces.records, whole.records) << chunk << " bytes at a time";
      EXPECT_EQ(pieces.dead, whole.dead) << chunk << " bytes at a time";
      EXPECT_EQ(pieces.ends, whole.ends) << chunk << " bytes at a time";
      EXPECT_EQ(pieces.lines, whole.lines) << chunk << " bytes at a time";
    }
    return whole;
  }

  // As a plan without a decoder has it: the slices, joined.
  std::string passed(std::string_view text) {
    batch_ = bytes_of(text);
    EXPECT_TRUE(JsonLineFraming().split(*batch_, dead_));
    EXPECT_EQ(batch_->content, Content::kSlices);
    return joined(*batch_);
  }
};

constexpr auto kArray = JsonDocument::kArray;
constexpr auto kConcatenated = JsonDocument::kConcatenated;

TEST_F(JsonDocumentsTest, an_array_may_be_laid_out_over_any_number_of_lines) {
  const Strings records{R"({"a":1})", R"({"a":2})"};
  for (const char* text : {"[\n{\"a\":1},\n{\"a\":2}\n]\n", "[{\"a\":1},{\"a\":2}]",
                           "  [ {\n \"a\" : 1\n }\r\n , { \"a\":2 } ]  \n\n"}) {
    Read got = read(kArray, text);
    EXPECT_EQ(got.records, records) << text;
    EXPECT_EQ(got.dead, Strings{}) << text;
    EXPECT_EQ(got.lines, static_cast<uint64_t>(std::count(text, text + strlen(text), '\n')));
  }
}

TEST_F(JsonDocumentsTest, brackets_and_commas_in_strings_are_text) {
  Read got = read(kArray, R"([{"a":"]},{\"["},{"b":["]",{"c":"}"}]}])");
  EXPECT_EQ(got.records, (Strings{R"({"a":"]},{\"["})", R"({"b":["]",{"c":"}"}]})"}));
  EXPECT_EQ(got.dead, Strings{});
}

TEST_F(JsonDocumentsTest, an_empty_array_has_no_records) {
  for (const char* text : {"[]", "[\n]\n", " [ ] ", "", "\n"}) {
    Read got = read(kArray, text);
    EXPECT_EQ(got.records, Strings{}) << text;
    EXPECT_EQ(got.dead, Strings{}) << text;
  }
}

TEST_F(JsonDocumentsTest, an_element_that_is_no_record_costs_no_other) {
  Read got = read(kArray, R"([{"a":1}, 5, "x,y", [7], {"a":}, {"a":2}, null, {"a":3}])");
  EXPECT_EQ(got.records, (Strings{R"({"a":1})", R"({"a":2})", R"({"a":3})"}));
  EXPECT_EQ(got.dead.size(), 5U);
  EXPECT_EQ(got.dead[0], "5 | invalid JSON at column 1: expected an object");
  EXPECT_EQ(got.dead[1], "\"x,y\" | invalid JSON at column 1: expected an object");
}

TEST_F(JsonDocumentsTest, an_array_without_its_bracket_or_commas_is_said) {
  Read got = read(kArray, "{\"a\":1},\n{\"a\":2}\n{\"a\":3},\n");
  EXPECT_EQ(got.records, Strings{R"({"a":2})"});
  EXPECT_EQ(got.dead, (Strings{"{\"a\":1} | invalid JSON at column 1: expected '[' before it",
                               "{\"a\":3} | invalid JSON at column 1: expected ',' before it",
                               ", | invalid JSON at column 1: expected an object behind it"}));
}

TEST_F(JsonDocumentsTest, an_array_that_is_torn_off_is_said) {
  EXPECT_EQ(read(kArray, "[{\"a\":1},{\"a\":2").dead.size(), 1U);
  EXPECT_EQ(read(kArray, "[{\"a\":1},{\"a\":2}").dead.size(), 1U) << "it may not be whole";
}

// RFC 8259 section 5: begin-array [ value *( value-separator value ) ] end-array.
TEST_F(JsonDocumentsTest, a_comma_has_an_element_behind_it) {
  const std::string why = " | invalid JSON at column 1: expected an object behind it";
  for (const char* text :
       {R"([{"a":1},)", "[{\"a\":1}\n,\n", R"([{"a":1},])", "[{\"a\":1} , \n]\n"}) {
    Read got = read(kArray, text);
    EXPECT_EQ(got.records, Strings{R"({"a":1})"}) << text;
    EXPECT_EQ(got.dead, Strings{"," + why}) << text;
  }
  Read twice = read(kArray, R"([{"a":1},,{"a":2}])");
  EXPECT_EQ(twice.records, (Strings{R"({"a":1})", R"({"a":2})"}));
  EXPECT_EQ(twice.dead, Strings{"," + why});
  EXPECT_EQ(read(kArray, R"([,{"a":1}])").dead, Strings{"[" + why});
  EXPECT_EQ(read(kArray, "[").dead, Strings{"[" + why});
  EXPECT_EQ(read(kArray, "[ ,]").dead, (Strings{"[" + why, "," + why}));
}

TEST_F(JsonDocumentsTest, nothing_stands_behind_an_array) {
  const std::string why = " | invalid JSON at column 1: expected nothing behind the array";
  for (const char* array : {R"([{"a":1}])", "[{\"a\":1}\n]\n"}) {
    Read comma = read(kArray, array + std::string(R"(,{"a":2},{"a":3}])"));
    EXPECT_EQ(comma.records, Strings{R"({"a":1})"});
    EXPECT_EQ(comma.dead, (Strings{R"({"a":2})" + why, R"({"a":3})" + why, "]" + why}));
    EXPECT_EQ(read(kArray, array + std::string("[{\"a\":2}]\n")).dead,
              (Strings{R"({"a":2})" + why, "]" + why}));
    EXPECT_EQ(read(kArray, array + std::string("x")).dead, Strings{"x" + why});
    EXPECT_EQ(read(kArray, array + std::string("]")).dead, Strings{"]" + why});
    EXPECT_EQ(read(kArray, array + std::string("[ ]")).dead, Strings{"[ ]" + why});
  }
  EXPECT_EQ(read(kArray, "[],{\"a\":1}").dead, Strings{R"({"a":1})" + why});
}

TEST_F(JsonDocumentsTest, a_bracket_in_what_is_no_json_does_not_end_the_array) {
  Read got =
      read(kArray, "[{\"a\":\"x,\n\"b\":[1],\"c\":[{\"d\":1}]},\n{\"a\":2},{\"a\":]]},{\"a\":3}]");
  EXPECT_EQ(got.records, (Strings{R"({"a":2})", R"({"a":3})"}));
}

TEST_F(JsonDocumentsTest, a_hole_costs_no_document) {
  const std::string hole(3, '\0');
  for (JsonDocument kind : {kConcatenated, kArray}) {
    const bool array = kind == kArray;
    Read got =
        read(kind, array ? "[{\"a\":1}," + hole + "{\"a\":2}]" : "{\"a\":1}" + hole + "{\"a\":2}");
    EXPECT_EQ(got.records, (Strings{R"({"a":1})", R"({"a":2})"}));
    EXPECT_EQ(got.dead.size(), 1U);
  }
}

TEST_F(JsonDocumentsTest, blanks_before_an_array_may_come_by_themselves) {
  JsonDecoder decoder(kArray);
  BatchRef blank = bytes_of("\n \n \n");
  blank->end.offset = 5;
  EXPECT_EQ(decode(decoder, blank), Strings{});
  BatchRef array = bytes_of("[{\"a\":1}]");
  array->begin.offset = 5;
  EXPECT_EQ(decode(decoder, array), Strings{R"({"a":1})"});
  EXPECT_EQ(dead_.letters.size(), 0U);
}

TEST_F(JsonDocumentsTest, each_file_has_an_array_of_its_own) {
  JsonDecoder decoder(kArray);
  for (uint32_t partition : {1U, 2U}) {
    BatchRef batch = bytes_of("[{\"a\":1}]x");
    batch->begin.partition = batch->end.partition = partition;
    batch->end.offset = 10;
    batch->end.last = partition == 2;
    EXPECT_EQ(decode(decoder, batch), Strings{R"({"a":1})"});
  }
  BatchRef more = bytes_of("\n,{\"a\":2},{\"a\":3}");
  more->begin = {1, 10, 0};
  EXPECT_EQ(decode(decoder, more), Strings{});
  EXPECT_EQ(dead_.letters.size(), 4U);
}

TEST_F(JsonDocumentsTest, a_quote_too_many_costs_its_line) {
  Read got = read(kArray, "[\n{\"a\":\"x},\n{\"a\":2},\n{\"a\":3}\n]\n");
  EXPECT_EQ(got.records, (Strings{R"({"a":2})", R"({"a":3})"}));
  ASSERT_EQ(got.dead.size(), 1U);
  EXPECT_TRUE(got.dead[0].starts_with("{\"a\":\"x}, | invalid JSON at column ")) << got.dead[0];
}

// They were told by how many lines had ended before them.
TEST_F(JsonDocumentsTest, a_dead_letter_is_told_by_the_line_in_which_it_ends) {
  auto lines = [this](JsonDocument kind, std::string_view text) {
    dead_.letters.clear();
    JsonDecoder decoder(kind);
    BatchRef batch = bytes_of(text);
    decode(decoder, batch);
    JsonPieceFraming framing(kind);
    std::vector<uint64_t> out;
    for (const RecordedDeadLetters::Letter& letter : dead_.letters)
      out.push_back(framing.line_before({0, letter.offset, letter.line}));
    for (size_t i = 0; i < batch->records.size(); ++i)
      out.push_back(framing.line_before(batch->position_after(i)));
    return out;
  };
  EXPECT_EQ(lines(kArray, "[\n{\"a\":01},\n5,\n\n{\"a\":\"x},\n{\"a\":1}\n]\n"),
            (std::vector<uint64_t>{2, 3, 5, 6}));
  EXPECT_EQ(lines(kArray, "[{\"a\":01},{\"a\":1}]"), (std::vector<uint64_t>{1, 1}));
  EXPECT_EQ(lines(kArray, "{\"a\":1}\n{\"a\":2}\n\n"), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(lines(kArray, "[{\"a\":1},\n]\n{}\n"), (std::vector<uint64_t>{1, 3, 1}));
  EXPECT_EQ(lines(kConcatenated, "{\"a\":01}\nnull\n[1]\n{\"a\":\n1}{}"),
            (std::vector<uint64_t>{1, 2, 3, 5, 5}));
  JsonDecoder decoder;
  dead_.letters.clear();
  decode(decoder, "{}\n{\"a\":01}\n");
  EXPECT_EQ(JsonLineFraming().line_before({0, 0, dead_.letters.at(0).line}), 2U);
}

TEST_F(JsonDocumentsTest, reading_goes_on_in_the_middle_of_an_array) {
  Read rest = read(kArray, "\n{\"a\":2},\n{\"a\":3}]", 100, 1000);
  EXPECT_EQ(rest.records, (Strings{R"({"a":2})", R"({"a":3})"}));
  EXPECT_EQ(rest.dead, Strings{});
}

TEST_F(JsonDocumentsTest, an_array_behind_a_byte_order_mark_begins_there) {
  Read got = read(kArray, "[{\"a\":1}]", 100, 3);
  EXPECT_EQ(got.records, Strings{R"({"a":1})"});
  EXPECT_EQ(got.dead, Strings{});
}

TEST_F(JsonDocumentsTest, concatenated_documents_need_nothing_between_them) {
  Read got =
      read(kConcatenated, "{\"a\":1}{\"a\":2}\n{\n\"a\":3\n}\n\n[{\"a\":4},{\"a\":5}] {\"a\":6}");
  EXPECT_EQ(got.records, (Strings{R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":4})",
                                  R"({"a":5})", R"({"a":6})"}));
  EXPECT_EQ(got.dead, Strings{});
  EXPECT_EQ(got.lines, 5U);
}

TEST_F(JsonDocumentsTest, what_stands_between_concatenated_documents_costs_its_line) {
  Read got = read(kConcatenated, "{\"a\":1}, {\"a\":2}\nnull\n{\"a\":3}\n");
  EXPECT_EQ(got.records, (Strings{R"({"a":1})", R"({"a":3})"}));
  EXPECT_EQ(got.dead,
            (Strings{", {\"a\":2} | invalid JSON at column 1: expected an object or an array",
                     "null | invalid JSON at column 1: expected an object or an array"}));
}

TEST_F(JsonDocumentsTest, an_array_with_a_bad_element_is_rejected_whole_where_documents_are) {
  Read got = read(kConcatenated, R"([{"a":1},5]{"a":2})");
  EXPECT_EQ(got.records, Strings{R"({"a":2})"});
  EXPECT_EQ(got.dead.size(), 1U);
}

TEST_F(JsonDocumentsTest, a_message_may_hold_concatenated_documents) {
  JsonDecoder decoder(kConcatenated);
  EXPECT_EQ(decode(decoder, slices_of({"{\"a\":1}\n{\"a\":2}", "{\"a\":3}5", ""})),
            (Strings{R"({"a":1})", R"({"a":2})"}));
  ASSERT_EQ(dead_.letters.size(), 1U) << "a message stays whole";
  EXPECT_EQ(dead_.letters[0].text, "{\"a\":3}5");
  EXPECT_EQ(batch_->records[1].end_offset, 100U);
}

// Its comma, or the bracket of the array, may have gone with it.
TEST_F(JsonDocumentsTest, what_follows_an_element_that_the_source_gave_up_may_stand_there) {
  JsonDecoder decoder(kArray);
  auto read = [&](std::string_view text, uint64_t from) {
    BatchRef batch = bytes_of(text);
    batch->begin = {0, from, 0};
    batch->end = {0, from + text.size(), 0, text.ends_with(']')};
    return decode(decoder, batch);
  };
  EXPECT_EQ(read("[{\"a\":1}", 0), Strings{R"({"a":1})"});
  EXPECT_EQ(read("{\"a\":3}", 1000), Strings{R"({"a":3})"});
  EXPECT_EQ(read(",{\"a\":4}]", 1007), Strings{R"({"a":4})"});
  EXPECT_EQ(dead_.texts(), Strings{});
}

TEST_F(JsonDocumentsTest, dead_letters_end_a_turn_behind_the_piece) {
  JsonDecoder decoder(kArray);
  BatchRef batch = bytes_of("[1,\n2,{\"a\":3},4]");
  batch->quantum = 1 << 20;
  dead_.most = 1;
  EXPECT_EQ(decode(decoder, batch), Strings{});
  ASSERT_TRUE(batch->rest);
  BatchRef rest = std::exchange(batch->rest, {});
  EXPECT_EQ(rest->begin.offset, 2U);
  dead_.letters.clear();
  EXPECT_EQ(decode(decoder, rest), Strings{});
  EXPECT_EQ(dead_.texts(), Strings{"2"});
  ASSERT_TRUE(rest->rest);
  BatchRef last = std::exchange(rest->rest, {});
  dead_.most = 10;
  EXPECT_EQ(decode(decoder, last), Strings{R"({"a":3})"});
}

TEST_F(JsonDocumentsTest, lines_that_are_objects_pass_through_untouched) {
  const std::string text = "{\"a\": 1}\n\n  {\"b\":2.50}  \r\n{}\n";
  EXPECT_EQ(passed(text), "{\"a\": 1}\n  {\"b\":2.50}  \r\n{}\n");
  EXPECT_EQ(dead_.letters.size(), 0U);
  EXPECT_EQ(batch_->end.line, 4U);
}

// Before, such a line was one record where bytes passed through, and two where they were decoded.
TEST_F(JsonDocumentsTest, an_array_on_a_line_is_as_many_records_as_where_they_are_decoded) {
  const std::string text = "{\"a\":0}\n[{\"a\":1},{\"a\": 2}]\n{\"a\":3}\n[]\n";
  EXPECT_EQ(passed(text), "{\"a\":0}\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  ASSERT_EQ(batch_->slices.size(), 4U);
  EXPECT_EQ(batch_->slices[1].end_offset, batch_->slices[2].end_offset);
  EXPECT_EQ(batch_->position_after(3).offset, text.size() - 3);
  EXPECT_EQ(batch_->position_after(2).line, 2U);
  JsonDecoder decoder;
  EXPECT_EQ(decode(decoder, text).size(), 4U);
}

TEST_F(JsonDocumentsTest, what_is_no_object_is_the_same_dead_letter_as_where_it_is_decoded) {
  const std::string text =
      "[\n{\"a\":1},\n{\"a\":2}\n]\nx\n{\"a\":\n7\r\n{\"a\":3}{\"a\":4}\n{\"a\":1,}\n{\"a\":01}\n";
  EXPECT_EQ(passed(text), "{\"a\":2}\n");
  std::vector<RecordedDeadLetters::Letter> undecoded = std::exchange(dead_.letters, {});
  JsonDecoder decoder;
  EXPECT_EQ(decode(decoder, text), Strings{R"({"a":2})"});
  ASSERT_EQ(undecoded.size(), dead_.letters.size());
  for (size_t i = 0; i < undecoded.size(); ++i) {
    EXPECT_EQ(undecoded[i].text, dead_.letters[i].text);
    EXPECT_EQ(undecoded[i].reason, dead_.letters[i].reason);
    EXPECT_EQ(undecoded[i].offset, dead_.letters[i].offset);
    EXPECT_EQ(undecoded[i].line, dead_.letters[i].line);
  }
  EXPECT_NE(undecoded[0].reason.find(R"("json": {"document": "array"})"), std::string::npos);
}

TEST_F(JsonDocumentsTest, of_a_name_that_stands_twice_the_last_value_passes_through) {
  EXPECT_EQ(passed("{\"a\":1,\"b\":0,\"a\": 2}\n{\"a\":1,\"b\":0,\"c\": 2}\n"),
            "{\"a\":2,\"b\":0}\n{\"a\":1,\"b\":0,\"c\": 2}\n");
}

TEST_F(JsonDocumentsTest, what_is_remembered_of_the_shapes_that_pass_through_is_counted) {
  JsonLineFraming framing;
  const size_t empty = framing.held();
  std::string wide = "{";
  for (int i = 0; i < 2000; ++i) wide += "\"name" + std::to_string(i) + "\":0,";
  wide.back() = '}';
  for (int i = 0; i < 3; ++i) {
    BatchRef batch = bytes_of(wide + "\n{\"a\":1}\n");
    ASSERT_TRUE(framing.split(*batch, dead_));
    EXPECT_EQ(batch->slices.size(), 2U);
    EXPECT_EQ(batch->shapes().size(), 0U) << "no record was made";
  }
  EXPECT_GT(framing.held(), empty + wide.size());
}

TEST_F(JsonDocumentsTest, dead_letters_end_a_turn_of_what_passes_through) {
  BatchRef batch = bytes_of("x\n{\"a\":1}\ny\n{\"a\":2}\n");
  batch->quantum = 1 << 20;
  dead_.most = 1;
  ASSERT_TRUE(JsonLineFraming().split(*batch, dead_));
  EXPECT_EQ(joined(*batch), "{\"a\":1}\n");
  BatchRef rest = std::exchange(batch->rest, {});
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->begin.offset, 10U);
  dead_.letters.clear();
  ASSERT_TRUE(JsonLineFraming().split(*rest, dead_));
  EXPECT_EQ(joined(*rest), "{\"a\":2}\n");
}

TEST_F(JsonDocumentsTest, only_documents_that_are_lines_pass_through) {
  const ReadFormat* json = find_read_format("json");
  Options options(json->options);
  EXPECT_TRUE(json->passes_through(options));
  options.set("document", "array");
  EXPECT_FALSE(json->passes_through(options));
}

}  // namespace
}  // namespace leat
