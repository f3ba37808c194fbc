// How state is written: numbers as LEB128, those with a sign zigzag, texts with their length before
// them. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

void put_number(std::string& out, uint64_t n);
void put_signed(std::string& out, int64_t n);
void put_text(std::string& out, std::string_view text);

// Over bytes that may be anything: `bad` once it would have left them.
struct ByteReader {
  std::string_view rest;
  bool bad = false;

  uint64_t number();
  int64_t signed_number();
  std::string_view text();
};

}  // namespace leat
