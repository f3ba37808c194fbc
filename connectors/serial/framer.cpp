#include "connectors/serial/framer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/units.h"

namespace leat::serial {
namespace {

bool is_filler(char c) {
  return c == '\r' || c == '\n' || c == ' ' || c == '\0';
}

char slip(char c) {
  return c == '\xDC' ? '\xC0' : c == '\xDD' ? '\xDB' : c;
}

std::string only_start(const std::string& what, size_t limit) {
  return what + " (" + format_bytes(static_cast<int64_t>(limit)) + "); only the start is kept here";
}

}  // namespace

Framer::Framer(FrameRules rules) : rules_(std::move(rules)) {
  begin();
}

void Framer::begin() {
  pending_.clear();
  tail_.clear();
  spoiled_ = {};
  plain_run_ = skipped_ = 0;
  hunting_ = !rules_.start.empty();
  escaped_ = skipping_ = false;
}

bool Framer::inside() const {
  return !hunting_ && (!pending_.empty() || escaped_ || skipping_ || !spoiled_.empty());
}

size_t Framer::drop() {
  size_t bytes = inside() ? pending_.size() : 0;
  begin();
  first_ = true;
  return bytes;
}

void Framer::feed(std::string_view bytes, FrameListener& out) {
  for (char byte : bytes) take(byte, out);
}

void Framer::take(char byte, FrameListener& out) {
  if (hunting_) return hunt(byte, out);
  if (std::exchange(escaped_, false)) return take_escaped(byte, out);
  if (rules_.escape && byte == *rules_.escape) {
    escaped_ = true;
    return;
  }
  add(byte, true, out);
}

void Framer::take_escaped(char byte, FrameListener& out) {
  switch (rules_.escape_style) {
    case EscapeStyle::kLiteral:
      return add(byte, false, out);
    case EscapeStyle::kHdlc:
    case EscapeStyle::kSlip:
      break;
  }
  // Never escaped so by a sender; in HDLC it is how a frame is given up (RFC 1662, section 4.3).
  if (rules_.end.size() == 1 && byte == rules_.end[0]) {
    spoiled_ = "its end came right behind an escape byte: the sender gave it up";
    return add(byte, true, out);
  }
  bool hdlc = rules_.escape_style == EscapeStyle::kHdlc;
  add(hdlc ? static_cast<char>(byte ^ 0x20) : slip(byte), false, out);
}

// Looks for the start marker.
void Framer::hunt(char byte, FrameListener& out) {
  if (pending_.size() < kKeptOfTooLong) pending_ += byte;
  ++skipped_;
  if (!is_filler(byte)) ++stray_total_;
  if (tail_.size() == rules_.start.size()) tail_.erase(0, 1);
  tail_ += byte;
  if (tail_ == rules_.start) {
    for (char c : rules_.start)
      if (!is_filler(c)) --stray_total_;
    begin();
    hunting_ = false;
  } else if (skipped_ >= rules_.max_length + rules_.start.size()) {
    // Said once per so many bytes: wrong settings of the line look like this.
    bad(pending_, only_start("no start marker in maxLength bytes", rules_.max_length), out);
    std::string tail = std::exchange(tail_, {});
    begin();
    tail_ = std::move(tail);  // a start marker may stand across this place
  }
}

bool Framer::ends_with(const std::string& marker) const {
  return plain_run_ >= marker.size() && pending_.ends_with(marker);
}

void Framer::add(char byte, bool plain, FrameListener& out) {
  pending_ += byte;
  plain_run_ = plain ? plain_run_ + 1 : 0;
  switch (rules_.type) {
    case FrameType::kLength:
      if (pending_.size() == rules_.length) finish(0, out);
      return;
    case FrameType::kGap:
      if (skipping_) pending_.clear();
      if (pending_.size() > rules_.max_length) too_long(out);
      return;
    case FrameType::kStartEnd:
      if (ends_with(rules_.start)) {
        std::string_view half(pending_.data(), pending_.size() - rules_.start.size());
        if (!skipping_ && !half.empty()) bad(half, "a new start came before its end", out);
        begin();
        hunting_ = false;
        return;
      }
      break;
    case FrameType::kLine:
    case FrameType::kDelimiter:
      break;
  }
  if (ends_with(rules_.end)) return finish(rules_.end.size(), out);
  if (skipping_) {
    size_t keep = std::max(rules_.start.size(), rules_.end.size());
    if (pending_.size() > keep) pending_.erase(0, pending_.size() - keep);
  } else if (pending_.size() >= rules_.max_length + rules_.end.size()) {
    too_long(out);
  }
}

void Framer::too_long(FrameListener& out) {
  bad(std::string_view(pending_).substr(0, kKeptOfTooLong),
      only_start("the frame is longer than maxLength", rules_.max_length), out);
  skipping_ = true;
  // What may be the beginning of the end.
  size_t keep = std::max(rules_.start.size(), rules_.end.size());
  pending_.erase(0, pending_.size() - std::min(pending_.size(), keep));
}

void Framer::finish(size_t marker, FrameListener& out) {
  std::string_view frame(pending_.data(), pending_.size() - marker);
  if (rules_.type == FrameType::kLine && frame.ends_with('\r')) frame.remove_suffix(1);
  bool first = std::exchange(first_, false);
  if (skipping_ || (first && rules_.skip_first)) {
    // It was reported, or is not wanted.
  } else if (!spoiled_.empty()) {
    out.on_bad_frame(frame, spoiled_);
  } else if (!frame.empty()) {
    std::string wrong = take_checksum(rules_.checksum, frame);
    if (!wrong.empty()) {
      out.on_bad_frame(frame, wrong);
    } else if (!frame.empty()) {
      out.on_frame(frame);
    }
  }
  begin();
}

void Framer::bad(std::string_view bytes, std::string_view why, FrameListener& out) {
  if (first_ && rules_.skip_first) return;
  out.on_bad_frame(bytes, why);
}

void Framer::feed_damaged(char byte, FrameListener& out) {
  if (hunting_) return hunt(byte, out);
  escaped_ = false;
  spoiled_ = "a byte of it was received with a parity or framing error";
  add(byte, false, out);
}

void Framer::feed_break(FrameListener& out) {
  if (!inside()) {
    if (hunting_) tail_.clear();
    return;
  }
  if (rules_.type == FrameType::kLength) return give_up(out, "the line had a break inside it");
  spoiled_ = "the line had a break inside it";
  escaped_ = false;
  plain_run_ = 0;
}

void Framer::silence(FrameListener& out) {
  if (rules_.type == FrameType::kGap) {
    if (inside()) finish(0, out);
  } else {
    give_up(out, "the line fell silent inside it");
  }
}

void Framer::give_up(FrameListener& out, std::string_view why) {
  if (inside()) {
    if (!skipping_) bad(pending_, why, out);
    first_ = false;
  }
  begin();
}

}  // namespace leat::serial
