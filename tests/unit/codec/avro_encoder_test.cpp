#include "avro_fixture.h"

namespace leat {
namespace {

class AvroEncoderTest : public AvroTest {
 protected:
  static Value json(std::string_view text) { return Value::of_text(Type::kJson, text); }
  static Value look(std::string_view text) { return number_from_text(text); }
};

TEST_F(AvroEncoderTest, writes_what_is_read_again) {
  EXPECT_EQ(round("\"long\"", look("-7")), R"({"v":-7})");
  EXPECT_EQ(round("\"long\"", look("7.0")), R"({"v":7})");
  EXPECT_EQ(round("\"double\"", look("21")), R"({"v":21})");
  EXPECT_EQ(round("\"double\"", Value::of_text(Type::kString, "NaN")), R"({"v":"NaN"})");
  EXPECT_EQ(round("\"boolean\"", Value::boolean(true)), R"({"v":true})");
  EXPECT_EQ(round("\"string\"", look("44.50")), R"({"v":"44.50"})");
  EXPECT_EQ(round("\"string\"", Value::of_text(Type::kString, R"(a\n\u00e4)", Form::kText)),
            "{\"v\":\"a\\nä\"}");
  EXPECT_EQ(round("\"bytes\"", Value::of_text(Type::kBytes, "\xff")), R"({"v":"/w=="})");
  EXPECT_EQ(round("\"bytes\"", Value::of_text(Type::kString, "/w==")), R"({"v":"/w=="})");
  EXPECT_EQ(round(R"({"type":"fixed","name":"f","size":1})", Value::of_text(Type::kString, "/w==")),
            R"({"v":"/w=="})");
  EXPECT_EQ(round(R"({"type":"enum","name":"e","symbols":["A","B"]})",
                  Value::of_text(Type::kString, "B")),
            R"({"v":"B"})");
  EXPECT_EQ(round(R"(["null","long","double"])", look("21.5")), R"({"v":21.5})");
  EXPECT_EQ(round(R"(["null","double","long"])", look("21")), R"({"v":21})");
  EXPECT_EQ(value(0, "v").type, Type::kInteger);
  EXPECT_EQ(round(R"(["string","null"])", Value::null()), R"({"v":null})");
}

TEST_F(AvroEncoderTest, writes_nested_json_by_its_schema) {
  EXPECT_EQ(
      round(R"({"type":"array","items":["null","long","string"]})", json(R"([1, null,"x" ])")),
      R"({"v":[1,null,"x"]})");
  EXPECT_EQ(round(R"({"type":"map","values":{"type":"array","items":"int"}})",
                  json(R"({"a":[1],"b":[]})")),
            R"({"v":{"a":[1],"b":[]}})");
  const std::string_view nested =
      R"({"type":"record","name":"n","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","n"],"default":null},{"name":"c","type":"string","default":"z"}]})";
  EXPECT_EQ(round(nested, json(R"({"b":{"a":2,"c":"q"},"a":1})")),
            R"({"v":{"a":1,"b":{"a":2,"b":null,"c":"q"},"c":"z"}})");
  EXPECT_EQ(round(nested, json(R"({"b":null})")),
            "v: a: missing, and without a default in the schema");
  EXPECT_EQ(round(nested, json(R"({"a":1,"x":2})")), "v: x: no field of n");
}

TEST_F(AvroEncoderTest, writes_logical_types) {
  const auto logical = [](std::string_view type, std::string_view name) {
    return R"({"type":")" + std::string(type) + R"(","logicalType":")" + std::string(name) +
           R"(","precision":5,"scale":2})";
  };
  const Value time = Value::of_time(1'700'000'000'123'456);
  const Value moment = Value::of_text(Type::kString, "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(round(logical("long", "timestamp-micros"), time),
            R"({"v":"2023-11-14T22:13:20.123456Z"})");
  EXPECT_EQ(round(logical("long", "timestamp-millis"), time),
            R"({"v":"2023-11-14T22:13:20.123Z"})");
  EXPECT_EQ(round(logical("long", "timestamp-millis"), moment),
            R"({"v":"2023-11-14T22:13:20.123Z"})");
  EXPECT_EQ(round(logical("long", "local-timestamp-micros"),
                  Value::of_text(Type::kString, "2023-11-14T22:13:20")),
            R"({"v":"2023-11-14T22:13:20"})");
  EXPECT_EQ(round(logical("int", "date"), Value::of_text(Type::kString, "1969-12-31")),
            R"({"v":"1969-12-31"})");
  EXPECT_EQ(round(logical("int", "time-millis"), Value::of_text(Type::kString, "01:02:03.004")),
            R"({"v":"01:02:03.004"})");
  for (const char* number : {"0.00", "-0.01", "1.28", "-1.28", "-1.29", "999.99", "-327.68"})
    EXPECT_EQ(round(logical("bytes", "decimal"), look(number)),
              R"({"v":)" + std::string(number) + "}");
  EXPECT_EQ(round(logical("bytes", "decimal"), look("1.5e1")), R"({"v":15.00})");
  EXPECT_EQ(round(logical("bytes", "decimal"), look("1.234")),
            "v: 1.234 has more digits than a decimal of precision 5 and scale 2");
  EXPECT_EQ(
      round(
          R"({"type":"fixed","name":"f","size":4,"logicalType":"decimal","precision":9,"scale":2})",
          look("-5")),
      R"({"v":-5.00})");
  EXPECT_EQ(round(R"({"type":"bytes","logicalType":"decimal","precision":40,"scale":0})",
                  look("-1234567890123456789012345678901234567890")),
            R"({"v":-1234567890123456789012345678901234567890})");
}

