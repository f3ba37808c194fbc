// Messages of PostgreSQL's frontend/backend protocol 3.0
// (https://www.postgresql.org/docs/current/protocol-message-formats.html): cut out of the bytes
// that arrive, and put together to be sent. No I/O here, and nothing the server sends is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/postgres/long_row.h"

namespace leat::postgres {

struct Message {
  char type = 0;
  std::string_view body;  // without type and length
  size_t cut_from = 0;    // of a row that was longer than rows may be: what is left of its body
};

class MessageReader {
 public:
  // No answer to what we ask is longer. Errors and notices may be (they quote data and queries):
  // they are cut at kLongestNotice, and the rest is thrown away as it arrives.
  static constexpr size_t kLongest = 1024 * 1024;
  static constexpr size_t kLongestNotice = 64 * 1024;

  // For exchanges with rows of any length: those whose body is longer are cut (LongRow). 0: rows
  // are as all else.
  void cut_rows(size_t longest) { longest_row_ = longest; }
  void append(std::span<const char> bytes);
  // The next whole message; nullopt: more bytes are needed. Valid until append(). An error means
  // that what arrives is not this protocol; nothing can be read after it.
  Result<std::optional<Message>> next();
  // Bytes kept now.
  size_t held() const { return buffer_.size() - at_; }
  // True when no part of a message is waiting.
  bool empty() const { return held() == 0 && skip_ == 0 && !in_long_row_; }

 private:
  std::string buffer_;
  size_t at_ = 0;    // before it, everything was given out
  size_t skip_ = 0;  // bytes still to come that nobody wants
  size_t longest_row_ = 0;
  LongRow long_row_;
  bool in_long_row_ = false;
};

// Takes a body apart. After the first part that is not there, everything is zero or empty, and ok()
// is false.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : left_(body) {}

  uint8_t byte();
  int16_t int16();
  int32_t int32();
  std::string_view text();  // up to a NUL, which is taken, too
  std::string_view bytes(size_t n);
  std::string_view rest() { return bytes(left_.size()); }

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

// Network byte order.
void put_int16(char* at, int16_t value);
void put_int32(char* at, int32_t value);
void put_int64(char* at, int64_t value);
void append_int16(std::string& out, int16_t value);
void append_int32(std::string& out, int32_t value);

// A whole message. `type` 0: none, as in the first message of a connection.
std::string message(char type, std::string_view body);
// The body of most messages: text that a NUL ends. What follows a NUL in `text` would be read as
// something else, so it is cut there.
std::string terminated(std::string_view text);
std::string query_message(std::string_view sql);
// For one statement, whose rows come in the binary form of their types.
std::string binary_query_message(std::string_view sql);

// `"name"`: an SQL identifier. `'text'`: an SQL string, for standard_conforming_strings = on.
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);

}  // namespace leat::postgres
