#include "codec/text/gbk.h"

#include <iconv.h>

#include <memory>

namespace leat {

const Gbk* Gbk::get() {
  static const std::unique_ptr<const Gbk> known = []() -> std::unique_ptr<const Gbk> {
    const iconv_t converter = iconv_open("UTF-16LE", "GBK");
    if (reinterpret_cast<intptr_t>(converter) == -1) return nullptr;  // iconv_open(3)
    std::unique_ptr<Gbk> out(new Gbk());
    for (unsigned pair = 0x8000; pair <= 0xFFFF; ++pair) {
      char from[] = {static_cast<char>(pair >> 8), static_cast<char>(pair & 0xFF)};
      unsigned char to[2];
      char* in = from;
      auto* made = reinterpret_cast<char*>(to);
      size_t in_left = sizeof from;
      size_t room = sizeof to;
      const size_t done = iconv(converter, &in, &in_left, &made, &room);
      if (done != 0 || in_left != 0 || room != 0) {
        iconv(converter, nullptr, nullptr, nullptr, nullptr);
        continue;
      }
      const auto code = static_cast<uint16_t>(to[0] | to[1] << 8);
      out->codes_[pair - 0x8000] = code;
      if (out->bytes_[code] == 0) out->bytes_[code] = static_cast<uint16_t>(pair);
    }
    iconv_close(converter);
    return out;
  }();
  return known.get();
}

}  // namespace leat
