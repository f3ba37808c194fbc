// GBK, each of whose characters is a byte of ASCII or two bytes, as the C library's iconv has them:
// it is asked once for all.
//
// The second byte of a character may be one of ASCII from 0x40 on. So what separates fields, quotes
// them and ends lines is found in such text as in any other, where it is below that.
//
// Thread: any. Memory: 192 KB for the process, from the first use on.
#pragma once

#include <cstdint>
#include <vector>

namespace leat {

class Gbk {
 public:
  static constexpr unsigned char kFirstOfSecond = 0x40;

  // Null where nobody knows it: the C library has its tables elsewhere (Debian's package
  // libc-gconv-modules-extra), or it is linked statically.
  static const Gbk* get();

  // As a code point of the basic plane; 0 for what is no character.
  uint16_t code_of(unsigned char first, unsigned char second) const {
    return first < 0x80 ? 0 : codes_[(first - 0x80U) << 8 | second];
  }
  // Both bytes, the first one high; 0 where it has none.
  uint16_t bytes_of(uint16_t code) const { return bytes_[code]; }

 private:
  Gbk() : codes_(0x8000), bytes_(0x10000) {}

  std::vector<uint16_t> codes_;
  std::vector<uint16_t> bytes_;
};

}  // namespace leat
