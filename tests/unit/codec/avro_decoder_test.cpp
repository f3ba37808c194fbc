#include "avro_fixture.h"

namespace leat {
namespace {

class AvroDecoderTest : public AvroTest {};

constexpr std::string_view kPoint =
    R"({"type":"record","name":"point","fields":[{"name":"x","type":"long"},{"name":"s","type":"string"}]})";

TEST_F(AvroDecoderTest, reads_each_type_as_what_it_is) {
  EXPECT_EQ(one("\"null\"", ""), R"({"v":null})");
  EXPECT_EQ(one("\"boolean\"", "\1"), R"({"v":true})");
  EXPECT_EQ(one("\"int\"", number(-7)), R"({"v":-7})");
  EXPECT_EQ(one("\"long\"", number(INT64_MIN)), R"({"v":-9223372036854775808})");
  EXPECT_EQ(one("\"long\"", number(INT64_MAX)), R"({"v":9223372036854775807})");
  const float tenth = 0.1F;
  EXPECT_EQ(one("\"float\"", {reinterpret_cast<const char*>(&tenth), 4}), R"({"v":0.1})");
  const double half = -21.5;
  EXPECT_EQ(one("\"double\"", {reinterpret_cast<const char*>(&half), 8}), R"({"v":-21.5})");
  EXPECT_EQ(one("\"bytes\"", sized("\xff\1")), R"({"v":"/wE="})");
  EXPECT_EQ(one("\"string\"", sized("äö\"")), R"({"v":"äö\""})");
  EXPECT_EQ(one(R"({"type":"fixed","name":"f","size":2})", "ab"), R"({"v":"YWI="})");
  EXPECT_EQ(one(R"({"type":"enum","name":"e","symbols":["A","B"]})", number(1)), R"({"v":"B"})");
  EXPECT_EQ(one(R"(["null","long"])", number(0)), R"({"v":null})");
  EXPECT_EQ(one(R"(["null","long"])", number(1) + number(5)), R"({"v":5})");
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(AvroDecoderTest, reads_what_is_nested_as_json) {
  EXPECT_EQ(one(R"({"type":"array","items":"int"})", number(2) + number(1) + number(2) + number(0)),
            R"({"v":[1,2]})");
  EXPECT_EQ(one(R"({"type":"array","items":"int"})",
                number(-1) + number(1) + number(1) + number(1) + number(2) + number(0)),
            R"({"v":[1,2]})")
      << "blocks of an array, of which one says its size";
  EXPECT_EQ(
      one(R"({"type":"map","values":["null","string"]})",
          number(2) + sized("a\"") + number(1) + sized("x") + sized("b") + number(0) + number(0)),
      R"({"v":{"a\"":"x","b":null}})");
  EXPECT_EQ(
      one(R"({"type":"record","name":"n","fields":[{"name":"a","type":"int"},{"name":"b","type":{"type":"array","items":"string"}}]})",
          number(3) + number(1) + sized("q") + number(0)),
      R"({"v":{"a":3,"b":["q"]}})");
  EXPECT_EQ(one(R"({"type":"record","name":"n","fields":[]})", ""), R"({"v":{}})");
}

