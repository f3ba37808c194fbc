#include "transform/number_comparisons.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>

#include "base/log.h"
#include "base/text.h"
#include "transform/input_table.h"

namespace leat {
namespace {

enum class Kind { kName, kWord, kNumber, kCompares, kOther, kEnd };
struct Token {
  Kind kind = Kind::kEnd;
  std::string text;
};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

// The next token of `rest`, which is taken off it.
Token next_token(std::string_view& rest) {
  auto skip_to = [&rest](size_t at) { rest.remove_prefix(std::min(at, rest.size())); };
  skip_to(rest.find_first_not_of(" \t\r\n"));
  if (rest.empty()) return {};
  if (rest.starts_with("--")) {
    skip_to(rest.find('\n'));
    return next_token(rest);
  }
  if (rest.starts_with("/*")) {
    const size_t end = rest.find("*/", 2);
    skip_to(end == std::string_view::npos ? end : end + 2);
    return next_token(rest);
  }
  auto take = [&rest](Kind kind, size_t size) {
    Token token{kind, std::string(rest.substr(0, size))};
    rest.remove_prefix(std::min(size, rest.size()));
    return token;
  };
  const char c = rest[0];
  if (c == '\'') {  // with '' in it, it is two
    size_t end = rest.find('\'', 1);
    return take(Kind::kOther, end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (c == '"' || c == '`' || c == '[') {
    size_t end = std::min(rest.find(c == '[' ? ']' : c, 1), rest.size());
    Token token{Kind::kName, std::string(rest.substr(1, end - 1))};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return token;
  }
  auto behind = [&rest](auto&& good) {
    size_t end = 1;
    while (end < rest.size() && good(rest[end])) ++end;
    return end;
  };
  const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
  if (digit || (c == '.' && rest.size() > 1 && std::isdigit(static_cast<unsigned char>(rest[1]))))
    return take(Kind::kNumber, behind([](char x) { return is_word(x) || x == '.'; }));
  if (is_word(c)) return take(Kind::kWord, behind([](char x) { return is_word(x); }));
  if (c == '<' || c == '>' || c == '=' || c == '!')
    return take(Kind::kCompares, behind([](char x) { return x == '<' || x == '>' || x == '='; }));
  return take(Kind::kOther, 1);
}

bool is(const Token& token, const char* word) {
  return token.kind == Kind::kWord && sqlite3_stricmp(token.text.c_str(), word) == 0;
}

// What may stand beside a comparison and is no part of a calculation.
bool ends_operand(const Token& token) {
  if (token.kind != Kind::kWord)
    return token.kind == Kind::kEnd || token.text == "(" || token.text == ")" ||
           token.text == "," || token.text == ";";
  constexpr const char* kWords[] = {
      "AND",  "OR",    "NOT", "WHEN",  "THEN",   "ELSE",  "END",   "SELECT", "AS",     "DISTINCT",
      "FROM", "WHERE", "ON",  "GROUP", "HAVING", "ORDER", "LIMIT", "UNION",  "EXCEPT", "INTERSECT"};
  return std::ranges::any_of(kWords, [&token](const char* word) { return is(token, word); });
}

bool is_keyword(const Token& token) {
  return token.kind == Kind::kWord &&
         sqlite3_keyword_check(token.text.data(), static_cast<int>(token.text.size())) != 0;
}

bool same_name(const std::string& a, const std::string& b) {
  return sqlite3_stricmp(a.c_str(), b.c_str()) == 0;
}

// Whether the token at `i` is a name that is not a field's there, or stands in typeof().
bool is_known(const std::vector<Token>& tokens, size_t i) {
  const Token& before = tokens[i - 1];
  if (is(before, "AS")) return true;
  if (before.text == "(" && i >= 2 && is(tokens[i - 2], "typeof")) return true;
  // A name without AS, behind an expression.
  return is(before, "END") || before.text == ")" || before.text.starts_with('\'') ||
         before.kind == Kind::kNumber || before.kind == Kind::kName ||
         (before.kind == Kind::kWord && !is_keyword(before));
}

// Signs of numbers are left out, so that a comparison is three tokens.
constexpr size_t kAhead = 5;  // ends behind the last

std::vector<Token> tokens_of(std::string_view sql) {
  std::vector<Token> tokens(1);  // an end before the first
  for (Token token = next_token(sql); token.kind != Kind::kEnd; token = next_token(sql)) {
    const Token& before = tokens.back();
    const bool sign = (token.text == "-" || token.text == "+") &&
                      (before.kind == Kind::kCompares || is(before, "BETWEEN") ||
                       (ends_operand(before) && before.text != ")"));
    if (sign) continue;
    tokens.push_back(std::move(token));
  }
  tokens.resize(tokens.size() + kAhead);
  return tokens;
}

bool is_name(const Token& token) {
  return token.kind == Kind::kName ||
         (token.kind == Kind::kWord && !ends_operand(token) && !is(token, "NULL") &&
          !is(token, "TRUE") && !is(token, "FALSE"));
}

struct Found {
  std::vector<Comparison> all;

  // Of a name and a name or number, in either order; anything else is none.
  void add(const Token& a, const Token& b) {
    if (!is_name(a)) {
      if (is_name(b) && a.kind == Kind::kNumber) add(b, a);
      return;
    }
    if (!is_name(b) && b.kind != Kind::kNumber) return;
    Comparison one{a.text, is_name(b) ? b.text : ""};
    if (std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
  }
};

// `a < b`, `a IS b`, `a BETWEEN b AND c`, `CASE a WHEN b`, where `a` is at `i`.
void find_operator(const std::vector<Token>& tokens, size_t i, Found& found) {
  if (!ends_operand(tokens[i - 1]) && !is(tokens[i - 1], "CASE")) return;
  const Token& a = tokens[i];
  const Token& middle = tokens[i + 1];
  if (middle.kind != Kind::kCompares && !is(middle, "BETWEEN") && !is(middle, "IS") &&
      !(is(middle, "WHEN") && is(tokens[i - 1], "CASE")))
    return;
  const size_t at = is(middle, "IS") && is(tokens[i + 2], "NOT") ? i + 3 : i + 2;
  if (!ends_operand(tokens[at + 1]) || tokens[at + 1].text == "(") return;
  found.add(a, tokens[at]);
  if (is(middle, "BETWEEN") && is(tokens[at + 1], "AND") && ends_operand(tokens[at + 3]) &&
      tokens[at + 3].text != "(")
    found.add(a, tokens[at + 2]);
}

// `a IN (b, c)`, `a NOT IN (…)`, `max(a, b)`: of what is a name or a number by itself.
void find_list(const std::vector<Token>& tokens, size_t i, Found& found) {
  static constexpr const char* kFunctions[] = {"max", "min", "nullif"};
  const bool function =
      std::ranges::any_of(kFunctions, [&](const char* name) { return is(tokens[i], name); });
  size_t at = i + 1;
  if (!function && is(tokens[at], "NOT")) ++at;
  if (!function) {
    if (!ends_operand(tokens[i - 1]) || !is(tokens[at], "IN")) return;
    ++at;
  }
  if (tokens[at].text != "(") return;
  std::vector<const Token*> values;
  int depth = 0;
  for (; at + kAhead < tokens.size(); ++at) {
    const std::string& text = tokens[at].text;
    if (text == "(") ++depth;
    if (text == ")" && --depth == 0) break;
    const bool alone = depth == 1 && (tokens[at - 1].text == "(" || tokens[at - 1].text == ",") &&
                       (tokens[at + 1].text == ")" || tokens[at + 1].text == ",");
    if (alone) values.push_back(&tokens[at]);
  }
  if (!function) {
    for (const Token* value : values) found.add(tokens[i], *value);
    return;
  }
  if (values.size() == 1 && tokens[i + 3].text == ")") found.add(*values[0], *values[0]);
  for (size_t a = 0; a < values.size(); ++a)
    for (size_t b = a + 1; b < values.size(); ++b) found.add(*values[a], *values[b]);
}

}  // namespace

std::vector<Comparison> comparisons_in(std::string_view sql) {
  const std::vector<Token> tokens = tokens_of(sql);
  if (std::ranges::any_of(tokens, [](const Token& token) { return is(token, "WITH"); })) return {};
  Found found;
  for (size_t i = 1; i + kAhead < tokens.size(); ++i) {
    find_operator(tokens, i, found);
    find_list(tokens, i, found);
  }
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (tokens[i].kind != Kind::kName && tokens[i].kind != Kind::kWord) continue;
    if (!is_known(tokens, i)) continue;
    std::erase_if(found.all, [&](const Comparison& one) {
      return same_name(one.name, tokens[i].text) || same_name(one.with, tokens[i].text);
    });
  }
  return std::move(found.all);
}

void NumberComparisons::report(const InputTable& table) {
  std::erase_if(comparisons_, [&table, this](const Comparison& one) {
    constexpr uint32_t kText = InputTable::type_bit(Type::kString);
    constexpr uint32_t kNumber = InputTable::type_bit(Type::kInteger) |
                                 InputTable::type_bit(Type::kFloat) |
                                 InputTable::type_bit(Type::kDecimal);
    auto read = [&table](const std::string& name) {
      const int column = table.find_column(name);
      return column < 0 ? 0 : table.types_read(static_cast<size_t>(column));
    };
    const uint32_t name = read(one.name);
    const uint32_t with = one.with.empty() ? kNumber : read(one.with);
    const bool is_text = (name & kText) != 0 && (with & kNumber) != 0;
    if (!is_text && ((with & kText) == 0 || (name & kNumber) == 0)) return false;
    const std::string& text = is_text ? one.name : one.with;
    log::warn("leat", path_ + ": \"" + excerpt(text) +
                          "\" is compared with a number, and is a text in some records; in SQL "
                          "every text is greater than every number: give the field a type "
                          "(\"fieldTypes\" of the source), or write CAST(" +
                          text + " AS REAL)");
    return true;
  });
}

}  // namespace leat
