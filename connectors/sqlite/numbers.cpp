#include "numbers.h"

#include <cmath>

#include "columns.h"
#include "record/whole_number.h"

namespace leat::sqlite {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr int64_t kTwoTo53 = int64_t{1} << 53;

constexpr const char* kBeyond64 = "it is beyond 64 bits";
constexpr const char* kRounded = "it would be rounded";
constexpr const char* kBeyondReal = "it is beyond what a REAL can be";

bool contains(std::string_view text, std::string_view part) {
  for (size_t i = 0; i + part.size() <= text.size(); ++i)
    if (same_column(text.substr(i, part.size()), part)) return true;
  return false;
}

bool is_zero(std::string_view number) {
  return number.substr(0, number.find_first_of("eE")).find_first_of("123456789") ==
         std::string_view::npos;
}

BoundNumber integer(int64_t value) {
  return {.as = BoundNumber::As::kInteger, .integer = value};
}
BoundNumber real(double value) {
  return {.as = BoundNumber::As::kReal, .real = value};
}
BoundNumber text() {
  return {.as = BoundNumber::As::kText};
}

// What SQLite may take for a number, as JSON would write it; else "".
std::string as_json_number(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  text = text.substr(first, text.find_last_not_of(kSpace) - first + 1);
  std::string out;
  if (text.starts_with('-')) out = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9')
    text.remove_prefix(1);
  if (text.starts_with('.')) out += '0';
  out += text;
  return json_number_length(out) == out.size() ? out : "";
}

}  // namespace

Affinity affinity_of(std::string_view declared_type, bool strict_table) {
  if (strict_table && same_column(declared_type, "any")) return Affinity::kNone;
  auto has = [declared_type](std::string_view part) { return contains(declared_type, part); };
  if (has("int")) return Affinity::kInteger;
  if (has("char") || has("clob") || has("text")) return Affinity::kText;
  if (declared_type.empty() || has("blob")) return Affinity::kNone;
  if (has("real") || has("floa") || has("doub")) return Affinity::kReal;
  return Affinity::kNumeric;
}

bool takes_bool(std::string_view declared_type, Affinity affinity) {
  return affinity == Affinity::kNone || affinity == Affinity::kInteger ||
         (affinity == Affinity::kNumeric &&
          (contains(declared_type, "bool") || same_column(declared_type, "bit")));
}

const char* name_of(Affinity affinity) {
  static constexpr const char* kNames[] = {"a", "a TEXT", "an INTEGER", "a REAL", "a NUMERIC"};
  return kNames[static_cast<size_t>(affinity)];
}

std::optional<BoundNumber> Numbers::bound(const Value& value, Affinity affinity) {
  if (affinity == Affinity::kText) return text();
  if (value.type == Type::kInteger) return integer(integer_of(value));
  if (value.form == Form::kPlain && value.type == Type::kFloat) {  // that somebody has computed
    if (affinity == Affinity::kInteger && !(std::fabs(value.real) < kTwoTo63))
      return refuse(kBeyond64);
    return real(value.real);
  }
  const bool decimal = value.type == Type::kDecimal;
  if (affinity == Affinity::kReal) {
    const double nearest = real_of(value);
    if (!std::isfinite(nearest) || (nearest == 0 && !is_zero(value.view())))
      return refuse(kBeyondReal);
    return real(nearest);
  }
  if (affinity == Affinity::kNone && decimal) return text();
  // Digit by digit, where a double would not have them all.
  if (std::optional<int64_t> exact = whole_int64(value.view(), digits_)) {
    const bool small = *exact <= kTwoTo53 && *exact >= -kTwoTo53;
    if (affinity != Affinity::kNone || !small) return integer(*exact);
  }
  const double nearest = real_of(value);
  if (affinity == Affinity::kInteger && !(std::fabs(nearest) < kTwoTo63)) return refuse(kBeyond64);
  if (decimal) return refuse(std::isfinite(nearest) ? kRounded : kBeyondReal);
  return real(nearest);
}

bool Numbers::keeps(std::string_view text, Affinity affinity) {
  constexpr size_t kAlwaysExact = 15;  // digits
  if (affinity == Affinity::kNone || affinity == Affinity::kText) return true;
  if (text.size() <= kAlwaysExact && text.find_first_of("eE") == std::string_view::npos)
    return true;
  const std::string number = as_json_number(text);
  if (number.empty()) return true;
  std::optional<BoundNumber> as = bound(number_from_text(number), affinity);
  if (!as) return false;
  // SQLite reads its text by way of a double, unless it is digits alone.
  if (as->as != BoundNumber::As::kInteger || number.find_first_of(".eE") == std::string::npos ||
      (as->integer <= kTwoTo53 && as->integer >= -kTwoTo53))
    return true;
  problem_ = kRounded;
  return false;
}

}  // namespace leat::sqlite
