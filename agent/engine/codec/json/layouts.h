// Shape prediction: the byte patterns of the shapes seen lately, to recognise the next record's
// names by comparing bytes instead of parsing and hashing them.
//
// The names of all known shapes form a tree, one name a step. Where a record stops looking like the
// last one, one look-up in that tree finds a shape that goes on as the record does, however many
// shapes there are.
//
// Thread: the pipeline's loop thread. One cache per decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  uint32_t node = 0;  // of the tree of names: with this name
};

// A shape as it looks in the input: `{"a":1,"b":2}`, or spaced as Python's json.dumps writes it,
// `{"a": 1, "b": 2}`.
class JsonLayout {
 public:
  JsonLayout(ShapeRef of, bool with_spaces);
  JsonLayout(const JsonLayout&) = delete;
  JsonLayout& operator=(const JsonLayout&) = delete;

  size_t footprint() const;
  // About what one with these names takes, with its part of the tree.
  static size_t footprint_of(const std::vector<std::string_view>& names);

  const ShapeRef shape;
  const bool spaced;
  std::vector<JsonKey> keys;
  uint64_t adopted_batch = 0;  // number of the last batch that adopted the shape

 private:
  std::string text_;  // what the keys point into
};

class JsonLayouts {
 public:
  // What all of it may take (footprint()). Beyond that all is forgotten but the layout that is
  // made: a stream that has ever new shapes gains nothing from remembering them.
  void limit(size_t bytes) { most_ = bytes; }
  // A layout with these names may be made.
  bool has_room(const std::vector<std::string_view>& names) const {
    return JsonLayout::footprint_of(names) <= most_;
  }

  // Another layout than `from` whose first `field` names are those of `from` and which goes on as
  // the input at `p` does (with its next name, or with '}' behind its last). Null when none.
  JsonLayout* continue_from(const JsonLayout* from, size_t field, const char* p,
                            const char* end) const;

  // The layout with these names (unique), made when it is not there. Other layouts must not be used
  // any more then.
  JsonLayout* obtain(const std::vector<std::string_view>& names, bool spaced);
  // The same, but null when it is not there.
  JsonLayout* find(const std::vector<std::string_view>& names, bool spaced) const;

  size_t footprint() const;

 private:
  // The first names of one or more layouts. Layouts by 1 + their index: [1] of those with spaces.
  struct Node {
    uint32_t parent;
    uint32_t depth;     // how many names
    uint32_t any[2];    // some layout that begins so
    uint32_t exact[2];  // that has no other names; 0: none
  };
  static constexpr uint32_t kRoot = 0;

  JsonLayout* layout(uint32_t number) const {
    return number == 0 ? nullptr : layouts_[number - 1].get();
  }
  std::string_view last_name(const Node& node) const;
  size_t place(uint32_t parent, std::string_view name) const;
  uint32_t child(uint32_t parent, std::string_view name) const {
    return table_[place(parent, name)];
  }
  uint32_t obtain_child(uint32_t parent, std::string_view name, uint32_t number, bool spaced);
  void insert(std::unique_ptr<JsonLayout> made);
  void clear();
  void grow();

  std::vector<std::unique_ptr<JsonLayout>> layouts_;
  size_t layout_bytes_ = 0;
  std::vector<Node> nodes_ = {Node{}};
  // Open addressing by parent and name; at most half full. 0: nothing there, for nobody's child is
  // the root.
  std::vector<uint32_t> table_ = std::vector<uint32_t>(64);
  size_t most_ = SIZE_MAX;
};

}  // namespace leat
