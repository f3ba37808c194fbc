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

}  // namespace

std::vector<std::string> compared_with_numbers(std::string_view sql) {
  // Signs of numbers are left out, so that a comparison is three tokens.
  std::vector<Token> tokens(1);  // an end before the first
  for (Token token = next_token(sql); token.kind != Kind::kEnd; token = next_token(sql)) {
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
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (is(tokens[i], "WITH")) return {};
    if (tokens[i].kind != Kind::kName && tokens[i].kind != Kind::kWord) continue;
    if (is_known(tokens, i))
      std::erase_if(out, [&](const std::string& name) { return same_name(name, tokens[i].text); });
  }
  return out;
}

void NumberComparisons::report(const InputTable& table) {
  std::erase_if(names_, [&table, this](const std::string& name) {
    const int column = table.find_column(name);
    constexpr uint32_t kText = InputTable::type_bit(Type::kString);
    if (column < 0 || (table.types_read(static_cast<size_t>(column)) & kText) == 0) return false;
    log::warn("leat", path_ + ": " + json_quoted(name) +
                          " is compared with a number, and is a text in some records; in SQL "
                          "every text is greater than every number: give the field a type "
                          "(\"fieldTypes\" of the source), or write CAST(" +
                          name + " AS REAL)");
    return true;
  });
}

}  // namespace leat
