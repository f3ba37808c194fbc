// FORMAT.md describes the bytes. Since version 3 the checksum covers whose the row is, too, and the
// bytes as they are stored, so that a row found anywhere can be told from what looks like one.
#include <zlib.h>

#include <cstring>

#include "base/lz4_block.h"
#include "journal/spool_table.h"

namespace leat {
namespace {

constexpr size_t kHeader = 9;
enum How : char { kPlain2 = 0, kZlib2 = 1, kPlain = 2, kZlib = 3, kLz4 = 4 };
constexpr size_t kSmall = 1024;            // zlib would prepare for longer than it works
constexpr uint32_t kLargest = 256U << 20;  // no row is; a damaged length must not take the memory

void put32(char* at, uint32_t n) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(n >> (8 * i));
}

uint32_t get32(const char* at) {
  uint32_t n = 0;
  for (int i = 0; i < 4; ++i) n |= static_cast<uint32_t>(static_cast<uint8_t>(at[i])) << (8 * i);
  return n;
}

uint32_t checksum(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

void put_number(std::string& out, uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  uint64_t number() {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && !in_.empty(); shift += 7) {
      auto byte = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      n |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return n;
    }
    good_ = false;
    return 0;
  }
  std::string text() {
    uint64_t size = number();
    if (size > in_.size()) good_ = false;
    if (!good_) return "";
    std::string out(in_.substr(0, static_cast<size_t>(size)));
    in_.remove_prefix(out.size());
    return out;
  }
  bool good() const { return good_; }
  std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
  bool good_ = true;
};

std::optional<RowIdentity> read_identity(Reader& reader) {
  RowIdentity out;
  out.first = reader.number();
  out.records = reader.number();
  out.previous = reader.number();
  out.pipeline = reader.text();
  out.epoch = reader.text();
  for (uint64_t left = reader.number(); left > 0 && reader.good(); --left) {
    std::string partition = reader.text();
    out.positions.push_back({std::move(partition), reader.text()});
  }
  return reader.good() ? std::optional(std::move(out)) : std::nullopt;
}

tl::unexpected<Error> damaged() {
  return fail(ErrorKind::kData, "a spooled batch is damaged");
}

// The checksum of the older version is that of the content.
bool is_version_2(std::string_view packed) {
  return packed[0] == kPlain2 || packed[0] == kZlib2;
}

bool is_intact(std::string_view packed) {
  return packed.size() >= kHeader && packed[0] >= kPlain && packed[0] <= kLz4 &&
         checksum(packed.substr(5)) == get32(packed.data() + 1);
}

// Packs `content` behind what `out` has; false, and nothing is there, when that would not be
// smaller.
bool append_zlib(std::string& out, std::string_view content) {
  const size_t head = out.size();
  uLongf size = compressBound(static_cast<uLong>(content.size()));
  out.resize(head + size);
  // Level 1: 4 times as fast as the default here, for a tenth more bytes.
  const bool smaller = compress2(reinterpret_cast<Bytef*>(out.data() + head), &size,
                                 reinterpret_cast<const Bytef*>(content.data()),
                                 static_cast<uLong>(content.size()), 1) == Z_OK &&
                       size < content.size();
  out.resize(head + (smaller ? size : 0));
  return smaller;
}

bool append_lz4(std::string& out, std::string_view content) {
  const size_t head = out.size();
  out.resize(head + lz4_bound(content.size()));
  const size_t size = lz4_compress(content, out.data() + head);
  const bool smaller = size < content.size();
  out.resize(head + (smaller ? size : 0));
  return smaller;
}

}  // namespace

std::string pack_row(const RowIdentity& identity, std::string_view content, bool in_haste) {
  std::string out(kHeader, '\0');
  put_number(out, identity.first);
  put_number(out, identity.records);
  put_number(out, identity.previous);
  put_text(out, identity.pipeline);
  put_text(out, identity.epoch);
  put_number(out, identity.positions.size());
  for (const SavedPosition& position : identity.positions) {
    put_text(out, position.partition);
    put_text(out, position.value);
  }
  const How how = in_haste || content.size() < kSmall ? kLz4 : kZlib;
  const bool smaller = how == kLz4 ? append_lz4(out, content) : append_zlib(out, content);
  if (!smaller) out += content;
  out[0] = smaller ? how : kPlain;
  put32(out.data() + 5, static_cast<uint32_t>(content.size()));
  put32(out.data() + 1, checksum(std::string_view(out).substr(5)));
  return out;
}

std::optional<RowIdentity> identify_row(std::string_view packed) {
  if (!is_intact(packed)) return std::nullopt;
  Reader reader(packed.substr(kHeader));
  return read_identity(reader);
}

Result<std::string> unpack_row(std::string_view packed) {
  if (packed.size() < kHeader || get32(packed.data() + 5) > kLargest) return damaged();
  bool old = is_version_2(packed);
  if (!old && !is_intact(packed)) return damaged();
  Reader reader(packed.substr(kHeader));
  if (!old && !read_identity(reader)) return damaged();
  std::string_view body = reader.rest();
  std::string out(get32(packed.data() + 5), '\0');
  if (packed[0] == kZlib || packed[0] == kZlib2) {
    uLongf size = static_cast<uLongf>(out.size());
    if (uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(body.data()),
                   static_cast<uLong>(body.size())) != Z_OK ||
        size != out.size())
      return damaged();
  } else if (packed[0] == kLz4) {
    if (!lz4_decompress(body, out.data(), out.size())) return damaged();
  } else {
    out = body;
  }
  if (old && checksum(out) != get32(packed.data() + 1)) return damaged();
  return out;
}

bool is_old_row(std::string_view packed) {
  return unpack_row(packed).has_value() && is_version_2(packed);
}

}  // namespace leat
