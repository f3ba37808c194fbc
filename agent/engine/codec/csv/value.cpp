#include "codec/csv/value.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace leat {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// `word` is in lower case.
bool is_word(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if ((text[i] | 0x20) != word[i]) return false;
  return true;
}

bool read_bool(std::string_view text, Value& out) {
  bool yes = text == "1" || is_word(text, "true") || is_word(text, "t");
  bool no = text == "0" || is_word(text, "false") || is_word(text, "f");
  out = Value::boolean(yes);
  return yes || no;
}

std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

}  // namespace

bool CsvValueReader::read(const CsvTarget& target, const CsvField& field, bool clean, Value& out) {
  std::string_view view = field.view();
  if (!field.quoted && dialect_.null && view == *dialect_.null) {
    out = Value::null();
    return true;
  }
  if (target.infer) return inferred(field, clean, out);
  if (target.type == Type::kString) return text(field, clean, out);
  if (target.type == Type::kBytes) {
    out = Value::of_text(Type::kBytes, view);
    return true;
  }
  view = trimmed(view);
  if (view.empty() && !field.quoted) {
    out = Value::null();
    return true;
  }
  return typed(target, view, out);
}

bool CsvValueReader::text(const CsvField& field, bool clean, Value& out) {
  if (clean && !text_.as_bytes()) {
    out = Value::of_text(Type::kString, field.view());
    return true;
  }
  if (text_.read(field.view(), *arena_, out)) return true;
  problem_ = text_.problem();
  return false;
}

bool CsvValueReader::inferred(const CsvField& field, bool clean, Value& out) {
  std::string_view view = field.view();
  if (field.quoted) return text(field, clean, out);
  if (view.empty()) {
    out = Value::null();
    return true;
  }
  if (is_digit(view[0]) || view[0] == '-') {
    if (number(view, out)) return true;
  } else if (view == "true" || view == "false") {
    out = Value::boolean(view[0] == 't');
    return true;
  }
  return text(field, clean, out);
}

// A number as JSON writes it stays the text it is.
bool CsvValueReader::number(std::string_view text, Value& out) {
  if (text.empty()) return false;
  return scanner_.number(text.data(), out) == text.data() + text.size();
}

bool CsvValueReader::typed(const CsvTarget& target, std::string_view text, Value& out) {
  switch (target.type) {
    case Type::kBool:
      return read_bool(text, out) || refuse(text, "is not a bool");
    case Type::kInteger:
      return integer(text, out);
    case Type::kFloat:
      return real(text, out);
    case Type::kDecimal:
      return decimal(text, out);
    default:
      return time(*target.time, text, out);
  }
}

bool CsvValueReader::time(const TimeFormat& format, std::string_view text, Value& out) {
  std::optional<int64_t> time = format.read(text);
  Value counted;  // for the formats that count from the epoch
  if (!time && number(text, counted))
    time = counted.type == Type::kInteger ? format.read(integer_of(counted))
                                          : format.read(real_of(counted));
  if (!time) return refuse(text, "is not a time in the column's format");
  out = Value::of_time(*time);
  return true;
}

bool CsvValueReader::integer(std::string_view text, Value& out) {
  if (number(text, out) && out.type == Type::kInteger) return true;
  // "007" and "+7" are integers, though not as JSON writes them.
  std::string_view plain = without_plus(text);
  int64_t value = 0;
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (end != plain.data() + plain.size()) return refuse(text, "is not an integer");
  if (error == std::errc::result_out_of_range) return refuse(text, "does not fit a 64-bit integer");
  out = Value::of_integer(value);
  return true;
}

bool CsvValueReader::real(std::string_view text, Value& out) {
  if (number(text, out)) {
    out = Value::of_text(Type::kFloat, text, Form::kText);
    return true;
  }
  std::string_view plain = without_plus(text);
  double value = 0;
  auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (error != std::errc() || end != plain.data() + plain.size())
    return refuse(text, "is not a float");
  out = Value::of_float(value);
  return true;
}

// What JSON would not write is brought into its grammar: "+1.50" → "1.50", ".5" → "0.5",
// "007" → "7", "5." → "5".
bool CsvValueReader::decimal(std::string_view text, Value& out) {
  if (number(text, out)) {
    out = Value::of_text(Type::kDecimal, text, Form::kText);
    return true;
  }
  std::string_view plain = without_plus(text);
  std::string result;
  if (plain.starts_with('-')) {
    result = "-";
    plain.remove_prefix(1);
  }
  size_t point = std::min(plain.find('.'), plain.size());
  std::string_view whole = plain.substr(0, point);
  std::string_view fraction = point < plain.size() ? plain.substr(point + 1) : "";
  bool digits = !whole.empty() || !fraction.empty();
  for (std::string_view part : {whole, fraction})
    for (char c : part) digits = digits && is_digit(c);
  if (!digits) return refuse(text, "is not a decimal number");
  size_t zeros = std::min(whole.find_first_not_of('0'), whole.size());
  whole.remove_prefix(zeros);
  result += whole.empty() ? "0" : whole;
  if (!fraction.empty()) result.append(".").append(fraction);
  out = Value::of_text(Type::kDecimal, arena_->copy(result), Form::kText);
  return true;
}

bool CsvValueReader::refuse(std::string_view text, std::string_view what) {
  constexpr size_t kShown = 40;
  problem_ = "'" + excerpt(text, kShown) + "' ";
  problem_ += what;
  return false;
}

}  // namespace leat
