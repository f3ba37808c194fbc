#include "connectors/serial/options.h"

#include <gtest/gtest.h>

namespace leat::serial {
namespace {

class SerialOptions : public ::testing::Test {
 protected:
  SerialOptions() : options_(kSourceOptions, "source") {
    options_.set("port", std::string("/dev/ttyUSB0"));
  }
  void set(std::string_view name, Options::Item item) { options_.set(name, std::move(item)); }
  void text(std::string_view name, std::string value) { options_.set(name, std::move(value)); }
  std::string error() {
    Result<Settings> settings = read_settings(options_);
    return settings ? "" : settings.error().message();
  }
  Settings settings() {
    Result<Settings> settings = read_settings(options_);
    EXPECT_TRUE(settings) << settings.error().message();
    return settings ? *settings : Settings();
  }
  Options options_;
};

TEST_F(SerialOptions, defaults_are_9600_8n1_and_lines) {
  Settings settings = this->settings();
  EXPECT_EQ(settings.line.baud_rate, 9600);
  EXPECT_EQ(settings.line.data_bits, 8);
  EXPECT_EQ(settings.line.parity, Parity::kNone);
  EXPECT_EQ(settings.line.stop_bits, 1);
  EXPECT_EQ(settings.line.flow_control, FlowControl::kNone);
  EXPECT_EQ(settings.frames.type, FrameType::kLine);
  EXPECT_EQ(settings.frames.end, "\n");
  EXPECT_EQ(settings.frames.checksum, Checksum::kNone);
  EXPECT_TRUE(settings.poll.request.empty());
}

TEST_F(SerialOptions, choices_become_what_they_name) {
  text("parity", "mark");
  text("flowControl", "dtrdsr");
  text("checksum", "nmea");
  text("framing.type", "delimiter");
  text("framing.delimiter", "0xC0");
  text("framing.escape", "0xDB");
  text("framing.escapeStyle", "slip");
  Settings settings = this->settings();
  EXPECT_EQ(settings.line.parity, Parity::kMark);
  EXPECT_EQ(settings.line.flow_control, FlowControl::kDtrDsr);
  EXPECT_EQ(settings.frames.checksum, Checksum::kNmea);
  EXPECT_EQ(settings.frames.end, "\xC0");
  EXPECT_EQ(settings.frames.escape, '\xDB');
  EXPECT_EQ(settings.frames.escape_style, EscapeStyle::kSlip);
}

TEST_F(SerialOptions, port_must_be_a_path) {
  for (const char* port : {"", "COM1", "ttyUSB0", "/dev/"}) {
    text("port", port);
    EXPECT_TRUE(error().starts_with("source.port: must be a path")) << port;
  }
}

TEST_F(SerialOptions, each_type_names_what_it_needs) {
  text("framing.type", "delimiter");
  EXPECT_EQ(error(),
            "source.framing.delimiter: missing, and required with \"type\": \"delimiter\"");
  text("framing.type", "length");
  EXPECT_EQ(error(), "source.framing.length: missing, and required with \"type\": \"length\"");
  text("framing.type", "startEnd");
  EXPECT_EQ(error(),
            "source.framing.start: missing, and required with \"type\": \"startEnd\"\n"
            "source.framing.end: missing, and required with \"type\": \"startEnd\"");
  text("framing.start", "<");
  EXPECT_EQ(error(), "source.framing.end: missing, and required with \"type\": \"startEnd\"");
  text("framing.end", ">");
  EXPECT_EQ(error(), "");
}

TEST_F(SerialOptions, gap_needs_a_gap) {
  text("framing.type", "gap");
  EXPECT_EQ(error(), "source.framing.gap: missing, and required with \"type\": \"gap\"");
  set("framing.gap", int64_t{20});
  EXPECT_EQ(settings().gap, Milliseconds(20));
}

TEST_F(SerialOptions, what_would_do_nothing_is_refused) {
  text("framing.delimiter", ";");
  EXPECT_EQ(error(), "source.framing.delimiter: does nothing with \"type\": \"line\"");
  options_ = Options(kSourceOptions, "source");
  text("port", "/dev/ttyS1");
  text("framing.escape", "0x7D");
  EXPECT_EQ(error(), "source.framing.escape: does nothing with \"type\": \"line\"");
  options_ = Options(kSourceOptions, "source");
  text("port", "/dev/ttyS1");
  text("framing.escapeStyle", "hdlc");
  EXPECT_EQ(error(), "source.framing.escapeStyle: does nothing without \"escape\"");
}

TEST_F(SerialOptions, bad_bytes_name_their_option) {
  text("framing.type", "delimiter");
  text("framing.delimiter", "");
  EXPECT_EQ(error(), "source.framing.delimiter: must not be empty");
  text("framing.delimiter", "0x1");
  EXPECT_TRUE(error().starts_with("source.framing.delimiter: must have two hex digits"));
  text("framing.delimiter", std::string(65, 'x'));
  EXPECT_EQ(error(), "source.framing.delimiter: must be at most 64 bytes, found 65 bytes");
}

TEST_F(SerialOptions, escape_is_one_byte_and_none_of_the_markers) {
  text("framing.type", "delimiter");
  text("framing.delimiter", "\\r\\n");
  text("framing.escape", "ab");
  EXPECT_EQ(error(), "source.framing.escape: must be at most 1 byte, found 2 bytes");
  text("framing.escape", "\\n");
  EXPECT_EQ(error(), "source.framing.escape: must not be a byte of the delimiter, start or end");
}

TEST_F(SerialOptions, same_start_and_end_are_a_delimiter) {
  text("framing.type", "startEnd");
  text("framing.start", "0x7E");
  text("framing.end", "~");
  EXPECT_TRUE(error().starts_with("source.framing.start: is the same as end")) << error();
}

TEST_F(SerialOptions, length_must_fit) {
  text("framing.type", "length");
  set("framing.length", int64_t{100});
  set("framing.maxLength", int64_t{99});
  EXPECT_EQ(error(), "source.framing.length: must not be more than maxLength");
}

TEST_F(SerialOptions, answer_must_be_able_to_end_before_its_timeout) {
  text("framing.type", "gap");
  set("framing.gap", int64_t{200});
  text("poll.request", "0x010300000001840A");
  set("poll.timeout", int64_t{200});
  EXPECT_EQ(error(), "source.poll.timeout: must be longer than framing.gap, which ends the answer");
  set("poll.timeout", int64_t{201});
  EXPECT_EQ(settings().poll.request.size(), 8u);
}

}  // namespace
}  // namespace leat::serial