TEST_F(AvroDecoderTest, reads_logical_types_as_what_they_mean) {
  const auto logical = [](std::string_view type, std::string_view name) {
    return R"({"type":")" + std::string(type) + R"(","logicalType":")" + std::string(name) +
           R"(","precision":9,"scale":2})";
  };
  EXPECT_EQ(one(logical("long", "timestamp-millis"), number(1'700'000'000'123)),
            R"({"v":"2023-11-14T22:13:20.123Z"})");
  EXPECT_EQ(value(0, "v").type, Type::kTime);
  EXPECT_EQ(one(logical("long", "timestamp-micros"), number(-1)),
            R"({"v":"1969-12-31T23:59:59.999999Z"})");
  EXPECT_EQ(one(logical("int", "date"), number(19'675)), R"({"v":"2023-11-14"})");
  EXPECT_EQ(one(logical("int", "time-millis"), number(3'600'001)), R"({"v":"01:00:00.001"})");
  EXPECT_EQ(one(logical("long", "time-micros"), number(86'399'000'000)), R"({"v":"23:59:59"})");
  EXPECT_EQ(one(logical("long", "local-timestamp-millis"), number(0)),
            R"({"v":"1970-01-01T00:00:00"})");
  EXPECT_EQ(one(logical("bytes", "decimal"), sized("\xff\x38")), R"({"v":-2.00})");
  EXPECT_EQ(one(logical("string", "uuid"), sized("a-b")), R"({"v":"a-b"})");
  EXPECT_EQ(one(logical("bytes", "no-such"), sized("x")), R"({"v":"eA=="})");
  EXPECT_EQ(one(logical("long", "timestamp-millis"), number(INT64_MAX)), "");
  EXPECT_EQ(reason(), "record 1 of 1 in the block: v: a time beyond the years 1 to 9999");
}

TEST_F(AvroDecoderTest, makes_a_record_of_what_is_none) {
  EXPECT_EQ(read(file("\"long\"", 2, number(1) + number(2))),
            (Strings{R"({"value":1})", R"({"value":2})"}));
  EXPECT_EQ(
      read(file(R"(["null",{"type":"record","name":"a","fields":[{"name":"x","type":"int"}]}])", 2,
                number(1) + number(9) + number(0))),
      (Strings{R"({"x":9})", R"({"value":null})"}));
}

TEST_F(AvroDecoderTest, reads_by_another_schema_as_the_specification_has_it) {
  const std::string wrote = file(kPoint, 1, number(7) + sized("hi"));
  EXPECT_EQ(read(wrote, R"({"type":"record","name":"point","fields":[
      {"name":"t","type":"string","aliases":["s"]},
      {"name":"x","type":["null","double"]},
      {"name":"n","type":{"type":"array","items":"int"},"default":[1,2]},
      {"name":"d","type":{"type":"int","logicalType":"date"},"default":1}]})"),
            Strings{R"({"t":"hi","x":7,"n":[1,2],"d":"1970-01-02"})"});
  EXPECT_EQ(value(0, "x").type, Type::kFloat);
  EXPECT_EQ(
      read(wrote, R"({"type":"record","name":"point","fields":[{"name":"s","type":"bytes"}]})"),
      Strings{R"({"s":"aGk="})"})
      << "x is passed over";
  EXPECT_EQ(read(wrote, R"({"type":"record","name":"point","fields":[{"name":"y","type":"int"}]})"),
            Strings{});
  EXPECT_EQ(reason(), "the field \"y\" was not written, and has no default");
  EXPECT_EQ(read(wrote, R"({"type":"record","name":"point","fields":[{"name":"x","type":"int"}]})"),
            Strings{});
  EXPECT_EQ(reason(), "record 1 of 1 in the block: x: written as long, which is not read as int");
  EXPECT_EQ(
      read(
          wrote,
          R"({"type":"record","name":"other","aliases":["point"],"fields":[{"name":"x","type":"float"}]})"),
      Strings{R"({"x":7})"});
}

TEST_F(AvroDecoderTest, reads_symbols_that_are_not_known_as_the_default) {
  const std::string wrote =
      file(record(R"({"type":"enum","name":"e","symbols":["A","B"]})"), 1, number(1));
  EXPECT_EQ(read(wrote, record(R"({"type":"enum","name":"e","symbols":["A","C"],"default":"C"})")),
            Strings{R"({"v":"C"})"});
  EXPECT_EQ(read(wrote, record(R"({"type":"enum","name":"e","symbols":["A"]})")), Strings{});
  EXPECT_EQ(reason(),
            "record 1 of 1 in the block: v: a symbol that the enum of avro.schema has not");
}

TEST_F(AvroDecoderTest, keeps_the_good_blocks_around_a_broken_one) {
  const std::string header = avro_header(kPoint, "null");
  const std::string good = block(header, 1, number(1) + sized("a"));
  const std::string bad_marker = good.substr(0, good.size() - 1) + "!";
  std::string too_long = good;
  too_long[1] = '\x7e';  // 63 bytes
  std::string too_short = good;
  too_short[1] = '\2';
  const std::string bad_count = "\1" + good.substr(1);
  const Strings two{R"({"x":1,"s":"a"})", R"({"x":1,"s":"a"})"};
  for (const std::string& bad : {bad_marker, too_long, too_short, bad_count}) {
    dead_.letters.clear();
    EXPECT_EQ(read(header + good + bad + good), two);
    EXPECT_EQ(dead_.letters.size(), 1U);
  }
  dead_.letters.clear();
  EXPECT_EQ(
      read(header + good + block(header, 3, number(1) + sized("a") + number(2) + "\x30") + good),
      (Strings{two[0], two[0], two[0]}));
  EXPECT_EQ(
      reason(),
      "record 2 of 3 in the block, and all behind it: s: longer than what is left of the data");
  dead_.letters.clear();
  EXPECT_EQ(read(header + good + good.substr(0, 5)), Strings{two[0]});
  EXPECT_EQ(reason(), "the input ends within a block");
  EXPECT_EQ(dead_.letters[0].line, 2U);
  EXPECT_EQ(batch_->end.offset, header.size() + good.size())
      << "what has been written of it so far is read again when it is whole";
  EXPECT_EQ(batch_->end.line, 1U);
}

// One of four is not wanted: the others are, and nothing of it but its own bytes is lost.
TEST_F(AvroDecoderTest, loses_no_other_record_for_one_that_is_not_wanted) {
  const auto logical = [](std::string_view type, std::string_view name) {
    return R"({"type":")" + std::string(type) + R"(","logicalType":")" + std::string(name) +
           R"(","precision":9,"scale":2})";
  };
  const std::string pair =
      R"({"type":"record","name":"p","fields":[{"name":"a","type":"float"},{"name":"m","type":{"type":"map","values":["null","boolean"]}}]})";
  const std::string nulls = number(-3) + sized("") + number(0) + number(0);
  const struct {
    std::string type, good, bad, reader, why;
  } cases[] = {
      {logical("long", "timestamp-millis"), number(1), number(253'402'300'800'000), "",
       "a time beyond the years 1 to 9999"},
      {logical("long", "timestamp-millis"), number(1), number(INT64_MAX), "",
       "a time beyond the years 1 to 9999"},
      {"\"string\"", sized("a"), sized("caf\xe9"), "", "a string that is not UTF-8"},
      {logical("int", "time-millis"), number(1), number(86'400'000), "",
       "a time of day beyond 24 hours"},
      {logical("bytes", "decimal"), sized("a"), sized(std::string(2000, 'x')), "",
       "a decimal of 2,000 bytes"},
      {R"({"type":"enum","name":"e","symbols":["A","B"]})", number(0), number(1),
       R"({"type":"enum","name":"e","symbols":["A"]})",
       "a symbol that the enum of avro.schema has not"},
      {R"(["int","string"])", number(0) + number(7), number(1) + sized("x"), "\"int\"",
       "written as string, which is not read as int"},
      {R"(["int",{"type":"fixed","name":"f","size":300}])", number(0) + number(7),
       number(1) + std::string(300, 'f'), "\"int\"",
       "written as fixed f, which is not read as int"},
      {R"(["int","boolean","double"])", number(0) + number(7), number(1) + "\1", "\"int\"",
       "written as boolean, which is not read as int"},
      {R"(["int",)" + pair + "]", number(0) + number(7),
       number(1) + std::string(4, 'f') + number(1) + sized("k") + number(1) + "\1" + number(0),
       "\"int\"", "written as record p, which is not read as int"},
      {R"({"type":"array","items":"string"})", number(0), number(1) + sized("\xff") + number(0), "",
       "a string that is not UTF-8"},
      {R"({"type":"map","values":"null"})", number(0), number(1) + sized("\xff") + number(0), "",
       "a string that is not UTF-8"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.why);
    const std::string json = R"({"type":"record","name":"r","fields":[{"name":"v","type":)" +
                             one.type + R"(},{"name":"n","type":"int"}]})";
    const std::string reader =
        one.reader.empty() ? ""
                           : R"({"type":"record","name":"r","fields":[{"name":"v","type":)" +
                                 one.reader + R"(},{"name":"n","type":"int"}]})";
    for (const bool packed : {false, true}) {
      dead_.letters.clear();
      const std::string bad = one.bad + number(2);
      const std::string records =
          one.good + number(1) + bad + one.good + number(3) + one.good + number(4);
      const std::string header = avro_header(json, packed ? "deflate" : "null");
      std::string data = records;
      if (packed) avro_deflate(records, data);
      EXPECT_EQ(read(header + block(header, 4, data), reader).size(), 3U);
      EXPECT_EQ(value(1, "n").integer, 3);
      EXPECT_EQ(value(2, "n").integer, 4);
      EXPECT_EQ(reason(), "record 2 of 4 in the block: v: " + one.why);
      ASSERT_EQ(dead_.letters.size(), 1U);
      EXPECT_EQ(dead_.letters[0].text, bad);
      EXPECT_EQ(dead_.letters[0].line, 2U);
      EXPECT_EQ(batch_->records[1].end_line, 3U);
    }
  }
}

