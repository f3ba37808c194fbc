#include "cache/lookup_key.h"

namespace leat {
namespace {

constexpr char kBetween = '\x1f';  // values of one key: the unit separator of ASCII

}  // namespace

bool LookupKey::add(const Value& value) {
  if (value.type == Type::kNull || value.type == Type::kAbsent) return false;
  if (!text_.empty()) text_ += kBetween;
  append_text(text_, value);
  return true;
}

}  // namespace leat
