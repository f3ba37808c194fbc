#include <set>

#include "codec_fixture.h"
#include "stage/codec.h"

namespace leat {
namespace {

class FormatsTest : public CodecTest {};

TEST_F(FormatsTest, are_found_by_name) {
  for (const char* name : {"json", "csv", "lines", "raw"}) {
    ASSERT_NE(find_read_format(name), nullptr) << name;
    EXPECT_EQ(find_read_format(name)->name, name);
  }
  for (const char* name : {"ndjson", "json", "csv", "lines", "raw"}) {
    ASSERT_NE(find_write_format(name), nullptr) << name;
    EXPECT_EQ(find_write_format(name)->name, name);
  }
  EXPECT_EQ(find_read_format("ndjson"), find_read_format("json"));
  EXPECT_EQ(find_read_format("avro"), nullptr);
  EXPECT_EQ(find_write_format(""), nullptr);
}

TEST_F(FormatsTest, pass_through_only_between_equal_bytes) {
  EXPECT_EQ(find_read_format("json")->wire, find_write_format("ndjson")->wire);
  EXPECT_NE(find_read_format("json")->wire, find_write_format("json")->wire);
  for (const ReadFormat* format : read_formats())
    EXPECT_EQ(format->passes_through(Options(format->options)), format->name != "csv");
}

// Every pair of a source's and a sink's format carries a record, with default options.
TEST_F(FormatsTest, carry_records_from_each_to_each) {
  const std::pair<std::string_view, std::string_view> inputs[] = {
      {"json", "{\"v\":\"x\"}\n"}, {"csv", "v\nx\n"}, {"lines", "x\n"}, {"raw", "x"}};
  for (const auto& [name, input] : inputs) {
    const ReadFormat* read = find_read_format(name);
    for (const WriteFormat* write : write_formats()) {
      auto decoder = read->make_decoder(Options(read->options));
      auto encoder = write->make_encoder(Options(write->options));
      ASSERT_TRUE(decoder && encoder);
      auto framing = read->make_framing(Options(read->options));
      EXPECT_EQ(framing->complete_prefix(input), input.size());
      decode(**decoder, input);
      std::string slices = encode(**encoder, *batch_);
      ASSERT_EQ(encoded_->slices.size(), 1U) << name << " to " << write->name;
      Enclosure enclosure = write->enclosure(encoder->get());
      slices.resize(slices.size() - enclosure.drop_last);
      std::string document = enclosure.open + slices + enclosure.close;
      EXPECT_NE(document.find(
                    name == "raw" && write->name != "raw" && write->name != "lines" ? "eA==" : "x"),
                std::string::npos)
          << document;
    }
  }
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(FormatsTest, enclose_documents) {
  const WriteFormat* json = find_write_format("json");
  Enclosure array = json->enclosure(nullptr);
  EXPECT_EQ(array.open + array.close, "[]");
  EXPECT_EQ(array.drop_last, 1U);
  EXPECT_EQ(find_write_format("ndjson")->enclosure(nullptr).open, "");
  EXPECT_EQ(find_write_format("csv")->enclosure(nullptr).open, "");
}

TEST_F(FormatsTest, say_what_is_wrong_with_csv_options) {
  const ReadFormat* csv = find_read_format("csv");
  Options options(csv->options, "pipelines[0].source.csv");
  options.set("delimiter", ";;");
  auto decoder = csv->make_decoder(options);
  ASSERT_FALSE(decoder);
  EXPECT_EQ(decoder.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(decoder.error().message(),
            "pipelines[0].source.csv.delimiter: must be one character (\\t for a tab) that is not "
            "part of numbers");
  EXPECT_NE(csv->make_framing(options), nullptr) << "so that the error can be reported at all";
}

TEST_F(FormatsTest, need_a_preamble_where_the_start_of_the_input_matters) {
  const ReadFormat* csv = find_read_format("csv");
  Options options(csv->options);
  EXPECT_TRUE(csv->needs_preamble(options));
  options.set("header", false);
  EXPECT_FALSE(csv->needs_preamble(options));
  options.set("startRow", int64_t{3});
  EXPECT_TRUE(csv->needs_preamble(options));
  EXPECT_FALSE(find_read_format("json")->needs_preamble(Options()));
}

}  // namespace
}  // namespace leat