TEST_F(AvroDecoderTest, loses_what_is_behind_bytes_that_cannot_be_walked_over) {
  const std::string json =
      R"({"type":"record","name":"r","fields":[{"name":"s","type":"string"},{"name":"u","type":["null","int"]}]})";
  const std::string good = sized("a") + number(0);
  for (const std::string& bad : {sized("\xff") + number(2), number(-1) + number(0),
                                 sized("\xff") + std::string(10, '\xff')}) {
    dead_.letters.clear();
    EXPECT_EQ(read(file(json, 4, good + bad + good + good)).size(), 1U);
    ASSERT_EQ(dead_.letters.size(), 1U);
    EXPECT_NE(reason().find("record 2 of 4 in the block, and all behind it: "), std::string::npos)
        << reason();
  }
}

// Letters of one block cannot wait for each other to be written.
TEST_F(AvroDecoderTest, sums_up_very_many_of_one_block_that_are_not_wanted) {
  std::string data;
  for (int i = 0; i < 5000; ++i) data += sized(i % 2 == 0 ? "ok" : "\xff");
  EXPECT_EQ(read(file("\"string\"", 5000, data)).size(), 2500U);
  ASSERT_EQ(dead_.letters.size(), 1001U);
  EXPECT_EQ(reason(),
            "record 2002 of 5000 in the block: a string that is not UTF-8, and more such in it: "
            "1499");
  EXPECT_EQ(dead_.letters.back().line, 3501U);
}

