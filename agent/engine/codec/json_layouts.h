// Shape prediction: the byte patterns of the shapes seen lately, to recognise the next record's
// names by comparing bytes instead of parsing and hashing them.
//
// Thread: the pipeline's loop thread. One cache per decoder.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/limits.h"
#include "record/shape.h"

namespace leat {

// `,"temp":` ready for comparison with input.
struct JsonKey {
  static constexpr uint32_t kShort = 16;

  // Up to 16 bytes are compared as two masked words: no call, and one branch.
  bool matches(const char* p, const char* end) const {
    if (size <= kShort && end - p >= static_cast<std::ptrdiff_t>(kShort)) {
      uint64_t word[2];
      std::memcpy(word, p, sizeof word);
      return (((word[0] ^ bytes[0]) & mask[0]) | ((word[1] ^ bytes[1]) & mask[1])) == 0;
    }
    return end - p >= static_cast<std::ptrdiff_t>(size) && std::memcmp(p, text, size) == 0;
  }

  uint64_t bytes[2] = {};
  uint64_t mask[2] = {};
  const char* text = nullptr;
  uint32_t size = 0;
};

// A shape as it looks in the input: `{"a":1,"b":2}`, or spaced as Python's json.dumps writes it,
// `{"a": 1, "b": 2}`.
class JsonLayout {
 public:
  JsonLayout(ShapeRef of, bool with_spaces);
  JsonLayout(const JsonLayout&) = delete;
  JsonLayout& operator=(const JsonLayout&) = delete;

  const ShapeRef shape;
  const bool spaced;
  std::vector<JsonKey> keys;
  uint64_t used = 0;           // JsonLayouts::tick_ when it became the current one
  uint64_t adopted_batch = 0;  // number of the last batch that adopted the shape

 private:
  std::string text_;  // what the keys point into
};

class JsonLayouts {
 public:
  // Enough for the kinds of records one stream mixes; searched one by one.
  static constexpr size_t kKept = 8;

  // Another layout than `from` whose first `field` names are those of `from` and which goes on as
  // the input at `p` does (with its next name, or with '}' behind its last). Null when none.
  JsonLayout* continue_from(const JsonLayout* from, size_t field, const char* p, const char* end);

  // The layout with these names (unique), made when it is not there; those not used for
  // longest make place. Other layouts must not be used any more then.
  JsonLayout* obtain(const std::vector<std::string_view>& names, bool spaced);
  // The same, but null when it is not there.
  JsonLayout* find(const std::vector<std::string_view>& names, bool spaced);

 private:
  JsonLayout* use(JsonLayout* layout) {
    layout->used = ++tick_;
    return layout;
  }

  void drop_oldest();

  std::vector<std::unique_ptr<JsonLayout>> layouts_;
  size_t fields_ = 0;  // of all of them, at most kMaxFields
  uint64_t tick_ = 0;
};

}  // namespace leat
