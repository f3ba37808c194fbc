// Small text helpers shared by all folders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// Appends `text` as the inside of a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 are
// written as U+FFFD, so that the result is always valid JSON.
void append_json_escaped(std::string& out, std::string_view text);
// The same into [out, limit), as far as it fits: how much of `text` that is; `out` is moved behind
// it. kEscapeRoom bytes more than `text` has are enough where nothing in it must be escaped, and so
// many always are for a part of it.
constexpr size_t kEscapeRoom = 16;
size_t write_json_escaped(std::string_view text, char*& out, const char* limit);
std::string json_quoted(std::string_view text);

// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes);
// Back. False when it is none; `out` has what came before.
bool append_from_base64(std::string& out, std::string_view text);

// The nearest of `candidates` by edit distance, or "" when none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// First bytes of `text` for a message, cut at `limit` bytes with "…", and control characters
// as their pictures (U+2400…): whoever writes the message as JSON escapes nothing a second time.
std::string excerpt(std::string_view text, size_t limit = 80);

}  // namespace leat
