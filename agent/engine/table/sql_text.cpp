#include "table/sql_text.h"

#include <algorithm>

namespace leat::table {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name(char c) {
  return is_letter(c) || is_digit(c);
}

size_t behind_name(std::string_view sql, size_t at) {
  while (at < sql.size() && is_name(sql[at])) ++at;
  return at;
}

// `at` is that of the first quote. Two of them inside are one.
size_t behind_quoted(std::string_view sql, size_t at, bool with_backslashes) {
  const char quote = sql[at++];
  while (at < sql.size()) {
    if (with_backslashes && sql[at] == '\\') {
      at += 2;
    } else if (sql[at++] == quote) {
      if (at == sql.size() || sql[at] != quote) return at;
      ++at;
    }
  }
  return sql.size();
}

size_t behind_comment(std::string_view sql, size_t at) {
  int depth = 0;
  do {
    if (sql.substr(at, 2) == "/*") {
      ++depth;
      at += 2;
    } else if (sql.substr(at, 2) == "*/") {
      --depth;
      at += 2;
    } else {
      ++at;
    }
  } while (depth > 0 && at < sql.size());
  return std::min(at, sql.size());
}

// $tag$ … $tag$; `at` itself where it is none.
size_t behind_dollars(std::string_view sql, size_t at) {
  const size_t tag_end = behind_name(sql, at + 1);
  if (tag_end == sql.size() || sql[tag_end] != '$') return at;
  const std::string_view tag = sql.substr(at, tag_end + 1 - at);
  const size_t end = sql.find(tag, tag_end + 1);
  return end == std::string_view::npos ? sql.size() : end + tag.size();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

}  // namespace

QueryText::QueryText(std::string_view sql) {
  size_t kept = 0;  // before it, everything is in pieces_
  size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (several_ && c != ' ' && c != '\n' && c != '\t' && c != '\r') break;
    if (c == '\'' || c == '"' || c == '`') {
      const bool escapes =
          c == '\'' && at > 0 && (sql[at - 1] | 0x20) == 'e' && (at == 1 || !is_name(sql[at - 2]));
      at = behind_quoted(sql, at, escapes);
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      at = behind_comment(sql, at);
    } else if (c == '$' && behind_dollars(sql, at) > at) {
      at = behind_dollars(sql, at);
    } else if (sql.substr(at, 2) == "::") {
      at += 2;
    } else if (c == ':' && at + 1 < sql.size() && is_letter(sql[at + 1])) {
      const size_t end = behind_name(sql, at + 1);
      pieces_.push_back({sql.substr(kept, at - kept)});
      pieces_.push_back({sql.substr(at + 1, end - at - 1), true});
      const std::string name(pieces_.back().text);
      if (std::ranges::find(parameters_, name) == parameters_.end()) parameters_.push_back(name);
      kept = at = end;
    } else if (is_name(c)) {
      const size_t end = behind_name(sql, at);
      words_.push_back(lower(sql.substr(at, end - at)));
      at = end;
    } else {
      if (c == ';') several_ = true;
      ++at;
    }
  }
  pieces_.push_back({sql.substr(kept)});
}

bool QueryText::has_word(std::string_view lower_case) const {
  return std::ranges::find(words_, lower_case) != words_.end();
}

bool QueryText::orders() const {
  for (size_t i = 1; i < words_.size(); ++i)
    if (words_[i - 1] == "order" && words_[i] == "by") return true;
  return false;
}

std::string QueryText::filled(const std::function<std::string(std::string_view)>& literal) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.parameter)
      out += literal(piece.text);
    else
      out += piece.text;
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string compared(const std::vector<std::string>& names, std::string_view how,
                     const std::vector<std::string>& values) {
  const std::string sign = " " + std::string(how) + " ";
  if (names.size() == 1) return names[0] + sign + values[0];
  return "(" + joined(names) + ")" + sign + "(" + joined(values) + ")";
}

}  // namespace leat::table