TEST_F(AvroEncoderTest, refuses_what_the_schema_cannot_hold) {
  EXPECT_EQ(round("\"int\"", look("2147483648")), "v: integer 2147483648 cannot be written as int");
  EXPECT_EQ(round("\"long\"", look("1.5")), "v: float 1.5 cannot be written as long");
  EXPECT_EQ(round("\"double\"", look("9007199254740993")),
            "v: integer 9007199254740993 cannot be written as double");
  EXPECT_EQ(round("\"long\"", Value::null()), "v: null cannot be written as long");
  EXPECT_EQ(round(R"(["long","string"])", Value::null()),
            "v: null, which the schema does not allow");
  EXPECT_EQ(round(R"(["null","long"])", Value::of_text(Type::kString, "x")),
            "v: string x is of none of the types of the schema");
  EXPECT_EQ(
      round(R"({"type":"enum","name":"e","symbols":["A"]})", Value::of_text(Type::kString, "B")),
      "v: B is no symbol of the enum e");
  const BatchRef other = record_of({{"w", look("1")}, {"v", look("1")}});
  dead_.letters.clear();
  written(writing(record("\"long\"")), *other);
  EXPECT_EQ(reason(), "w: no field of the schema");
  const BatchRef none = record_of({});
  written(writing(record("\"long\"")), *none);
  EXPECT_EQ(reason(), "v: missing, and without a default in the schema");
  const BatchRef fallback = record_of({});
  EXPECT_EQ(read(written(writing(record("\"long\"", ",\"default\":5")), *fallback)),
            Strings{R"({"v":5})"});
}

TEST_F(AvroEncoderTest, makes_a_schema_of_the_first_records) {
  BatchRef batch =
      record_of({{"n", look("21")}, {"s", text("x")}, {"j", json("[1]")}, {"z", Value::null()}});
  add_record(*batch, {{"n", look("21.5")},
                      {"t", Value::of_time(0)},
                      {"b", Value::boolean(false)},
                      {"k", Value::of_integer(1)}});
  AvroEncoder encoder({.record = "reading"});
  const std::string bytes = encode(encoder, *batch);
  EXPECT_NE(
      encoder.header().find(
          R"({"type":"record","name":"reading","fields":[{"name":"n","type":["null","long","double"],"default":null},)"
          R"({"name":"s","type":["null","string"],"default":null},{"name":"j","type":["null","string"],"default":null},)"
          R"({"name":"z","type":["null","boolean","long","double","string"],"default":null},)"
          R"({"name":"t","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null},)"
          R"({"name":"b","type":["null","boolean"],"default":null},{"name":"k","type":["null","long"],"default":null}]})"),
      std::string::npos)
      << encoder.header();
  EXPECT_EQ(dead_.reasons(), Strings{});
  EXPECT_EQ(
      read(encoder.header() + bytes),
      (Strings{
          R"({"n":21,"s":"x","j":"[1]","z":null,"t":null,"b":null,"k":null})",
          R"({"n":21.5,"s":null,"j":null,"z":null,"t":"1970-01-01T00:00:00Z","b":false,"k":1})"}));
  encode(encoder, *record_of({{"a b", look("1")}}));
  EXPECT_EQ(reason(), "a b: no name in Avro; a transform `map` can rename it");
}

TEST_F(AvroEncoderTest, packs_blocks_and_leaves_out_what_it_refuses) {
  for (const bool deflate : {false, true}) {
    dead_.letters.clear();
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    for (int i = 0; i < 20'000; ++i)
      add_record(*batch, {{"v", i == 9 ? text("no") : Value::of_integer(i)}});
    AvroEncoder encoder(writing(record("\"long\""), deflate));
    BatchRef out = *encoder.encode(*batch, dead_);
    EXPECT_EQ(dead_.letters.size(), 1U);
    EXPECT_LE(out->slices.size(), 2U);
    EXPECT_EQ(read(encoder.header() + joined(*out)).size(), 19'999U);
    const std::string file = encoder.header() + joined(*out) + "torn";
    const WrittenBytes bytes = [&file](char* to, size_t size, uint64_t at) {
      return std::string_view(file).substr(at).copy(to, size);
    };
    EXPECT_EQ(avro_whole_part(bytes, file.size()), file.size() - 4);
    EXPECT_EQ(avro_whole_part(bytes, encoder.header().size() + 100), encoder.header().size());
    EXPECT_EQ(avro_whole_part(bytes, 10), 0U);
  }
}

TEST_F(AvroEncoderTest, writes_single_messages) {
  AvroWriting bare = writing(record("\"long\""));
  bare.encoding = AvroEncoding::kBare;
  BatchRef batch = record_of({{"v", look("1")}});
  add_record(*batch, {{"v", look("2")}});
  AvroEncoder encoder(bare);
  EXPECT_EQ(encode(encoder, *batch), number(1) + number(2));
  EXPECT_EQ(encoded_->slices.size(), 2U);
  EXPECT_EQ(encoder.header(), "");
  bare.encoding = AvroEncoding::kSingleObject;
  AvroEncoder single(bare);
  EXPECT_EQ(encode(single, *batch).size(), 2 * 11U);
  EXPECT_TRUE(encoded_->slices[1].view().starts_with(kAvroSingleMagic));
}

}  // namespace
}  // namespace leat
