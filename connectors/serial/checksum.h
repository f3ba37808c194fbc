// The checksums at the end of a frame. Pure code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::serial {

enum class Checksum {
  kNone,
  // CRC-16 with the polynomial 0xA001 (reflected), begun with 0xFFFF, over all bytes before it; low
  // byte first (MODBUS over Serial Line V1.02, sections 2.5.1.2 and 6.2.2).
  kCrc16Modbus,
  kXor,   // one raw byte: all bytes before it, combined by exclusive or
  kNmea,  // "*hh": two hex digits, of the bytes between a leading '$' or '!' and the '*' (NMEA
          // 0183)
};

uint16_t crc16_modbus(std::string_view bytes);

// Takes the checksum off the end of `frame`. Returns "" when it was right, otherwise what is wrong
// in one line; `frame` is then as it was.
std::string take_checksum(Checksum kind, std::string_view& frame);

}  // namespace leat::serial
