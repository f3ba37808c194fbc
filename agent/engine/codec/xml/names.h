// The names of elements and attributes, each kept once: what is worked out for a name is found at
// it, and a record's fields are compared by address.
//
// Thread: the pipeline's loop thread. One of it per decoder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace leat {

struct XmlName {
  std::string text;    // of the field: attributes begin with '@'
  bool array = false;  // an array also where there is one
  // Of the children of the element that is looked at: those of one name in a row.
  uint64_t seen_in = 0;
  uint32_t last = 0;
  XmlName* followed_by = nullptr;  // in the document, when it was there last
};

class XmlNames {
 public:
  explicit XmlNames(const std::vector<std::string>& arrays) : arrays_(arrays) {}

  // Names come in nearly the same order again and again: the one expected is only compared.
  XmlName& attribute(const char* name) { return get(name, '@'); }
  XmlName& element(const char* name) { return get(name, '\0'); }

  // More than a decoder should remember. Forgotten by clear(), which makes all of them invalid.
  bool too_many() const { return held_ > kMost; }
  void clear();
  size_t held() const { return held_; }

 private:
  static constexpr size_t kMost = 64 * 1024;
  XmlName& get(const char* name, char mark);

  const std::vector<std::string>& arrays_;
  std::unordered_map<std::string_view, std::unique_ptr<XmlName>> names_;
  XmlName* last_ = nullptr;
  std::string scratch_;
  size_t held_ = 0;
};

}  // namespace leat