TEST_F(AvroDecoderTest, is_not_believed_where_counts_and_depths_lie) {
  read(file(record(R"({"type":"array","items":"null"})"), 1, number(INT64_MAX) + number(0)));
  EXPECT_EQ(reason(), "record 1 of 1 in the block: v: more than 65,536 items that take no bytes");
  read(file(record(R"({"type":"array","items":"int"})"), 1, number(INT64_MAX) + number(0)));
  EXPECT_EQ(reason(),
            "record 1 of 1 in the block, and all behind it: v: more items than what is left of the "
            "data can hold");
  read(file("\"null\"", INT64_MAX, ""));
  EXPECT_EQ(
      reason(),
      "record 65537 of 9223372036854775807 in the block, and all behind it: they have no bytes");
  const std::string list =
      R"({"type":"record","name":"r","fields":[{"name":"v","type":["null","r"]}]})";
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += number(1);
  read(file(list, 1, deep + number(0)));
  EXPECT_NE(reason().find("nested more than 60 levels deep"), std::string::npos) << reason();
  std::string schema_bomb;
  for (int i = 0; i < 900; ++i) schema_bomb += R"({"type":"array","items":)";
  read(file(schema_bomb + "\"int\"" + std::string(900, '}'), 0, ""));
  EXPECT_NE(reason().find("nested too deep"), std::string::npos) << reason();
  // Each of the bytes of an array is a symbol of 10,000.
  const std::string symbol(10'000, 'a');
  read(file(record(R"({"type":"array","items":{"type":"enum","name":"e","symbols":[")" + symbol +
                   "\"]}}"),
            1, number(1'000'000) + std::string(1'000'001, '\0')));
  EXPECT_NE(reason().find("as JSON"), std::string::npos) << reason();
}

