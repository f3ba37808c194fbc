// One byte says how (0 as it is, 1 zlib), then CRC-32 (RFC 1952 section 8) and length of the
// content, 4 bytes each with the lowest first, then the bytes.
#include <zlib.h>

#include <cstring>

#include "journal/spool_table.h"

namespace leat {
namespace {

constexpr size_t kHeader = 9;
constexpr char kPlain = 0;
constexpr char kZlib = 1;
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

}  // namespace

std::string pack_row(std::string_view content) {
  uLong bound = compressBound(static_cast<uLong>(content.size()));
  std::string out(kHeader + bound, '\0');
  uLongf size = bound;
  // Level 1: 4 times as fast as the default here, for a tenth more bytes.
  bool smaller = compress2(reinterpret_cast<Bytef*>(out.data() + kHeader), &size,
                           reinterpret_cast<const Bytef*>(content.data()),
                           static_cast<uLong>(content.size()), 1) == Z_OK &&
                 size < content.size();
  if (smaller) {
    out.resize(kHeader + size);
  } else {
    out.resize(kHeader + content.size());
    if (!content.empty()) std::memcpy(out.data() + kHeader, content.data(), content.size());
  }
  out[0] = smaller ? kZlib : kPlain;
  put32(out.data() + 1, checksum(content));
  put32(out.data() + 5, static_cast<uint32_t>(content.size()));
  return out;
}

Result<std::string> unpack_row(std::string_view packed) {
  auto damaged = [] { return fail(ErrorKind::kData, "a spooled batch is damaged"); };
  if (packed.size() < kHeader || get32(packed.data() + 5) > kLargest) return damaged();
  std::string_view body = packed.substr(kHeader);
  std::string out(get32(packed.data() + 5), '\0');
  if (packed[0] == kZlib) {
    uLongf size = static_cast<uLongf>(out.size());
    if (uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(body.data()),
                   static_cast<uLong>(body.size())) != Z_OK ||
        size != out.size())
      return damaged();
  } else {
    out = body;
  }
  if (checksum(out) != get32(packed.data() + 1)) return damaged();
  return out;
}

}  // namespace leat
