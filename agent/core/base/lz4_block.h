// The LZ4 block format (lz4_Block_format.md of the lz4 project): five times as fast as zlib's level
// 1, for half as many bytes again. What is written here, any LZ4 reads, and the other way round.
//
// Not liblz4: its smallest part takes 57 KB, of which the preset tiny has not that many left, where
// one way of packing and one of unpacking are wanted. Measured beside it in tests/bench/RESULTS.md.
//
// Thread: any. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat {

// What a block of `size` bytes takes at most.
constexpr size_t lz4_bound(size_t size) {
  return size + size / 255 + 16;
}

// Writes `in` as one block to `out`, where there must be lz4_bound() bytes; how many it took.
// At most 2 GiB.
size_t lz4_compress(std::string_view in, char* out);

// Unpacks a block that holds `size` bytes. False when it is damaged: then `out` has nonsense in it.
// Nothing is read or written out of bounds, whatever the block is.
bool lz4_decompress(std::string_view block, char* out, size_t size);

}  // namespace leat