// Records of nothing but two records each, 40 levels deep: 2^40 values in a kilobyte.
TEST_F(AvroDecoderTest, does_nothing_for_values_that_take_no_bytes) {
  std::string nothing = R"({"type":"record","name":"E0","fields":[]})";
  for (int i = 1; i < 40; ++i)
    nothing = R"({"type":"record","name":"E)" + std::to_string(i) +
              R"(","fields":[{"name":"a","type":)" + nothing + R"(},{"name":"b","type":"E)" +
              std::to_string(i - 1) + "\"}]}";
  const auto with = [](const std::string& type) {
    return R"({"type":"record","name":"r","fields":[{"name":"n","type":"int"},{"name":"v","type":)" +
           type + "}]}";
  };
  const std::string wanted = R"({"type":"record","name":"r","fields":[{"name":"n","type":"int"}]})";
  EXPECT_EQ(read(file(with(nothing), 2, number(1) + number(2)), wanted),
            (Strings{R"({"n":1})", R"({"n":2})"}));
  EXPECT_EQ(read(file(with(R"({"type":"array","items":)" + nothing + "}"), 2,
                      number(1) + number(INT64_MAX) + number(0) + number(2) + number(0)),
                 wanted),
            (Strings{R"({"n":1})", R"({"n":2})"}));
  EXPECT_EQ(dead_.letters.size(), 0U);
  EXPECT_EQ(read(file(with(nothing), 1, number(1))), Strings{});
  EXPECT_EQ(reason(), "more than 65,536 values that take no bytes");
  EXPECT_EQ(read(file(with(R"(["null",)" + nothing + "]"), 2,
                      number(1) + number(1) + number(2) + number(0))),
            Strings{R"({"n":2,"v":null})"});
  EXPECT_EQ(reason(), "record 1 of 2 in the block: v: more than 65,536 values that take no bytes");
}

TEST_F(AvroDecoderTest, bounds_what_defaults_make_of_each_other) {
  std::string twice =
      R"({"type":"record","name":"E0","fields":[{"name":"i","type":"int","default":0}]})";
  for (int i = 1; i < 30; ++i)
    twice = R"({"type":"record","name":"E)" + std::to_string(i) +
            R"(","fields":[{"name":"a","default":{},"type":)" + twice +
            R"(},{"name":"b","default":{},"type":"E)" + std::to_string(i - 1) + "\"}]}";
  const AvroSchemaRef reader =
      schema(record("\"int\"", R"(},{"name":"x","default":{},"type":)" + twice));
  const Status good = avro_check_defaults(*reader);
  ASSERT_FALSE(good);
  EXPECT_NE(good.error().message().find("make more than 65,536 values"), std::string::npos)
      << good.error().message();
  EXPECT_TRUE(avro_check_defaults(*schema(record("\"int\"", R"(,"default":1)"))));
  EXPECT_FALSE(AvroPlan::make(schema(record("\"int\"")), reader));
}

TEST_F(AvroDecoderTest, says_what_is_wrong_with_a_header) {
  EXPECT_EQ(read("not avro at all"), Strings{});
  EXPECT_EQ(reason(), "no Avro container file: it does not begin with \"Obj\", 1");
  read(avro_header("\"int\"", "snappy"));
  EXPECT_EQ(reason(), "its blocks are packed by snappy, of which leat has only deflate (and null)");
  read(
      avro_header(R"({"type":"record","name":"r","fields":[{"name":"a","type":"Unit"}]})", "null"));
  EXPECT_EQ(reason(), "the schema: fields[0].type: no type \"Unit\" is known there");
  read(avro_header("{", "null"));
  EXPECT_EQ(reason(), "the schema is no JSON");
}

TEST_F(AvroDecoderTest, goes_on_in_the_middle_when_it_was_shown_the_start) {
  const std::string header = avro_header(kPoint, "null");
  const std::string good = block(header, 2, number(1) + sized("a") + number(2) + sized("b"));
  AvroDecoder decoder({});
  BatchRef start = bytes_of(header + good);
  start->preamble = true;
  ASSERT_TRUE(decoder.decode(*start, dead_));
  EXPECT_EQ(start->records.size(), 0U);
  BatchRef middle = bytes_of(good);
  middle->begin.offset = header.size() + good.size();
  EXPECT_EQ(decode(decoder, middle), (Strings{R"({"x":1,"s":"a"})", R"({"x":2,"s":"b"})"}));
  EXPECT_EQ(batch_->records[0].end_offset, good.size()) << "a block is acknowledged as a whole";
  EXPECT_EQ(batch_->records[1].end_offset, good.size());
  EXPECT_EQ(batch_->records[1].end_line, 2U);
}

