#include "codec/json/encoder.h"

#include <cmath>
#include <limits>

#include "base/text.h"
#include "codec/json/decoder.h"
#include "codec_fixture.h"

namespace leat {
namespace {

class JsonEncoderTest : public CodecTest {
 protected:
  std::string line(const std::vector<std::pair<std::string_view, Value>>& fields) {
    return encode(encoder_, *record_of(fields));
  }
  JsonEncoder encoder_{'\n'};
};

TEST_F(JsonEncoderTest, writes_what_was_read_unchanged) {
  JsonDecoder decoder;
  std::string in =
      R"({"ts":1760000000005,"d":"gw-072/plc-02","f":44.50,"e":"a\u00e9\/","n":null,"ok":true})"
      "\n"
      R"({"big":123456789012345678901234567890,"l":[1, 2],"o":{ },"s":""})"
      "\n{}\n";
  decode(decoder, in);
  EXPECT_EQ(encode(encoder_, *batch_), in);
}

TEST_F(JsonEncoderTest, leaves_out_absent_fields_and_keeps_null) {
  EXPECT_EQ(line({{"a", Value::absent()}, {"b", Value::null()}, {"c", Value::absent()}}),
            "{\"b\":null}\n");
  EXPECT_EQ(line({{"a", Value::absent()}}), "{}\n");
  EXPECT_EQ(line({}), "{}\n");
}

TEST_F(JsonEncoderTest, writes_native_values) {
  EXPECT_EQ(line({{"t", Value::boolean(true)},
                  {"f", Value::boolean(false)},
                  {"min", Value::of_integer(INT64_MIN)},
                  {"max", Value::of_integer(INT64_MAX)},
                  {"time", Value::of_time(1'767'323'045'678'901)},
                  {"bytes", Value::of_text(Type::kBytes, "\xFF\x01")},
                  {"dec", Value::of_text(Type::kDecimal, "1.50", Form::kText)}}),
            "{\"t\":true,\"f\":false,\"min\":-9223372036854775808,\"max\":9223372036854775807,"
            "\"time\":\"2026-01-02T03:04:05.678901Z\",\"bytes\":\"/wE=\",\"dec\":1.50}\n");
}

TEST_F(JsonEncoderTest, writes_the_shortest_float_that_reads_back_the_same) {
  EXPECT_EQ(line({{"a", Value::of_float(0.1)}, {"b", Value::of_float(1e300)}}),
            "{\"a\":0.1,\"b\":1e+300}\n");
  for (double d : {5e-324, -1.7976931348623157e308, 1.0 / 3, 123456789.125, -0.0}) {
    JsonDecoder decoder;
    ASSERT_EQ(decode(decoder, line({{"f", Value::of_float(d)}})).size(), 1U) << d;
    EXPECT_EQ(real_of(value(0, "f")), d);
  }
}

TEST_F(JsonEncoderTest, writes_as_text_which_number_json_does_not_have) {
  EXPECT_EQ(line({{"a", Value::of_float(std::numeric_limits<double>::quiet_NaN())},
                  {"b", Value::of_float(HUGE_VAL)},
                  {"c", Value::of_float(-HUGE_VAL)}}),
            "{\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\"}\n");
}

TEST_F(JsonEncoderTest, escapes_strings_wherever_the_special_character_is) {
  for (std::string_view special : {"\"", "\\", "\n", "\x01", "\x1F"}) {
    for (size_t at = 0; at < 20; ++at) {
      std::string content(20, 'x');
      content.replace(at, 1, special);
      EXPECT_EQ(line({{"s", text(content)}}), "{\"s\":" + json_quoted(content) + "}\n");
    }
  }
  EXPECT_EQ(line({{"s", text("a\"b\\c\n\t\x02 é")}}), "{\"s\":\"a\\\"b\\\\c\\n\\t\\u0002 é\"}\n");
}

TEST_F(JsonEncoderTest, writes_valid_json_even_of_text_that_is_not_utf8) {
  EXPECT_EQ(line({{"s", text("caf\xE9 bar foo")}}), "{\"s\":\"caf\xEF\xBF\xBD bar foo\"}\n");
}

TEST_F(JsonEncoderTest, escapes_names) {
  EXPECT_EQ(line({{"a\"b", Value::null()}}), "{\"a\\\"b\":null}\n");
}

TEST_F(JsonEncoderTest, keeps_one_record_a_line_when_nested_text_has_newlines) {
  JsonDecoder decoder;
  decode(decoder, slices_of({"{\"a\":[1,\n{\"s\":\"x\\n\"}\n]}"}));
  EXPECT_EQ(encode(encoder_, *batch_), "{\"a\":[1, {\"s\":\"x\\n\"} ]}\n");
}

TEST_F(JsonEncoderTest, ends_array_elements_with_a_comma) {
  JsonDecoder decoder;
  decode(decoder, "{\"a\":1}\n{\"a\":2}\n");
  JsonEncoder array(',');
  EXPECT_EQ(encode(array, *batch_), "{\"a\":1},{\"a\":2},");
}

TEST_F(JsonEncoderTest, keeps_positions_and_lays_slices_side_by_side) {
  JsonDecoder decoder;
  BatchRef in = bytes_of("{\"a\":1}\nbad\n{\"a\":2}\n");
  in->begin = {3, 500, 10};
  in->end = {3, 520, 0, true};
  decode(decoder, in);
  encode(encoder_, *batch_);
  ASSERT_EQ(encoded_->slices.size(), 2U);
  EXPECT_EQ(encoded_->position_after(1).offset, 520U);
  EXPECT_EQ(encoded_->position_after(1).line, 13U);
  EXPECT_EQ(encoded_->end.offset, 520U);
  EXPECT_EQ(encoded_->end.line, 13U);
  EXPECT_TRUE(encoded_->end.last);
  EXPECT_EQ(encoded_->arrival_us, kArrival);
  EXPECT_EQ(encoded_->slices[0].data + encoded_->slices[0].size, encoded_->slices[1].data);
}

TEST_F(JsonEncoderTest, does_not_point_into_its_input) {
  JsonDecoder decoder;
  BatchRef in = bytes_of("{\"a\":\"text of some length\",\"b\":12345}\n");
  std::span<char> bytes = in->bytes;
  decode(decoder, in);
  encode(encoder_, *batch_);
  std::memset(bytes.data(), 'X', bytes.size());
  EXPECT_EQ(joined(*encoded_), "{\"a\":\"text of some length\",\"b\":12345}\n");
}

TEST_F(JsonEncoderTest, writes_records_across_blocks_and_larger_than_a_block) {
  JsonDecoder decoder;
  std::string in;
  for (size_t size : {10U, 60'000U, 10U, 65'536U, 300'000U, 10U, 40'000U, 40'000U})
    in += "{\"a\":\"" + std::string(size, 'a') + "\",\"b\":\"" + std::string(size, 'b') + "\"}\n";
  decode(decoder, in);
  EXPECT_TRUE(encode(encoder_, *batch_) == in);
  EXPECT_EQ(encoded_->slices.size(), 8U);
}

TEST_F(JsonEncoderTest, takes_an_empty_batch) {
  EXPECT_EQ(encode(encoder_, *BatchRef::make(pool_, Content::kRecords)), "");
}

}  // namespace
}  // namespace leat
