#include <set>

#include "codec_fixture.h"
#include "stage/format.h"

namespace leat {
namespace {

class FormatsTest : public CodecTest {};

// What this build has: any format can be left out.
TEST_F(FormatsTest, are_found_by_name) {
  for (const ReadFormat* format : read_formats()) {
    EXPECT_EQ(find_read_format(format->name), format) << format->name;
    const ReadFormat* also = format->also.empty() ? format : find_read_format(format->also);
    EXPECT_EQ(also, format) << format->also;
  }
  for (const WriteFormat* format : write_formats()) {
    EXPECT_EQ(find_write_format(format->name), format) << format->name;
    EXPECT_EQ(find_format_of_wire(format->wire), format) << format->wire;
  }
  EXPECT_EQ(find_read_format("parquet"), nullptr);
  EXPECT_EQ(find_read_format(""), nullptr);
  EXPECT_EQ(find_write_format(""), nullptr);
  EXPECT_EQ(find_format_of_wire(""), nullptr);
}

TEST_F(FormatsTest, say_in_their_descriptors_what_others_need_to_know) {
  for (const WriteFormat* format : write_formats()) {
    const ReadFormat* back = find_read_format(format->read_as);
    EXPECT_EQ(back == nullptr, !format->header_option.empty())
        << format->name << " can be read again, or needs its options for that";
    EXPECT_TRUE(back == nullptr || format->separator > 0 || back->wire == format->wire)
        << format->name;
    EXPECT_TRUE(format->separator == 0 || !format->close.empty()) << format->name;
    EXPECT_TRUE(format->footer == nullptr || !format->close.empty()) << format->name;
    if (format->header_option.empty()) continue;
    Options options(format->options);
    EXPECT_FALSE(options.has(format->header_option)) << "it must be asked for";
  }
}

TEST_F(FormatsTest, pass_through_only_where_a_sink_writes_the_same_bytes) {
  for (const ReadFormat* format : read_formats()) {
    if (!format->passes_through(Options(format->options))) continue;
    const WriteFormat* same = find_format_of_wire(format->wire);
    ASSERT_NE(same, nullptr) << format->name;
    EXPECT_EQ(same->separator, 0U) << format->name;
  }
}

// Every pair of a source's and a sink's format carries a record, with default options.
TEST_F(FormatsTest, carry_records_from_each_to_each) {
  const std::pair<std::string_view, std::string_view> inputs[] = {{"json", "{\"v\":\"x\"}\n"},
                                                                  {"csv", "v\nx\n"},
                                                                  {"lines", "x\n"},
                                                                  {"raw", "x"},
                                                                  {"xml", "<r><v>x</v></r>"}};
  for (const auto& [name, input] : inputs) {
    const ReadFormat* read = find_read_format(name);
    if (read == nullptr) continue;  // left out of this build
    for (const WriteFormat* write : write_formats()) {
      auto decoder = read->make_decoder(Options(read->options));
      auto encoder = write->make_encoder(Options(write->options));
      ASSERT_TRUE(decoder && encoder);
      auto framing = read->make_framing(Options(read->options));
      EXPECT_EQ(framing->complete_prefix(input), input.size());
      decode(**decoder, input);
      std::string slices = encode(**encoder, *batch_);
      ASSERT_EQ(encoded_->slices.size(), 1U) << name << " to " << write->name;
      DocumentWrap wrap = write->wrap(encoder->get());
      slices.resize(slices.size() - wrap.drop_last);
      std::string document = wrap.open + slices + wrap.close;
      EXPECT_NE(document.find(name == "raw" && write->name != "raw" && write->name != "lines" &&
                                      !write->packs
                                  ? "eA=="
                                  : "x"),
                std::string::npos)
          << document;
    }
  }
  EXPECT_EQ(dead_.reasons(), Strings{});
}

TEST_F(FormatsTest, enclose_documents) {
  for (const WriteFormat* format : write_formats()) {
    DocumentWrap wrap = format->wrap(nullptr);
    bool array = format->name == "json";
    const std::string_view xml = "</records>\n";  // the start of it is the encoder's to say
    EXPECT_EQ(wrap.open + wrap.close, array                   ? "[]"
                                      : format->name == "xml" ? xml
                                                              : std::string_view())
        << format->name;
    EXPECT_EQ(wrap.drop_last, array ? 1U : 0U) << format->name;
  }
}

TEST_F(FormatsTest, say_what_is_wrong_with_csv_options) {
  const ReadFormat* csv = find_read_format("csv");
  if (csv == nullptr) GTEST_SKIP() << "left out of this build";
  Options options(csv->options, "pipelines[0].source.csv");
  options.set("delimiter", ";;");
  auto decoder = csv->make_decoder(options);
  ASSERT_FALSE(decoder);
  EXPECT_EQ(decoder.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(decoder.error().message(),
            "pipelines[0].source.csv.delimiter: must be one character (\\t for a tab) that is not "
            "part of numbers, found \";;\"");
  EXPECT_NE(csv->make_framing(options), nullptr) << "so that the error can be reported at all";
}

TEST_F(FormatsTest, need_a_preamble_where_the_start_of_the_input_matters) {
  const ReadFormat* csv = find_read_format("csv");
  if (csv == nullptr) GTEST_SKIP() << "left out of this build";
  Options options(csv->options);
  EXPECT_TRUE(csv->needs_preamble(options));
  options.set("header", false);
  EXPECT_FALSE(csv->needs_preamble(options));
  options.set("startRow", int64_t{3});
  EXPECT_TRUE(csv->needs_preamble(options));
}

}  // namespace
}  // namespace leat
