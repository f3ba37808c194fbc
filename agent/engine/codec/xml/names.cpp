#include "codec/xml/names.h"

#include <algorithm>
#include <cstring>

namespace leat {

XmlName& XmlNames::get(const char* name, char mark) {
  if (last_ != nullptr && last_->followed_by != nullptr) {
    const char* expected = last_->followed_by->text.c_str();
    const bool marked = *expected == '@';
    if (marked == (mark != 0) && std::strcmp(expected + (marked ? 1 : 0), name) == 0) {
      last_ = last_->followed_by;
      return *last_;
    }
  }
  scratch_.clear();
  if (mark != 0) scratch_ += mark;
  scratch_ += name;
  auto found = names_.find(scratch_);
  if (found == names_.end()) {
    auto made = std::make_unique<XmlName>();
    made->text = scratch_;
    made->array = std::find(arrays_.begin(), arrays_.end(), scratch_) != arrays_.end();
    held_ += sizeof(XmlName) + 64 + made->text.capacity();
    const std::string_view key = made->text;
    found = names_.emplace(key, std::move(made)).first;
  }
  if (last_ != nullptr) last_->followed_by = found->second.get();
  last_ = found->second.get();
  return *last_;
}

void XmlNames::clear() {
  names_.clear();
  last_ = nullptr;
  held_ = 0;
}

}  // namespace leat
