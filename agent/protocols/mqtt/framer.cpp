#include "protocols/mqtt/framer.h"
#include "base/units.h"

#include <algorithm>

namespace leat::mqtt {
namespace {

// What is kept of a PUBLISH that is too large: its topic (at most 2 + 65,535 bytes) and packet
// identifier, which stand first [MQTT5 §3.3.2].
constexpr size_t kKeptOfCut = 2 + kLongestText + 2;

}  // namespace

Status Framer::feed(std::string_view bytes) {
  return partial_.feed(bytes, [this](std::string_view all) { return consume(all); });
}

Status Framer::go_on() {
  return partial_.go_on([this](std::string_view all) { return consume(all); });
}

void Framer::reset() {
  partial_.reset();
  std::string().swap(skipped_start_);
  skipping_ = false;
  to_skip_ = 0;
}

// Hands on the whole packets at the start of `bytes`; returns how much of it is done with.
Result<size_t> Framer::consume(std::string_view bytes) {
  const size_t all = bytes.size();
  while (!partial_.holding()) {
    if (skipping_) {
      Result<bool> over = skip(bytes);
      if (!over) return fail(over.error());
      if (!*over) break;
      continue;
    }
    Head head;
    Result<bool> known = read_head(bytes, head);
    if (!known) return fail(known.error());
    if (!*known) break;
    if (head.frame.size > largest_) {
      Result<size_t> begun = begin_skipping(bytes, head);
      if (!begun) return fail(begun.error());
      if (*begun == 0) break;
      bytes.remove_prefix(*begun);
      continue;
    }
    if (bytes.size() < head.frame.size) break;
    head.frame.body = bytes.substr(head.header, head.length);
    Result<bool> taken = take_(head.frame);
    if (!taken) return fail(taken.error());
    if (!*taken) {
      partial_.hold();
      break;
    }
    bytes.remove_prefix(head.frame.size);
  }
  return all - bytes.size();
}

// False: more bytes are needed. The length is a variable byte integer of at most four bytes
// [MQTT5 §1.5.5].
Result<bool> Framer::read_head(std::string_view bytes, Head& head) const {
  if (bytes.empty()) return false;
  auto first = static_cast<uint8_t>(bytes[0]);
  if (first >> 4 == 0) return fail(ErrorKind::kData, "a packet of the reserved type 0");
  head.frame.type = static_cast<PacketType>(first >> 4);
  head.frame.flags = first & 15;
  for (size_t i = 1;; ++i) {
    if (i > 4) return fail(ErrorKind::kData, "a packet whose length is not a valid number");
    if (i >= bytes.size()) return false;
    auto byte = static_cast<uint8_t>(bytes[i]);
    head.length |= static_cast<size_t>(byte & 0x7F) << (7 * (i - 1));
    if ((byte & 0x80) != 0) continue;
    head.header = i + 1;
    head.frame.size = head.header + head.length;
    return true;
  }
}

// Keeps the start of a packet that is too large. 0: it has not arrived yet.
Result<size_t> Framer::begin_skipping(std::string_view bytes, const Head& head) {
  if (head.frame.type != PacketType::kPublish)
    return fail(ErrorKind::kData, "a packet of " + format_count(head.frame.size, "byte"));
  size_t kept = std::min(head.length, kKeptOfCut);
  if (bytes.size() < head.header + kept) return size_t{0};
  skipped_start_ = bytes.substr(head.header, kept);
  skipped_ = head.frame;
  skipped_.cut = true;
  to_skip_ = head.length - kept;
  skipping_ = true;
  return head.header + kept;
}

// Throws bytes of the packet away; true when it is over and taken.
Result<bool> Framer::skip(std::string_view& bytes) {
  size_t now = std::min(to_skip_, bytes.size());
  bytes.remove_prefix(now);
  to_skip_ -= now;
  if (to_skip_ > 0) return false;
  skipped_.body = skipped_start_;
  Result<bool> taken = take_(skipped_);
  if (!taken) return taken;
  skipping_ = !*taken;
  if (skipping_)
    partial_.hold();
  else
    std::string().swap(skipped_start_);
  return !skipping_;
}

}  // namespace leat::mqtt
