// UTF-16 (RFC 2781) as the text formats read it: turned into UTF-8 a batch at a time, with the way
// back from a place in the text to the offset in the source, so that positions stay byte offsets.
//
// Which byte comes first is told by the byte order mark at the start, else by the first line end.
// U+000A with its bytes swapped is U+0A00, which is no character, so a line end is known as one in
// either order: framing needs no mark, wherever in a file it begins.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

#include "memory/arena.h"
#include "record/batch.h"

namespace leat {

enum class ByteOrder : uint8_t { kLittle, kBig };

// Of the mark that `bytes` begin with.
std::optional<ByteOrder> order_of_mark(std::string_view bytes);
// By the mark or the first line end of `bytes`, which begin at a character; when they tell nothing,
// the usual one.
ByteOrder utf16_order_of(std::string_view bytes);

// Behind the first line end at or behind `from`, which is even; npos when there is none.
size_t utf16_line_end(std::string_view bytes, size_t from = 0);
// Behind the last one; 0 when there is none.
size_t utf16_last_line_end(std::string_view bytes);

// Writes at most utf8_room() bytes and returns how many. What is no character (half of a surrogate
// pair, an odd byte at the end) becomes something that is no UTF-8, for the reader to find.
size_t utf16_to_utf8(std::string_view bytes, ByteOrder order, char* out);
constexpr size_t utf8_room(size_t bytes) {
  return 3 * ((bytes + 1) / 2);
}

// What a decoder reads: bytes as they are, or UTF-8 made of UTF-16.
class InputText {
 public:
  explicit InputText(std::span<char> bytes) : text_(bytes), at_(bytes.data()) {}
  // Made of `source`, whose first `mark` bytes say how.
  InputText(std::span<char> text, std::string_view source, uint32_t mark)
      : text_(text), at_(text.data()), source_(source), mark_(mark), offset_(mark), made_(true) {}

  char* begin() const { return text_.data(); }
  char* end() const { return text_.data() + text_.size(); }
  // In the source's bytes. Of places in ascending order, and before the text up to there is
  // changed.
  uint32_t offset_of(const char* place) {
    if (made_)
      advance(place);
    else
      offset_ = static_cast<uint32_t>(place - text_.data());
    return offset_;
  }
  // The offset of the last place that was asked for, or of where the text begins.
  uint32_t last_offset() const { return offset_; }
  // What a dead letter keeps of a record: its text, or what that was made of, from one offset to
  // the other, with what tells the byte order: the mark, and the end of its line.
  std::string_view original(std::string_view text, uint32_t from, uint32_t to) const {
    if (!made_) return text;
    if (from == mark_) from = 0;
    return source_.substr(from, to - from);
  }

 private:
  void advance(const char* place);

  std::span<char> text_;
  const char* at_;
  std::string_view source_;
  uint32_t mark_ = 0;
  uint32_t offset_ = 0;
  bool made_ = false;
};

// Turns what is UTF-16 into text; each partition of a source has its byte order.
class Utf16Reader {
 public:
  // Of a kBytes batch, in its arena.
  InputText stream(Batch& batch);
  // Behind each batch that was read: a partition that has ended is forgotten.
  void done(const Batch& batch) {
    if (batch.end.last) orders_.erase(batch.begin.partition);
  }
  // A message of its own.
  static InputText message(std::string_view bytes, Arena& arena);

 private:
  std::unordered_map<uint32_t, ByteOrder> orders_;
};

}  // namespace leat
