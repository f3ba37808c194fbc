#include "base/lz4_block.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace leat {
namespace {

// A sequence: a byte with the number of literals in its upper half and that of the match, less
// kLeast, in the lower; the literals; 2 bytes of the match's distance. 15 in a half means that
// bytes follow which are added, the last of which is not 255.
constexpr size_t kLeast = 4;  // bytes of a match
// So that a reader may copy a word at a time, the last match begins this long before the end, and
// the last bytes are literals.
constexpr size_t kNoMatchIn = 12;
constexpr size_t kLastLiterals = 5;

constexpr int kHashBits = 13;  // as many as fit into 16 KiB of stack
// After so many steps (as a power of 2) without a match, they become a byte longer.
constexpr size_t kPatience = 6;
// Steps of two bytes from the start ("acceleration" in the lz4 project): rows of telemetry are
// packed a quarter faster, into 4 % more bytes.
constexpr size_t kFirstStep = size_t{2} << kPatience;

uint32_t load32(const char* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

uint64_t load64(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Of five bytes: what begins alike for four only is seldom worth a sequence of its own. As the lz4
// project's own does it on 64 bits, with its factor; rows of JSON became a tenth smaller.
uint32_t hash(const char* p) {
  constexpr uint64_t kFactor = 889523592379ULL;
  return static_cast<uint32_t>(((load64(p) << 24) * kFactor) >> (64 - kHashBits));
}

// How far two stretches are the same; `b` ends at `end`.
size_t same_bytes(const char* a, const char* b, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  const char* const start = b;
  for (; end - b >= static_cast<ptrdiff_t>(sizeof(size_t)); a += sizeof(size_t)) {
    size_t x;
    size_t y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    if (x != y) return static_cast<size_t>(b - start + std::countr_zero(x ^ y) / 8);
    b += sizeof(size_t);
  }
  while (b < end && *a == *b) ++a, ++b;
  return static_cast<size_t>(b - start);
}

char* put_rest(char* out, size_t n) {
  for (; n >= 255; n -= 255) *out++ = static_cast<char>(0xFF);
  *out++ = static_cast<char>(n);
  return out;
}

char* put_token(char* out, size_t literals, size_t match_half) {
  *out++ = static_cast<char>((literals < 15 ? literals : 15) << 4 | match_half);
  return literals >= 15 ? put_rest(out, literals - 15) : out;
}

// Copies a word at a time, so up to 7 bytes more than asked for: before a match there are more than
// that on either side.
char* put_words(char* out, const char* from, size_t count) {
  char* const end = out + count;
  for (; out < end; out += sizeof(uint64_t), from += sizeof(uint64_t))
    std::memcpy(out, from, sizeof(uint64_t));
  return end;
}

// The number that begins with a half byte; SIZE_MAX when it is cut off or more than `most`.
size_t read_length(size_t half, const char*& in, const char* end, size_t most) {
  size_t length = half;
  if (half == 15) {
    uint8_t byte;
    do {
      if (in == end || length > most) return SIZE_MAX;
      byte = static_cast<uint8_t>(*in++);
      length += byte;
    } while (byte == 255);
  }
  return length;
}

}  // namespace

size_t lz4_compress(std::string_view in, char* out) {
  const char* const begin = in.data();
  const char* const end = begin + in.size();
  char* at = out;
  const char* literals = begin;
  if (in.size() > kNoMatchIn) {
    const char* const last_match = end - kNoMatchIn;
    // Where such bytes stood last: the lower half of how far from the beginning, which tells the
    // distance, since no match is farther away than that can say.
    uint16_t seen[1 << kHashBits] = {};
    size_t steps = kFirstStep;
    for (const char* p = begin + 1; p <= last_match;) {
      uint16_t& place = seen[hash(p)];
      const auto here = static_cast<uint16_t>(p - begin);
      const auto distance = static_cast<uint16_t>(here - place);
      place = here;
      const char* match = p - distance;
      if (distance == 0 || p - begin < distance || load32(match) != load32(p)) {
        p += steps++ >> kPatience;
        continue;
      }
      while (p > literals && match > begin && p[-1] == match[-1]) --p, --match;
      const size_t more = same_bytes(match + kLeast, p + kLeast, end - kLastLiterals);
      const auto count = static_cast<size_t>(p - literals);
      at = put_words(put_token(at, count, more < 15 ? more : 15), literals, count);
      *at++ = static_cast<char>(distance & 0xFF);
      *at++ = static_cast<char>(distance >> 8);
      if (more >= 15) at = put_rest(at, more - 15);
      p += kLeast + more;
      literals = p;
      steps = kFirstStep;
      if (p <= last_match) seen[hash(p - 2)] = static_cast<uint16_t>(p - 2 - begin);
    }
  }
  const auto rest = static_cast<size_t>(end - literals);
  at = put_token(at, rest, 0);
  if (rest > 0) std::memcpy(at, literals, rest);
  return static_cast<size_t>(at + rest - out);
}

bool lz4_decompress(std::string_view block, char* out, size_t size) {
  const char* in = block.data();
  const char* const in_end = in + block.size();
  char* const begin = out;
  char* const end = out + size;
  while (in < in_end) {
    const auto token = static_cast<uint8_t>(*in++);
    const size_t literals = read_length(token >> 4, in, in_end, size);
    if (literals > static_cast<size_t>(in_end - in) || literals > static_cast<size_t>(end - out))
      return false;
    if (literals > 0) std::memcpy(out, in, literals);
    in += literals;
    out += literals;
    if (in == in_end) return out == end;

    if (in_end - in < 2) return false;
    const size_t distance =
        static_cast<uint8_t>(in[0]) | static_cast<size_t>(static_cast<uint8_t>(in[1])) << 8;
    in += 2;
    if (distance == 0 || distance > static_cast<size_t>(out - begin)) return false;
    size_t length = read_length(token & 15, in, in_end, size);
    if (length == SIZE_MAX || kLeast > static_cast<size_t>(end - out) ||
        length > static_cast<size_t>(end - out) - kLeast)
      return false;
    length += kLeast;
    const char* from = out - distance;
    // Where it repeats what it is just writing, no more than `distance` bytes at a time are there.
    constexpr size_t kWord = 8;
    if (distance >= kWord) {
      for (; length >= kWord; length -= kWord, from += kWord, out += kWord)
        std::memcpy(out, from, kWord);
    }
    while (length-- > 0) *out++ = *from++;
  }
  return false;
}

}  // namespace leat
