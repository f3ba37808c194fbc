#include "codec/text/utf16.h"

namespace leat {
namespace {

constexpr size_t kUnit = 2;
constexpr char kNoCharacter = '\xFF';  // stands for one byte of the source

uint16_t unit_at(std::string_view bytes, size_t at, ByteOrder order) {
  auto first = static_cast<unsigned char>(bytes[at]);
  auto second = static_cast<unsigned char>(bytes[at + 1]);
  return static_cast<uint16_t>(order == ByteOrder::kLittle ? first | second << 8
                                                           : first << 8 | second);
}

// In either order.
bool line_end_at(std::string_view bytes, size_t at) {
  return (bytes[at] == '\n' && bytes[at + 1] == '\0') ||
         (bytes[at] == '\0' && bytes[at + 1] == '\n');
}

bool is_high(uint16_t unit) {
  return (unit & 0xFC00) == 0xD800;
}
bool is_low(uint16_t unit) {
  return (unit & 0xFC00) == 0xDC00;
}

char* put(uint32_t code, char* out) {
  auto tail = [&out, code](int shift) {
    *out++ = static_cast<char>(0x80 | (code >> shift & 0x3F));
  };
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
  return out;
}

// `mark`: bytes at the start that are a byte order mark.
InputText text_of(std::string_view bytes, size_t mark, ByteOrder order, Arena& arena) {
  const std::string_view source = bytes;
  bytes.remove_prefix(mark);
  char* text = arena.array<char>(utf8_room(bytes.size()));
  return InputText({text, utf16_to_utf8(bytes, order, text)}, source, static_cast<uint32_t>(mark));
}

}  // namespace

std::optional<ByteOrder> order_of_mark(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE")) return ByteOrder::kLittle;
  if (bytes.starts_with("\xFE\xFF")) return ByteOrder::kBig;
  return std::nullopt;
}

ByteOrder utf16_order_of(std::string_view bytes) {
  if (std::optional<ByteOrder> order = order_of_mark(bytes)) return *order;
  const size_t end = utf16_line_end(bytes);
  if (end == std::string_view::npos) return ByteOrder::kLittle;
  return bytes[end - 1] == '\n' ? ByteOrder::kBig : ByteOrder::kLittle;
}

size_t utf16_line_end(std::string_view bytes, size_t from) {
  for (size_t at = from; at + kUnit <= bytes.size(); at += kUnit)
    if (line_end_at(bytes, at)) return at + kUnit;
  return std::string_view::npos;
}

size_t utf16_last_line_end(std::string_view bytes) {
  for (size_t end = bytes.size() / kUnit * kUnit; end > 0; end -= kUnit)
    if (line_end_at(bytes, end - kUnit)) return end;
  return 0;
}

size_t utf16_to_utf8(std::string_view bytes, ByteOrder order, char* out) {
  char* const begin = out;
  size_t at = 0;
  while (at + kUnit <= bytes.size()) {
    uint32_t code = unit_at(bytes, at, order);
    if (line_end_at(bytes, at)) code = '\n';  // as framing sees it
    at += kUnit;
    if (is_high(static_cast<uint16_t>(code)) && at + kUnit <= bytes.size()) {
      uint16_t low = unit_at(bytes, at, order);
      if (is_low(low)) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00u);
        at += kUnit;
      }
    }
    out = put(code, out);
  }
  if (at < bytes.size()) *out++ = kNoCharacter;
  return static_cast<size_t>(out - begin);
}

void InputText::advance(const char* place) {
  for (; at_ < place; ++at_) {
    auto byte = static_cast<unsigned char>(*at_);
    if ((byte & 0xC0) == 0x80) continue;  // the first byte of the character counts for all
    offset_ += *at_ == kNoCharacter ? 1 : byte < 0xF0 ? kUnit : 2 * kUnit;
  }
}

InputText Utf16Reader::stream(Batch& batch) {
  const std::string_view bytes(batch.bytes.data(), batch.bytes.size());
  if (bytes.empty()) return InputText(batch.bytes);
  const uint32_t partition = batch.begin.partition;
  const bool at_start = batch.preamble || batch.begin.offset == 0;
  const size_t mark = at_start && order_of_mark(bytes) ? kUnit : 0;
  auto known = orders_.find(partition);
  if (known == orders_.end() || at_start)
    known = orders_.insert_or_assign(partition, utf16_order_of(bytes)).first;
  return text_of(bytes, mark, known->second, batch.arena);
}

InputText Utf16Reader::message(std::string_view bytes, Arena& arena) {
  return text_of(bytes, order_of_mark(bytes) ? kUnit : 0, utf16_order_of(bytes), arena);
}

}  // namespace leat