TEST_F(AvroDecoderTest, ends_a_turn_behind_a_block_of_which_much_was_made) {
  const std::string header = avro_header(kPoint, "null");
  std::string data;
  for (int i = 0; i < 500; ++i) data += number(i) + sized("some text that is not short");
  AvroDecoder decoder({});
  BatchRef batch = bytes_of(header + block(header, 500, data) + block(header, 500, data));
  batch->end.offset = batch->bytes.size();
  batch->quantum = 1000;
  EXPECT_EQ(decode(decoder, batch).size(), 500U);
  BatchRef rest = std::move(batch_->rest);  // as a chain does: each keeps the other
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->begin.line, 500U);
  EXPECT_EQ(decode(decoder, rest).size(), 500U);
}

TEST_F(AvroDecoderTest, is_cut_behind_blocks) {
  const std::string header = avro_header(kPoint, "null");
  const std::string good = block(header, 1, number(1) + sized("a"));
  const std::string all = header + good + good;
  const AvroFraming framing;
  EXPECT_EQ(framing.complete_prefix(all.substr(0, 10)), 0U);
  EXPECT_EQ(framing.complete_prefix(all.substr(0, all.size() - 1)), header.size() + good.size());
  EXPECT_EQ(framing.complete_prefix(all), all.size());
  EXPECT_EQ(framing.first_longer(all, header.size()), std::string_view::npos);
  EXPECT_EQ(framing.first_longer(all, header.size() - 1), 0U);
  GivenUp place;
  const std::string lost = "\x7e" + std::string(200, 'x') + good;
  EXPECT_EQ(framing.behind_given_up(lost, 100, place), lost.size());
  EXPECT_FALSE(place.going_on);
}

TEST_F(AvroDecoderTest, reads_single_messages) {
  AvroDialect bare;
  bare.encoding = AvroEncoding::kBare;
  bare.schema = schema(kPoint);
  bare.plans.emplace_back(0, *AvroPlan::make(bare.schema, bare.schema));
  AvroDecoder decoder(bare);
  EXPECT_EQ(decode(decoder, slices_of({number(1) + sized("a"), number(1) + sized("a") + "!",
                                       number(2) + sized("b")})),
            (Strings{R"({"x":1,"s":"a"})", R"({"x":2,"s":"b"})"}));
  EXPECT_EQ(dead_.reasons(), Strings{"bytes behind the record: it may be of another schema"});
  dead_.letters.clear();

  AvroDialect single = bare;
  single.encoding = AvroEncoding::kSingleObject;
  const uint64_t fingerprint = avro_fingerprint(avro_canonical_form(*single.schema));
  single.plans[0].first = fingerprint;
  AvroDecoder other(single);
  std::string head(kAvroSingleMagic);
  head.append(reinterpret_cast<const char*>(&fingerprint), 8);
  EXPECT_EQ(decode(other, slices_of({head + number(1) + sized("a"),
                                     "\xC3\1"
                                     "12345678",
                                     "x"})),
            Strings{R"({"x":1,"s":"a"})"});
  EXPECT_EQ(dead_.letters.size(), 2U);
}

// Fingerprints of the specification's own test set (share/test/data/schema-tests.txt).
TEST_F(AvroDecoderTest, knows_schemas_by_their_fingerprint) {
  const auto fingerprint = [](std::string_view json) {
    return static_cast<int64_t>(avro_fingerprint(avro_canonical_form(*schema(json))));
  };
  EXPECT_EQ(fingerprint("\"null\""), 7195948357588979594);
  EXPECT_EQ(fingerprint(R"({"type":"int"})"), 8247732601305521295);
  EXPECT_EQ(fingerprint("\"string\""), -8142146995180207161);
  EXPECT_EQ(fingerprint(R"({"fields":[], "type":"record", "name":"foo"})"), -4824392279771201922);
  EXPECT_EQ(
      avro_canonical_form(*schema(R"({"type":"record","name":"foo","namespace":"x.y","doc":"d",
      "fields":[{"name":"f","type":{"type":"int","logicalType":"date"},"default":1},{"name":"g","type":["null","foo"]}]})")),
      R"({"name":"x.y.foo","type":"record","fields":[{"name":"f","type":"int"},{"name":"g","type":["null","x.y.foo"]}]})");
}

}  // namespace
}  // namespace leat
