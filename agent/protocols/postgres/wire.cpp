#include "protocols/postgres/wire.h"

#include <algorithm>
#include <cstring>

#include "base/big_endian.h"
#include "base/in_quotes.h"
#include "base/units.h"

namespace leat::postgres {
namespace {

constexpr size_t kHeader = 5;  // the type, and a length that counts itself but not the type
constexpr size_t kLengthSize = 4;

}  // namespace

void MessageReader::append(std::span<const char> bytes) {
  size_t skipped = std::min(skip_, bytes.size());
  skip_ -= skipped;
  bytes = bytes.subspan(skipped);
  if (in_long_row_) bytes = bytes.subspan(long_row_.take(bytes));
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(bytes.data(), bytes.size());
  // After a long message, do not hold on to its memory for the life of the connection.
  if (buffer_.size() < kLongestNotice && buffer_.capacity() > 4 * kLongestNotice)
    buffer_.shrink_to_fit();
}

Result<std::optional<Message>> MessageReader::next() {
  if (in_long_row_) {
    if (!long_row_.complete()) return std::nullopt;
    in_long_row_ = false;
    return Message{'D', long_row_.body(), long_row_.bytes()};
  }
  size_t left = held();
  if (left < kHeader) return std::nullopt;
  const char* start = buffer_.data() + at_;
  char type = start[0];
  size_t length = read_big_endian<uint32_t>(start + 1);
  bool cuttable = type == 'E' || type == 'N';
  bool letter =
      (type >= 'A' && type <= 'Z') || (type >= 'a' && type <= 'z') || (type >= '1' && type <= '3');
  const bool row = type == 'D' && longest_row_ > 0;
  if (!letter || length < kLengthSize || length > INT32_MAX ||
      (length - kLengthSize > kLongest && !cuttable && !row))
    return fail(ErrorKind::kUnavailable, "what the server sent is not PostgreSQL's protocol");
  size_t body = length - kLengthSize;
  if (row && body > longest_row_) {
    long_row_.begin(body);
    at_ += kHeader;
    at_ += long_row_.take({buffer_.data() + at_, held()});
    in_long_row_ = true;
    return next();
  }
  size_t kept = cuttable ? std::min(body, kLongestNotice) : body;
  if (left < kHeader + kept) return std::nullopt;
  size_t here = std::min(left - kHeader, body);
  skip_ = body - here;
  at_ += kHeader + here;
  return Message{type, {start + kHeader, kept}};
}

std::string_view BodyReader::bytes(size_t n) {
  if (!ok_ || n > left_.size()) {
    ok_ = false;
    left_ = {};
    return {};
  }
  std::string_view out = left_.substr(0, n);
  left_.remove_prefix(n);
  return out;
}

uint8_t BodyReader::byte() {
  std::string_view at = bytes(1);
  return at.empty() ? 0 : static_cast<uint8_t>(at[0]);
}

int16_t BodyReader::int16() {
  std::string_view at = bytes(2);
  return at.empty() ? 0 : static_cast<int16_t>(read_big_endian<uint16_t>(at.data()));
}

int32_t BodyReader::int32() {
  std::string_view at = bytes(4);
  return at.empty() ? 0 : static_cast<int32_t>(read_big_endian<uint32_t>(at.data()));
}

std::string_view BodyReader::text() {
  size_t end = left_.find('\0');
  if (end == std::string_view::npos) {
    (void)bytes(left_.size() + 1);  // fails
    return {};
  }
  return bytes(end + 1).substr(0, end);
}

void put_int16(char* at, int16_t value) {
  auto bits = static_cast<uint16_t>(value);
  at[0] = static_cast<char>(bits >> 8);
  at[1] = static_cast<char>(bits);
}

void put_int32(char* at, int32_t value) {
  uint32_t bits = __builtin_bswap32(static_cast<uint32_t>(value));
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) bits = __builtin_bswap32(bits);
  std::memcpy(at, &bits, sizeof bits);
}

void put_int64(char* at, int64_t value) {
  uint64_t bits = __builtin_bswap64(static_cast<uint64_t>(value));
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) bits = __builtin_bswap64(bits);
  std::memcpy(at, &bits, sizeof bits);
}

void append_int16(std::string& out, int16_t value) {
  char bytes[2];
  put_int16(bytes, value);
  out.append(bytes, sizeof bytes);
}

void append_int32(std::string& out, int32_t value) {
  char bytes[4];
  put_int32(bytes, value);
  out.append(bytes, sizeof bytes);
}

std::string message(char type, std::string_view body) {
  std::string out;
  out.reserve(kHeader + body.size());
  if (type != 0) out += type;
  append_int32(out, static_cast<int32_t>(body.size() + kLengthSize));
  out += body;
  return out;
}

std::string terminated(std::string_view text) {
  std::string out(text.substr(0, text.find('\0')));
  out += '\0';
  return out;
}

std::string query_message(std::string_view sql) {
  return message('Q', terminated(sql));
}

// An extended query, as a whole.
std::string binary_query_message(std::string_view sql) {
  constexpr std::string_view kNoName("\0", 1);
  constexpr std::string_view kNoParameters("\0\0", 2);
  // Portal and statement without a name, no parameters, and one format for all results.
  constexpr std::string_view kBind("\0\0\0\0\0\0\0\1\0\1", 10);
  constexpr std::string_view kAllRows("\0\0\0\0\0", 5);
  return message('P', std::string(kNoName) + terminated(sql) + std::string(kNoParameters)) +
         message('B', kBind) + message('D', "P" + std::string(kNoName)) + message('E', kAllRows) +
         message('S', "");
}

std::string quoted_name(std::string_view name) {
  return in_quotes(name, '"');
}

std::string quoted_text(std::string_view text) {
  return in_quotes(text, '\'');
}

}  // namespace leat::postgres
