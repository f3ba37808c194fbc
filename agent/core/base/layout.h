// Text laid out for a terminal: columns, and paragraphs that are broken at spaces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Columns that `text` takes: characters, not bytes (of UTF-8).
size_t width_of(std::string_view text);

// Rows side by side in columns, two spaces apart; the first `left` of them stand left, the others
// right. All rows have as many cells as the first; there is at least one.
std::string columns(const std::vector<std::vector<std::string>>& rows, size_t left);

// Appends `text` and an end of line, broken at spaces at 96 columns, every line but the first after
// `indent` spaces. The caller has written `indent` columns of the first line.
void append_wrapped(std::string& out, std::string_view text, size_t indent);

// "  name    text", wrapped: `column` is where the text begins, on a line of its own behind a long
// name.
void append_entry(std::string& out, std::string_view name, std::string_view text, size_t column);

// Up to the first full stop that ends a sentence.
std::string_view first_sentence(std::string_view text);

}  // namespace leat
