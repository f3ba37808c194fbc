// Any bytes as what a broker sends, cut in two anywhere, in both versions of MQTT. Promises:
// nothing is read out of bounds or held without bound, the cut changes nothing, and what leat
// writes itself is read as it was meant.
#include "connectors/mqtt/field_maker.h"
#include "connectors/mqtt/options.h"
#include "fuzz_support.h"
#include "protocols/mqtt/framer.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/topic.h"
#include "protocols/mqtt/writer.h"

namespace leat::fuzz {
namespace {

using mqtt::Frame;
using mqtt::PacketType;
using mqtt::Version;

constexpr size_t kLargest = 64;

void write_again(const mqtt::Publish& publish, Version version) {
  mqtt::PublishHead head{
      .topic = publish.topic, .qos = publish.qos, .retain = publish.retained, .id = publish.id};
  std::string written;
  append_publish(written, version, head, publish.payload);
  expect(written.size() == publish_size(version, head, publish.payload.size()),
         "the size of a packet is known before it is made");
  mqtt::Framer framer(mqtt::kLongestPacket, [&](const Frame& frame) -> Result<bool> {
    Result<mqtt::Publish> read = read_publish(frame, version);
    expect(read && read->topic == publish.topic && read->payload == publish.payload &&
               read->qos == publish.qos && read->id == publish.id &&
               read->retained == publish.retained,
           "what we write is read as the same");
    return true;
  });
  expect(framer.feed(written).has_value(), "what we write is valid");
}

// What a packet says, in a line; "" when it is malformed.
std::string shown(const Frame& frame, Version version) {
  std::string out = std::to_string(static_cast<int>(frame.type)) + " ";
  switch (frame.type) {
    case PacketType::kConnack: {
      auto read = read_connack(frame, version);
      return read ? out + std::to_string(read->reason) : "";
    }
    case PacketType::kPublish: {
      auto read = read_publish(frame, version);
      if (!read) return "";
      expect(read->size >= read->topic.size() + read->payload.size(), "no more than came");
      if (!read->cut) write_again(*read, version);
      size_t pairs = 0;
      mqtt::each_text_property(read->properties.text, [&pairs](mqtt::Property, std::string_view,
                                                               std::string_view) { ++pairs; });
      (void)mqtt::check_topic(read->topic);
      return out + std::string(read->topic) + "|" + std::string(read->payload) +
             std::to_string(pairs) + (read->cut ? "cut" : "");
    }
    case PacketType::kSuback:
    case PacketType::kUnsuback: {
      auto read = read_suback(frame, version);
      return read ? out + std::string(read->reasons) : "";
    }
    case PacketType::kDisconnect: {
      auto read = read_disconnect(frame, version);
      return read ? out + std::to_string(read->reason) : "";
    }
    default: {
      auto read = read_ack(frame, version);
      return read ? out + std::to_string(read->id) : "";
    }
  }
}

// Reads `bytes` in two pieces; each third packet is not taken at first.
std::string read_all(std::string_view bytes, size_t cut, Version version, bool holding) {
  std::string out;
  size_t n = 0;
  mqtt::Framer framer(kLargest, [&](const Frame& frame) -> Result<bool> {
    if (holding && ++n % 3 == 0) return false;
    Bytes body(frame.body);
    Frame copy = frame;
    copy.body = {body.data(), body.size()};
    expect(frame.cut || frame.size <= kLargest, "no packet is larger than allowed");
    std::string one = shown(copy, version);
    if (one.empty()) return fail(ErrorKind::kData, "malformed");
    out += one + "\n";
    return true;
  });
  Status status;
  for (std::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    Bytes exact(piece);
    if (status) status = framer.feed({exact.data(), exact.size()});
    while (status && framer.holding()) status = framer.go_on();
  }
  expect(status || !status.error().message().empty(), "an error says why");
  return out;
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  size_t cut = bytes.empty() ? 0 : data[1] % (bytes.size() + 1);
  auto version = (data[0] & 1) != 0 ? mqtt::Version::k5 : mqtt::Version::k311;
  std::string whole = fuzz::read_all(bytes, 0, version, false);
  fuzz::expect(fuzz::read_all(bytes, cut, version, false) == whole, "a cut changes nothing");
  fuzz::expect(fuzz::read_all(bytes, cut, version, true) == whole, "a pause changes nothing");
  (void)mqtt::check_filter(bytes);
  (void)mqtt::matches(bytes.substr(0, cut), bytes.substr(cut));
  if (Result<mqtt::TopicPattern> pattern = mqtt::TopicPattern::parse(bytes.substr(0, cut))) {
    std::vector<std::string_view> levels;
    bool is_like = pattern->match(bytes.substr(cut), levels);
    fuzz::expect(levels.size() == (is_like ? pattern->names().size() : 0), "a value for each name");
  }
  return 0;
}
