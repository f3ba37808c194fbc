#include "codec/csv/rows.h"

#include <cstring>

#include "codec/text/line_framing.h"

namespace leat {
namespace {

const char* find(const char* p, const char* end, char c) {
  return static_cast<const char*>(std::memchr(p, c, static_cast<size_t>(end - p)));
}

const char* line_end(const char* p, const char* end) {
  const char* newline = find(p, end, '\n');
  return newline == nullptr ? end : newline + 1;
}

}  // namespace

CsvQuoted csv_quoted(const CsvDialect& dialect, const char* open, const char* end) {
  using Found = CsvQuoted::Found;
  const char* p = open + 1;
  bool doubled = false;
  for (;;) {
    const char* quote = p < end ? find(p, end, dialect.quote) : nullptr;
    if (quote == nullptr) return {Found::kCutOff};
    const char* next = quote + 1;
    if (next < end && *next == dialect.quote) {
      doubled = true;
      p = next + 1;
      continue;
    }
    if (next < end && *next == '\r') ++next;
    bool closed = next == end || *next == '\n' || (next == quote + 1 && *next == dialect.delimiter);
    if (closed) return {Found::kClosed, quote, doubled};
    return {Found::kFollowedByText};
  }
}

const char* CsvFraming::row_end(const char* row, const char* end) const {
  const char* newline = find(row, end, '\n');
  if (newline == nullptr) return nullptr;
  if (!dialect_.quoting || dialect_.is_comment({row, static_cast<size_t>(newline - row)}))
    return newline + 1;
  for (const char* p = row;;) {
    const char* quote = find(p, newline, dialect_.quote);
    if (quote == nullptr) return newline + 1;
    if (quote != row && quote[-1] != dialect_.delimiter) {
      p = quote + 1;  // inside an unquoted field
      continue;
    }
    CsvQuoted quoted = csv_quoted(dialect_, quote, end);
    if (quoted.found == CsvQuoted::Found::kCutOff) return nullptr;
    if (quoted.found != CsvQuoted::Found::kClosed) return newline + 1;
    p = quoted.close + 1;
    if (newline < p) newline = find(p, end, '\n');
    if (newline == nullptr) return nullptr;
  }
}

size_t CsvFraming::complete_prefix(std::string_view bytes) const {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  if (!dialect_.quoting || bytes.empty() || find(begin, end, dialect_.quote) == nullptr) {
    auto* newline = static_cast<const char*>(memrchr(begin, '\n', bytes.size()));
    return newline == nullptr ? 0 : static_cast<size_t>(newline - begin) + 1;
  }
  const char* row = begin;
  while (row < end) {
    const char* next = row_end(row, end);
    if (next == nullptr) break;
    row = next;
  }
  return static_cast<size_t>(row - begin);
}

size_t CsvFraming::first_longer(std::string_view records, size_t most) const {
  const char* const begin = records.data();
  const char* const end = begin + records.size();
  for (const char* row = begin; row < end;) {
    const char* next = row_end(row, end);
    if (next == nullptr) next = end;
    if (static_cast<size_t>(next - row) > most + 1) return static_cast<size_t>(row - begin);
    row = next;
  }
  return std::string_view::npos;
}

Status CsvFraming::split(Batch& batch, DeadLetters&) const {
  const char* const begin = batch.bytes.data();
  const char* const end = begin + batch.bytes.size();
  uint32_t lines = 0;
  for (const char* row = begin; row < end;) {
    const char* next = row_end(row, end);
    if (next == nullptr) next = line_end(row, end);  // cut off: only its first line is bad
    std::string_view text(row, static_cast<size_t>(next - row));
    lines += count_newlines(row, next) + (text.ends_with('\n') ? 0 : 1);
    bool blank = text.find_first_not_of("\r\n") == std::string_view::npos;
    if (!blank && !dialect_.is_comment(text))
      batch.slices.push_back(
          {row, static_cast<uint32_t>(text.size()), static_cast<uint32_t>(next - begin), lines});
    row = next;
  }
  batch.end.line = batch.begin.line + lines;
  batch.bytes = {};
  batch.content = Content::kSlices;
  return {};
}

}  // namespace leat
