// The parts of an object container file (specification 1.11, "Object Container Files"): a header,
// and blocks of records behind it, each of which ends with the header's marker.
//
// Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat {

constexpr std::string_view kAvroMagic("Obj\1", 4);
constexpr size_t kAvroMarkerSize = 16;
using AvroMarker = std::array<char, kAvroMarkerSize>;

enum class AvroPart : uint8_t {
  kWhole,
  kCut,     // its end is not there
  kBroken,  // it is none
};

struct AvroHeader {
  std::string_view schema;
  std::string_view codec;
  AvroMarker marker = {};
  size_t size = 0;
};
AvroPart read_avro_header(std::string_view bytes, AvroHeader& out);

struct AvroBlock {
  int64_t count = 0;      // of records
  std::string_view data;  // as it is, packed or not
  std::string_view marker;
  size_t size = 0;  // with all around
};
AvroPart read_avro_block(std::string_view bytes, AvroBlock& out);

// Takes a stream apart, from a place between two units on. No block begins as a header does: its
// count would be less than 0.
class AvroUnits {
 public:
  struct Unit {
    enum class Kind : uint8_t { kHeader, kBlock, kBroken, kCut } kind = Kind::kCut;
    size_t size = 0;
    AvroHeader header = {};
    AvroBlock block = {};
  };

  // The unit that `bytes` begin with; not empty. What is broken ends behind the next marker that is
  // known, or else with all there is.
  Unit next(std::string_view bytes);
  // Behind the first marker that is known, at or behind `from`; npos.
  size_t behind_marker(std::string_view bytes, size_t from) const;
  // Headers that next() has seen are known.
  void know(const AvroMarker& marker);
  void forget() { markers_.clear(); }

 private:
  bool is_known(std::string_view marker) const;
  Unit broken(std::string_view bytes) const;

  std::vector<AvroMarker> markers_;
};

// Raw deflate (RFC 1951). kData: it is none, or takes more than `most`.
Status avro_inflate(std::string_view packed, size_t most, std::string& out);
void avro_deflate(std::string_view bytes, std::string& out);

// Header of a file; the marker comes of what is in it, so that a file that was begun can be gone on
// with.
std::string avro_header(std::string_view schema, std::string_view codec);

}  // namespace leat
