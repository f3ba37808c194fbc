#include "codec/json/decoder.h"

#include "codec_fixture.h"

namespace leat {
namespace {

class JsonDecoderTest : public CodecTest {
 protected:
  JsonDecoder decoder_;
};

const char kTelemetry[] =
    R"({"ts":1760000000005,"device":"gw-072/plc-02","seq":0,"temp":44.55,"state":"fault","ok":true})";

TEST_F(JsonDecoderTest, makes_a_record_of_each_line) {
  std::string line = kTelemetry;
  EXPECT_EQ(decode(decoder_, line + "\n" + line + "\n" + line + "\n"), Strings(3, line));
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, knows_the_types_without_converting) {
  decode(decoder_, R"({"i":7,"f":44.50,"s":"x","e":"a\nb","t":true,"n":null,"j":[1, {}],"o":{}})"
                   "\n");
  ASSERT_EQ(batch_->records.size(), 1U);
  EXPECT_EQ(value(0, "i").type, Type::kInteger);
  EXPECT_EQ(value(0, "f").type, Type::kFloat);
  EXPECT_EQ(value(0, "f").view(), "44.50");
  EXPECT_EQ(value(0, "s").type, Type::kString);
  EXPECT_EQ(value(0, "s").form, Form::kPlain);
  EXPECT_EQ(value(0, "e").form, Form::kText);
  EXPECT_EQ(value(0, "e").view(), "a\\nb");
  EXPECT_EQ(value(0, "t").integer, 1);
  EXPECT_EQ(value(0, "n").type, Type::kNull);
  EXPECT_EQ(value(0, "j").type, Type::kJson);
  EXPECT_EQ(value(0, "j").view(), "[1, {}]");
  EXPECT_EQ(value(0, "o").type, Type::kJson);
}

TEST_F(JsonDecoderTest, keeps_numbers_exact_when_untouched) {
  const Strings numbers = {"0",
                           "-0",
                           "44.50",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "9223372036854775808",
                           "123456789012345678901234567890",
                           "0.1234567890123456789012345678901234567890",
                           "1e5",
                           "1E-07",
                           "-1.5e+300",
                           "1e999",
                           "123456789.123456789123"};
  std::string in;
  for (const std::string& number : numbers) in += R"({"n":)" + number + "}\n";
  Strings out = decode(decoder_, in);
  ASSERT_EQ(out.size(), numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(out[i], R"({"n":)" + numbers[i] + "}");
}

TEST_F(JsonDecoderTest, classifies_numbers_as_number_from_text_does) {
  const Strings numbers = {"1",
                           "999999999999999999",
                           "9223372036854775807",
                           "9223372036854775808",
                           "-9223372036854775808",
                           "-9223372036854775809",
                           "0.5",
                           "1234567890.1234567",
                           "12345678901.1234567",
                           "0.00000000000000000012",
                           "1e2",
                           "1e400",
                           "1e-400"};
  for (const std::string& number : numbers) {
    decode(decoder_, R"({"n":)" + number + "}\n");
    EXPECT_EQ(value(0, "n").type, number_from_text(number).type) << number;
  }
}

TEST_F(JsonDecoderTest, sets_positions_lines_and_time) {
  BatchRef batch = bytes_of("{\"a\":1}\n\n{\"a\":2}\r\n  \t\n{\"a\":3}");
  batch->begin = {7, 1000, 50};
  batch->end = {7, 1031, 0};
  EXPECT_EQ(decode(decoder_, batch).size(), 3U);
  EXPECT_EQ(batch_->position_after(0).offset, 1008U);
  EXPECT_EQ(batch_->position_after(0).line, 51U);
  EXPECT_EQ(batch_->position_after(1).offset, 1018U);
  EXPECT_EQ(batch_->position_after(1).line, 53U);
  EXPECT_EQ(batch_->position_after(2).offset, 1029U);
  EXPECT_EQ(batch_->position_after(2).partition, 7U);
  EXPECT_EQ(batch_->end.line, 55U);
  EXPECT_EQ(batch_->end.offset, 1031U) << "the source's own";
  EXPECT_EQ(batch_->records[0].time_us, kArrival);
}

TEST_F(JsonDecoderTest, delivers_good_lines_around_bad_ones) {
  BatchRef batch = bytes_of(
      "{\"a\":1}\n"
      "{\"a\":\n"
      "{\"a\":2}\n"
      "rubbish\r\n"
      "{\"a\":3} x\n"
      "{\"a\":4}\n"
      "{\"a\":\"unfini");
  EXPECT_EQ(decode(decoder_, batch), (Strings{R"({"a":1})", R"({"a":2})", R"({"a":4})"}));
  EXPECT_EQ(dead_.texts(), (Strings{"{\"a\":", "rubbish", "{\"a\":3} x", "{\"a\":\"unfini"}));
  EXPECT_EQ(dead_.reasons(),
            (Strings{"invalid JSON at column 6: expected a value",
                     "invalid JSON at column 1: expected an object",
                     "invalid JSON at column 9: expected nothing behind the record",
                     "invalid JSON at column 13: string without closing quote"}));
  EXPECT_EQ(dead_.letters[0].line, 2U);
  EXPECT_EQ(dead_.letters[0].offset, 14U);
  EXPECT_EQ(batch_->records[1].end_line, 3U);
}

TEST_F(JsonDecoderTest, says_where_and_why) {
  decode(decoder_, "{\"a\":1,\"b\":2}\n");
  auto reason = [this](std::string_view line) {
    dead_.letters.clear();
    decode(decoder_, line);
    return dead_.letters.empty() ? "accepted" : dead_.letters[0].reason;
  };
  EXPECT_EQ(reason(R"({"a":1 "b":2})"), "invalid JSON at column 8: expected ',' or '}'");
  EXPECT_EQ(reason(R"({"a" 1})"), "invalid JSON at column 6: expected ':'");
  EXPECT_EQ(reason(R"({a:1})"), "invalid JSON at column 2: expected a name in quotes");
  EXPECT_EQ(reason(R"({"a":01})"), "invalid JSON at column 6: a number cannot start with 0");
  EXPECT_EQ(reason(R"({"a":1.})"), "invalid JSON at column 8: expected a digit after '.'");
  EXPECT_EQ(reason(R"({"a":"\x"})"), "invalid JSON at column 7: unknown escape in a string");
  EXPECT_EQ(reason(std::string_view("{\"a\":\"\0\"}", 9)),
            "invalid JSON at column 7: NUL byte in a string");
  EXPECT_EQ(reason("{\"a\":\"\xFF\"}"), "invalid JSON at column 7: invalid UTF-8 in a string");
  EXPECT_EQ(reason(R"({"a":[1 2]})"), "invalid JSON at column 9: expected ',' or ']'");
  EXPECT_EQ(reason(R"(42)"), "invalid JSON at column 1: expected an object");
}

TEST_F(JsonDecoderTest, follows_changing_shapes_within_a_batch) {
  const Strings lines = {R"({"a":1,"b":2,"c":3})",
                         R"({"a":1,"c":3})",
                         R"({"a":1,"b":2,"c":3})",
                         R"({"a":1,"b":2})",
                         R"({})",
                         R"({"c":3,"b":2,"a":1})",
                         R"({"a":1,"b":2,"c":3,"d":4})",
                         R"({"z":0})",
                         R"({"a":1,"c":3})",
                         R"({"a":1,"b":2,"c":3})"};
  std::string in;
  for (int round = 0; round < 3; ++round)
    for (const std::string& line : lines) in += line + "\n";
  Strings out = decode(decoder_, in);
  ASSERT_EQ(out.size(), lines.size() * 3);
  for (size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], lines[i % lines.size()]);
}

TEST_F(JsonDecoderTest, shares_one_shape_among_records_that_look_alike) {
  std::string in;
  for (int i = 0; i < 100; ++i) in += i % 2 ? "{\"a\":1,\"b\":2}\n" : "{\"a\":1}\n";
  decode(decoder_, in);
  const Shape* shape = batch_->records[0].shape;
  for (size_t i = 0; i < 100; i += 2) EXPECT_EQ(batch_->records[i].shape, shape);
  EXPECT_EQ(batch_->shapes().size(), 2U) << "each is adopted once, however often they alternate";
  decode(decoder_, "{\"a\":5}\n");
  EXPECT_EQ(batch_->records[0].shape, shape) << "in the next batch too";
  EXPECT_EQ(batch_->shapes().size(), 1U);
}

TEST_F(JsonDecoderTest, tells_absent_from_null) {
  decode(decoder_, "{\"a\":null,\"b\":1}\n{\"b\":1}\n");
  EXPECT_EQ(value(0, "a").type, Type::kNull);
  EXPECT_EQ(batch_->records[1].shape->find("a"), -1);
}

TEST_F(JsonDecoderTest, takes_any_space_that_json_allows) {
  const Strings styles = {R"({"a": 1, "b": "x"})", R"({"a" : 1 , "b" : "x" })",
                          "\t{ \"a\":1,\t\"b\":\"x\"\t}\r", R"(  {"a":1,"b":"x"})",
                          R"({"a": 1,"b":"x"})"};
  for (const std::string& line : styles) {
    for (int i = 0; i < 2; ++i)  // the second time it is predicted
      EXPECT_EQ(decode(decoder_, line + "\n"), Strings{R"({"a":1,"b":"x"})"}) << line;
  }
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, resolves_escapes_in_names) {
  EXPECT_EQ(decode(decoder_, "{\"\\u0061\":1,\"b\\n\":2}\n{\"a\":3,\"b\\n\":4}\n"),
            (Strings{R"({"a":1,"b\n":2})", R"({"a":3,"b\n":4})"}));
  EXPECT_EQ(batch_->records[0].shape->name(1), "b\n");
}

TEST_F(JsonDecoderTest, keeps_the_last_of_duplicate_names_in_the_place_of_the_first) {
  EXPECT_EQ(decode(decoder_,
                   "{\"a\":1,\"b\":2,\"a\":3}\n{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2,\"a\":3}\n"
                   "{\"a\":1,\"\\u0061\":2}\n"),
            (Strings{R"({"a":3,"b":2})", R"({"a":1,"b":2})", R"({"a":3,"b":2})", R"({"a":2})"}));
  std::string many = "{";
  for (int i = 0; i < 50; ++i)
    many += "\"n" + std::to_string(i % 25) + "\":" + std::to_string(i) + ",";
  many.back() = '}';
  decode(decoder_, many);
  ASSERT_EQ(batch_->records[0].shape->size(), 25U);
  EXPECT_EQ(integer_of(value(0, "n0")), 25);
  EXPECT_EQ(integer_of(value(0, "n24")), 49);
}

TEST_F(JsonDecoderTest, makes_a_record_of_each_element_of_an_array) {
  EXPECT_EQ(decode(decoder_, "[{\"a\":1}, {\"a\":2},{\"b\":3}]\n[]\n[ ]\n{\"a\":4}\n"),
            (Strings{R"({"a":1})", R"({"a":2})", R"({"b":3})", R"({"a":4})"}));
  EXPECT_EQ(batch_->records[0].end_offset, batch_->records[2].end_offset);
  EXPECT_EQ(batch_->records[2].end_line, 1U);
  EXPECT_EQ(batch_->records[3].end_line, 4U);
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, refuses_an_array_as_a_whole_when_one_element_is_bad) {
  EXPECT_EQ(decode(decoder_,
                   "[{\"a\":1},2]\n[{\"a\":1}\n[{\"a\":1},]\n[{\"a\":1}{\"a\":2}]\n{\"a\":9}\n"),
            Strings{R"({"a":9})"});
  EXPECT_EQ(dead_.letters.size(), 4U);
}

TEST_F(JsonDecoderTest, refuses_deep_nesting_but_not_all_nesting) {
  auto nested = [](int levels) {  // the record itself is one of them
    return "{\"a\":" + std::string(static_cast<size_t>(levels - 1), '[') +
           std::string(static_cast<size_t>(levels - 1), ']') + "}\n";
  };
  EXPECT_EQ(decode(decoder_, nested(JsonScanner::kMaxDepth)).size(), 1U);
  EXPECT_TRUE(decode(decoder_, nested(JsonScanner::kMaxDepth + 1)).empty());
  EXPECT_TRUE(decode(decoder_, "{\"a\":" + std::string(1'000'000, '[') + "\n").empty());
  EXPECT_EQ(dead_.reasons(),
            Strings(2, "invalid JSON at column 69: nested more than 64 levels deep"));
}

TEST_F(JsonDecoderTest, takes_messages_that_span_lines) {
  EXPECT_EQ(decode(decoder_, slices_of({"{\n  \"a\": 1,\n  \"b\": [1,\n2]\n}\n", "{\"a\":2}",
                                        "[{\"a\":3},\n{\"a\":4}]", "", "  \n"})),
            (Strings{"{\"a\":1,\"b\":[1,\n2]}", R"({"a":2})", R"({"a":3})", R"({"a":4})"}));
  EXPECT_EQ(batch_->records[1].end_offset, 200U);
  EXPECT_EQ(batch_->records[2].end_offset, 300U);
  EXPECT_EQ(batch_->records[3].end_line, 3U);
  EXPECT_EQ(batch_->end.line, 5U);
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, refuses_messages_one_by_one) {
  EXPECT_EQ(
      decode(decoder_, slices_of({"{\"a\":1}", "{\"a\":1}\n{\"a\":2}", "{\"a\":", "{\"a\":3}"})),
      (Strings{R"({"a":1})", R"({"a":3})"}));
  EXPECT_EQ(dead_.texts(), (Strings{"{\"a\":1}\n{\"a\":2}", "{\"a\":"}));
  EXPECT_EQ(dead_.letters[1].offset, 300U);
}

TEST_F(JsonDecoderTest, takes_empty_input) {
  EXPECT_TRUE(decode(decoder_, "").empty());
  EXPECT_TRUE(decode(decoder_, "\n\n\r\n").empty());
  EXPECT_EQ(batch_->end.line, 3U);
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, makes_nothing_of_a_preamble) {
  BatchRef batch = bytes_of("{\"a\":1}\nbad\n");
  batch->preamble = true;
  EXPECT_TRUE(decode(decoder_, batch).empty());
  EXPECT_TRUE(dead_.letters.empty());
}

TEST_F(JsonDecoderTest, takes_another_shape_in_every_record) {
  constexpr int kRecords = 20'000;
  std::string in;
  for (int i = 0; i < kRecords; ++i)
    in += "{\"k" + std::to_string(i) + "\":1,\"l" + std::to_string(i) + "\":2}\n";
  Strings out = decode(decoder_, in);
  ASSERT_EQ(out.size(), static_cast<size_t>(kRecords));
  EXPECT_EQ(out.back(), R"({"k19999":1,"l19999":2})");
  EXPECT_EQ(batch_->shapes().size(), static_cast<size_t>(kRecords));
}

TEST_F(JsonDecoderTest, takes_very_wide_records) {
  std::string line = "{";
  for (int i = 0; i < 16'384; ++i)
    line += "\"f" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  line.back() = '}';
  decode(decoder_, line + "\n" + line + "\n{\"a\":1}\n");
  ASSERT_EQ(batch_->records.size(), 3U);
  EXPECT_EQ(integer_of(batch_->records[1].values[16'383]), 16'383);
  EXPECT_EQ(batch_->records[0].shape, batch_->records[1].shape);
}

TEST_F(JsonDecoderTest, refuses_records_with_more_fields_than_memory_should_hold) {
  std::string line = "{";
  for (int i = 0; i <= 16'384; ++i) line += "\"f" + std::to_string(i) + "\":1,";
  line.back() = '}';
  EXPECT_EQ(decode(decoder_, line + "\n{\"a\":1}\n"), Strings{R"({"a":1})"});
  ASSERT_EQ(dead_.letters.size(), 1U);
  EXPECT_TRUE(dead_.letters[0].reason.ends_with("more than 16384 fields"));
}

TEST_F(JsonDecoderTest, predicts_names_longer_than_a_key_pattern) {
  std::string line = R"({"a_name_that_is_longer_than_sixteen_bytes":1,"ünïcödé":"ÿ","s":""})";
  EXPECT_EQ(decode(decoder_, line + "\n" + line + "\n"), Strings(2, line));
  std::string other = R"({"a_name_that_is_longer_than_sixteen_bytez":1,"ünïcödé":"ÿ","s":""})";
  EXPECT_EQ(decode(decoder_, line + "\n" + other + "\n"), (Strings{line, other}));
}

TEST_F(JsonDecoderTest, charges_the_budget_with_the_values_it_keeps) {
  std::string in;
  for (int i = 0; i < 10'000; ++i) in += "{\"a\":1,\"b\":2}\n";
  decode(decoder_, in);
  size_t values = 10'000 * 2 * sizeof(Value);
  EXPECT_GE(budget_.used(), values);
  EXPECT_LE(budget_.used(), values + 3 * BlockPool::kBlockSize);
}

TEST_F(JsonDecoderTest, leaves_the_lines_behind_a_dead_letter_when_no_more_may_wait) {
  dead_.most = 1;
  BatchRef batch = bytes_of("{\"a\":1}\nx\ny\n{\"a\":2}\n");
  batch->end = {0, 20, 0, true};
  batch->quantum = 1 << 20;
  EXPECT_EQ(decode(decoder_, std::move(batch)), Strings{R"({"a":1})"});
  EXPECT_EQ(dead_.texts(), Strings{"x"});
  EXPECT_EQ(batch_->end.offset, 10U);
  EXPECT_EQ(batch_->end.line, 2U);
  BatchRef rest = std::exchange(batch_->rest, {});
  dead_.most = 100;
  EXPECT_EQ(decode(decoder_, std::move(rest)), Strings{R"({"a":2})"});
  EXPECT_EQ(dead_.texts(), (Strings{"x", "y"}));
  EXPECT_EQ(dead_.letters[1].offset, 12U);
  EXPECT_EQ(dead_.letters[1].line, 3U);
  EXPECT_EQ(batch_->end.offset, 20U);
  EXPECT_EQ(batch_->end.line, 4U);
  EXPECT_TRUE(batch_->end.last);
  EXPECT_FALSE(batch_->rest);
}

TEST_F(JsonDecoderTest, leaves_the_messages_behind_a_dead_letter_when_no_more_may_wait) {
  dead_.most = 1;
  BatchRef batch = slices_of({"x", "{}", "y"});
  batch->quantum = 1 << 20;
  EXPECT_EQ(decode(decoder_, std::move(batch)), Strings{});
  BatchRef rest = std::exchange(batch_->rest, {});
  ASSERT_TRUE(rest);
  dead_.most = 100;
  EXPECT_EQ(decode(decoder_, std::move(rest)), Strings{"{}"});
  EXPECT_EQ(dead_.letters.back().offset, 300U);
}

TEST_F(JsonDecoderTest, knows_a_thousand_shapes_again) {
  // They part at every place, share names in another order, and some begin others.
  Strings lines;
  for (int i = 0; i < 1000; ++i) {
    std::string line = "{\"t\":1";
    for (int bit = 0; bit < 10; ++bit)
      if ((i >> bit & 1) != 0) line += ",\"f" + std::to_string(bit) + "\":" + std::to_string(i);
    if (i % 3 == 0) line.insert(1, "\"first\":0,");
    lines.push_back(line + "}");
  }
  std::string text;
  for (int round = 0; round < 3; ++round)
    for (size_t i = 0; i < lines.size(); ++i) text += lines[i * 7 % lines.size()] + "\n";
  Strings expected;
  for (size_t i = 0; i < 3 * lines.size(); ++i) expected.push_back(lines[i * 7 % lines.size()]);
  EXPECT_EQ(decode(decoder_, text), expected);
  EXPECT_EQ(batch_->shapes().size(), 1000U);  // each once
  size_t held = decoder_.held();
  decode(decoder_, text);
  EXPECT_EQ(decoder_.held(), held);
}

// Of what a small pipeline may hold.
class SmallJsonDecoderTest : public JsonDecoderTest {
 protected:
  BatchRef lines(std::string_view text) {
    BatchRef batch = BatchRef::make(small_pool_, Content::kBytes);
    batch->bytes = {const_cast<char*>(batch->arena.copy(text).data()), text.size()};
    return batch;
  }

  Budget small_budget_{1 << 20};
  BlockPool small_pool_{small_budget_};
};

TEST_F(SmallJsonDecoderTest, ever_new_names_take_no_more_than_their_share) {
  for (int round = 0; round < 50; ++round) {
    std::string text;
    for (int i = 0; i < 2000; ++i)
      text += "{\"k" + std::to_string(round * 10000 + i) + "\":1,\"a name\":2}\n";
    decode(decoder_, lines(text));
    EXPECT_EQ(batch_->records.size(), 2000U);
    EXPECT_LE(decoder_.held(), small_budget_.limit() / 4);
    batch_.reset();
  }
}

TEST_F(SmallJsonDecoderTest, records_wider_than_there_is_room_to_remember_are_read_all_the_same) {
  std::string line = "{\"n\":0";
  for (int i = 1; i < 16'000; ++i) line += ",\"a rather long name " + std::to_string(i) + "\":1";
  line += "}";
  EXPECT_EQ(decode(decoder_, lines(line + "\n" + line + "\n{\"n\":1}\n")),
            (Strings{line, line, R"({"n":1})"}));
  EXPECT_EQ(batch_->records[0].shape, batch_->records[1].shape);
  batch_.reset();
}

}  // namespace
}  // namespace leat
