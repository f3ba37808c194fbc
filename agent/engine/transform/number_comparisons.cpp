#include "transform/number_comparisons.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>

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
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  if (rest.empty()) return {};
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
  return token.kind == Kind::kEnd || token.text == "(" || token.text == ")" || token.text == "," ||
         is(token, "AND") || is(token, "OR") || is(token, "NOT") || is(token, "WHEN") ||
         is(token, "THEN") || is(token, "ELSE") || is(token, "END");
}

}  // namespace

std::vector<std::string> compared_with_numbers(std::string_view expression) {
  // Signs of numbers are left out, so that a comparison is three tokens.
  std::vector<Token> tokens(1);  // an end before the first
  for (Token token = next_token(expression); token.kind != Kind::kEnd;
       token = next_token(expression)) {
    const Token& before = tokens.back();
    const bool sign = (token.text == "-" || token.text == "+") &&
                      (before.kind == Kind::kCompares || is(before, "BETWEEN") ||
                       (ends_operand(before) && before.text != ")"));
    if (sign) continue;
    tokens.push_back(std::move(token));
  }
  tokens.resize(tokens.size() + 3);
  std::vector<std::string> out;
  auto add = [&out](const Token& name) {
    if (std::ranges::find(out, name.text) == out.end()) out.push_back(name.text);
  };
  auto is_name = [](const Token& token) {
    return token.kind == Kind::kName || (token.kind == Kind::kWord && !ends_operand(token));
  };
  for (size_t i = 1; i + 3 < tokens.size(); ++i) {
    if (!ends_operand(tokens[i - 1])) continue;
    const Token& a = tokens[i];
    const Token& middle = tokens[i + 1];
    const Token& b = tokens[i + 2];
    const Token& behind = tokens[i + 3];
    const bool compares = middle.kind == Kind::kCompares;
    if (is_name(a) && b.kind == Kind::kNumber && (compares || is(middle, "BETWEEN")) &&
        ends_operand(behind))
      add(a);
    if (a.kind == Kind::kNumber && compares && is_name(b) && ends_operand(behind) &&
        behind.text != "(")
      add(b);
  }
  return out;
}

}  // namespace leat
