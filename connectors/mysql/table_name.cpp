#include "connectors/mysql/table_name.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/in_quotes.h"

namespace leat::mysql {
namespace {

tl::unexpected<Error> bad_name(const char* why) {
  return fail(ErrorKind::kUsage, why);
}

// From `at` on, behind which it is moved.
Result<std::string> part_of(std::string_view text, size_t& at) {
  std::string part;
  const char quote = at < text.size() ? text[at] : '\0';
  if (quote != '`' && quote != '"') {
    for (; at < text.size() && text[at] != '.'; ++at) part += text[at];
    return part;
  }
  for (++at; at < text.size(); ++at) {
    if (text[at] == quote && (at + 1 == text.size() || text[at + 1] != quote)) {
      ++at;
      return part;
    }
    if (text[at] == quote) ++at;
    part += text[at];
  }
  return bad_name("a quote is not closed");
}

}  // namespace

std::string quoted_name(std::string_view name) {
  return in_quotes(name, '`');
}

std::string quoted_text(std::string_view text) {
  return in_quotes(text, '\'');
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

Result<TableName> TableName::parse(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t at = 0;; ++at) {
    Result<std::string> part = part_of(text, at);
    if (!part) return fail(part.error());
    if (part->empty()) return bad_name("a name is empty");
    parts.push_back(std::move(*part));
    if (at >= text.size()) break;
    if (text[at] != '.') return bad_name("nothing but a dot may follow a quoted name");
  }
  if (parts.size() > 2) return bad_name("write \"table\" or \"database.table\"");
  if (parts.size() == 1) return TableName{"", parts[0]};
  return TableName{parts[0], parts[1]};
}

std::string TableName::sql() const {
  return (database.empty() ? "" : quoted_name(database) + ".") + quoted_name(name);
}

}  // namespace leat::mysql
