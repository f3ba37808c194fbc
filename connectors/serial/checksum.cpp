#include "connectors/serial/checksum.h"

#include <charconv>
#include <numeric>

#include "base/hex.h"

namespace leat::serial {
namespace {

std::string hex(unsigned value, int digits) {
  std::string out = "0x";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out += kUpperHexDigits[(value >> shift) & 15];
  return out;
}

uint8_t xor_of(std::string_view bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), uint8_t{0}, [](uint8_t sum, char c) {
    return static_cast<uint8_t>(sum ^ static_cast<uint8_t>(c));
  });
}

std::string mismatch(const char* name, unsigned found, unsigned expected, int digits) {
  return std::string(name) + ": the frame says " + hex(found, digits) + ", its bytes give " +
         hex(expected, digits);
}

std::string take_crc(std::string_view& frame) {
  if (frame.size() < 2) return "crc16modbus: the frame is too short to end in one";
  std::string_view body = frame.substr(0, frame.size() - 2);
  auto low = static_cast<uint8_t>(frame[frame.size() - 2]);
  auto high = static_cast<uint8_t>(frame[frame.size() - 1]);
  unsigned found = low | static_cast<unsigned>(high) << 8;
  unsigned expected = crc16_modbus(body);
  if (found != expected) return mismatch("crc16modbus", found, expected, 4);
  frame = body;
  return "";
}

std::string take_xor(std::string_view& frame) {
  if (frame.empty()) return "xor: the frame is too short to end in one";
  std::string_view body = frame.substr(0, frame.size() - 1);
  auto found = static_cast<uint8_t>(frame.back());
  if (uint8_t expected = xor_of(body); found != expected)
    return mismatch("xor", found, expected, 2);
  frame = body;
  return "";
}

std::string take_nmea(std::string_view& frame) {
  if (frame.size() < 3 || frame[frame.size() - 3] != '*')
    return "nmea: the frame does not end in '*' and two hex digits";
  const char* digits = frame.data() + frame.size() - 2;
  unsigned found = 0;
  auto [end, error] = std::from_chars(digits, digits + 2, found, 16);
  if (error != std::errc() || end != digits + 2)
    return "nmea: the frame does not end in '*' and two hex digits";
  std::string_view body = frame.substr(0, frame.size() - 3);
  bool marked = body.starts_with('$') || body.starts_with('!');
  if (uint8_t expected = xor_of(body.substr(marked ? 1 : 0)); found != expected)
    return mismatch("nmea", found, expected, 2);
  frame = body;
  return "";
}

}  // namespace

uint16_t crc16_modbus(std::string_view bytes) {
  unsigned crc = 0xFFFF;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1;
  }
  return static_cast<uint16_t>(crc);
}

std::string take_checksum(Checksum kind, std::string_view& frame) {
  switch (kind) {
    case Checksum::kCrc16Modbus:
      return take_crc(frame);
    case Checksum::kXor:
      return take_xor(frame);
    case Checksum::kNmea:
      return take_nmea(frame);
    case Checksum::kNone:
      break;
  }
  return "";
}

}  // namespace leat::serial
