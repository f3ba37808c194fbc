// Any bytes as what a serial line brings; the first byte chooses the framing, the second the
// checksum and where the input is cut. Promises: nothing is read out of bounds, no frame is longer
// than allowed, it does not matter in which pieces the bytes come, and what is held is bounded.
#include <algorithm>

#include "connectors/serial/framer.h"
#include "connectors/serial/marked_input.h"
#include "fuzz_support.h"

namespace leat::fuzz {
namespace {

using namespace leat::serial;

constexpr size_t kMaxLength = 24;

// Markers that replay.cpp's pieces have, too.
FrameRules rules_of(uint8_t choice, uint8_t more) {
  FrameRules rules;
  rules.type = static_cast<FrameType>(choice % 5);
  bool wide = (choice & 32) != 0;
  switch (rules.type) {
    case FrameType::kLine:
      rules.end = "\n";
      break;
    case FrameType::kDelimiter:
      rules.end = wide ? "\r\n" : ",";
      break;
    case FrameType::kLength:
      rules.length = 1 + more % kMaxLength;
      if (wide) rules.start = "{\"";
      break;
    case FrameType::kStartEnd:
      rules.start = wide ? "{\"" : "{";
      rules.end = wide ? "\"\"" : "}";
      break;
    case FrameType::kGap:
      break;
  }
  bool can_escape = rules.type == FrameType::kDelimiter || rules.type == FrameType::kStartEnd;
  if (can_escape && (choice & 64) != 0) rules.escape = '\\';
  rules.escape_style = static_cast<EscapeStyle>(more % 3);
  rules.max_length = kMaxLength;
  rules.checksum = static_cast<Checksum>(more / 3 % 4);
  rules.skip_first = (choice & 128) != 0;
  return rules;
}

class Line final : public FrameListener, public MarkListener {
 public:
  explicit Line(const FrameRules& rules) : framer_(rules) {}

  void feed(std::string_view text) {
    Bytes bytes(text);
    input_.decode({bytes.data(), bytes.size()}, *this);
  }
  void end() {
    framer_.silence(*this);
    expect(!framer_.inside(), "silence ends what there is");
  }
  std::vector<std::string> said;

 private:
  void on_bytes(std::string_view bytes) override { framer_.feed(bytes, *this); }
  void on_damaged(char byte) override { framer_.feed_damaged(byte, *this); }
  void on_break() override { framer_.feed_break(*this); }
  void on_frame(std::string_view frame) override {
    expect(!frame.empty() && frame.size() <= kMaxLength, "a frame is as long as allowed");
    said.push_back("+" + std::string(frame));
  }
  void on_bad_frame(std::string_view bytes, std::string_view why) override {
    expect(bytes.size() <= Framer::kKeptOfTooLong, "of a bad frame little is kept");
    expect(!why.empty() && why.find('\n') == std::string_view::npos, "a reason is one line");
    said.push_back("-" + std::string(why) + ":" + std::string(bytes));
  }

  MarkedInput input_;
  Framer framer_;
};

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat::fuzz;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const leat::serial::FrameRules rules = rules_of(data[0], data[1]);

  Line whole(rules);
  whole.feed(text);
  whole.end();

  Line pieces(rules);
  size_t cut = text.size() * data[1] / 255;
  pieces.feed(text.substr(0, cut));
  for (char byte : text.substr(cut)) pieces.feed({&byte, 1});
  pieces.end();
  expect(whole.said == pieces.said, "it does not matter in which pieces the bytes come");
  return 0;
}
