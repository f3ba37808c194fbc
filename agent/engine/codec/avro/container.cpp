#include "codec/avro/container.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/fnv.h"
#include "base/units.h"
#include "codec/avro/wire.h"

namespace leat {
namespace {

// Files that are read in turns have a marker each.
constexpr size_t kMostMarkers = 64;

// A text with its length before it.
AvroPart read_text(std::string_view bytes, size_t& at, std::string_view& out) {
  int64_t size = 0;
  const char* const end = bytes.data() + bytes.size();
  const char* p = read_avro_long(bytes.data() + at, end, size);
  if (p == nullptr) return bytes.size() - at >= kAvroLongSize ? AvroPart::kBroken : AvroPart::kCut;
  if (size < 0 || size > INT32_MAX) return AvroPart::kBroken;
  if (static_cast<uint64_t>(size) > static_cast<size_t>(end - p)) return AvroPart::kCut;
  out = {p, static_cast<size_t>(size)};
  at = static_cast<size_t>(p + size - bytes.data());
  return AvroPart::kWhole;
}

AvroPart read_number(std::string_view bytes, size_t& at, int64_t& out) {
  const char* p = read_avro_long(bytes.data() + at, bytes.data() + bytes.size(), out);
  if (p == nullptr) return bytes.size() - at >= kAvroLongSize ? AvroPart::kBroken : AvroPart::kCut;
  at = static_cast<size_t>(p - bytes.data());
  return AvroPart::kWhole;
}

}  // namespace

AvroPart read_avro_header(std::string_view bytes, AvroHeader& out) {
  if (!bytes.starts_with(kAvroMagic))
    return kAvroMagic.starts_with(bytes) ? AvroPart::kCut : AvroPart::kBroken;
  size_t at = kAvroMagic.size();
  while (true) {
    int64_t count = 0;
    if (AvroPart part = read_number(bytes, at, count); part != AvroPart::kWhole) return part;
    if (count == 0) break;
    int64_t size = 0;
    if (count < 0)
      if (AvroPart part = read_number(bytes, at, size); part != AvroPart::kWhole) return part;
    if (count < -INT32_MAX || count > INT32_MAX) return AvroPart::kBroken;
    for (count = std::abs(count); count > 0; --count) {
      std::string_view key;
      std::string_view value;
      if (AvroPart part = read_text(bytes, at, key); part != AvroPart::kWhole) return part;
      if (AvroPart part = read_text(bytes, at, value); part != AvroPart::kWhole) return part;
      if (key == "avro.schema") out.schema = value;
      if (key == "avro.codec") out.codec = value;
    }
  }
  if (bytes.size() - at < kAvroMarkerSize) return AvroPart::kCut;
  std::memcpy(out.marker.data(), bytes.data() + at, kAvroMarkerSize);
  out.size = at + kAvroMarkerSize;
  return AvroPart::kWhole;
}

AvroPart read_avro_block(std::string_view bytes, AvroBlock& out) {
  size_t at = 0;
  if (AvroPart part = read_number(bytes, at, out.count); part != AvroPart::kWhole) return part;
  if (out.count < 0) return AvroPart::kBroken;
  if (AvroPart part = read_text(bytes, at, out.data); part != AvroPart::kWhole) return part;
  if (bytes.size() - at < kAvroMarkerSize) return AvroPart::kCut;
  out.marker = bytes.substr(at, kAvroMarkerSize);
  out.size = at + kAvroMarkerSize;
  return AvroPart::kWhole;
}

bool AvroUnits::is_known(std::string_view marker) const {
  return std::ranges::any_of(markers_, [marker](const AvroMarker& one) {
    return std::memcmp(one.data(), marker.data(), kAvroMarkerSize) == 0;
  });
}

void AvroUnits::know(const AvroMarker& marker) {
  if (is_known({marker.data(), marker.size()})) return;
  if (markers_.size() == kMostMarkers) markers_.erase(markers_.begin());
  markers_.push_back(marker);
}

size_t AvroUnits::behind_marker(std::string_view bytes, size_t from) const {
  size_t first = std::string_view::npos;
  for (const AvroMarker& marker : markers_) {
    const size_t at = bytes.find(std::string_view(marker.data(), marker.size()), from);
    if (at != std::string_view::npos) first = std::min(first, at + kAvroMarkerSize);
  }
  return first;
}

AvroUnits::Unit AvroUnits::broken(std::string_view bytes) const {
  const size_t behind = behind_marker(bytes, 0);
  if (behind != std::string_view::npos) return {.kind = Unit::Kind::kBroken, .size = behind};
  if (markers_.empty()) return {.kind = Unit::Kind::kBroken, .size = bytes.size()};
  return {};
}

AvroUnits::Unit AvroUnits::next(std::string_view bytes) {
  Unit out;
  if (bytes.starts_with(kAvroMagic) ||
      (bytes.size() < kAvroMagic.size() && kAvroMagic.starts_with(bytes))) {
    const AvroPart part = read_avro_header(bytes, out.header);
    if (part == AvroPart::kBroken) return broken(bytes);
    if (part == AvroPart::kCut) return {};
    know(out.header.marker);
    out.kind = Unit::Kind::kHeader;
    out.size = out.header.size;
    return out;
  }
  const AvroPart part = read_avro_block(bytes, out.block);
  if (part == AvroPart::kBroken) return broken(bytes);
  if (part == AvroPart::kCut) {
    // None has the marker within: then its length is not true.
    const size_t behind = behind_marker(bytes, 0);
    if (behind == std::string_view::npos) return {};
    return {.kind = Unit::Kind::kBroken, .size = behind};
  }
  out.kind = Unit::Kind::kBlock;
  out.size = out.block.size;
  if (markers_.empty() || is_known(out.block.marker)) return out;
  // Its marker is wrong, or its length. Where another block follows it is the marker.
  AvroBlock behind;
  const std::string_view rest = bytes.substr(out.size);
  const AvroPart following = rest.empty() ? AvroPart::kWhole : read_avro_block(rest, behind);
  const bool aligned = rest.empty() || (following == AvroPart::kWhole && is_known(behind.marker));
  const Unit lost = broken(bytes);
  return aligned || lost.kind == Unit::Kind::kCut ? out : lost;
}

Status avro_inflate(std::string_view packed, size_t most, std::string& out) {
  z_stream zlib = {};
  if (inflateInit2(&zlib, -MAX_WBITS) != Z_OK)
    return fail(ErrorKind::kUnavailable, "no memory to inflate");
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  zlib.avail_in = static_cast<uInt>(packed.size());
  if (out.size() < packed.size() * 4) out.resize(std::min(most, packed.size() * 4));
  int state = Z_OK;
  while (state == Z_OK) {
    if (zlib.total_out == out.size()) {
      if (out.size() >= most) break;
      out.resize(std::min(most, std::max<size_t>(out.size() * 2, 4096)));
    }
    zlib.next_out = reinterpret_cast<Bytef*>(out.data()) + zlib.total_out;
    zlib.avail_out = static_cast<uInt>(out.size() - zlib.total_out);
    state = inflate(&zlib, Z_NO_FLUSH);
    if (state == Z_BUF_ERROR && zlib.avail_out == 0) state = Z_OK;
  }
  out.resize(zlib.total_out);
  inflateEnd(&zlib);
  if (state == Z_STREAM_END) return {};
  if (state == Z_OK)
    return fail(ErrorKind::kData, "the block takes more than " +
                                      format_bytes(static_cast<int64_t>(most)) +
                                      " unpacked, which is what fits into the pipeline's memory");
  return fail(ErrorKind::kData, "what is packed in the block is damaged");
}

void avro_deflate(std::string_view bytes, std::string& out) {
  z_stream zlib = {};
  if (deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, /*memLevel=*/8,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    std::abort();  // as operator new would
  out.resize(deflateBound(&zlib, static_cast<uLong>(bytes.size())));
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  (void)deflate(&zlib, Z_FINISH);  // there is room for all of it
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
}

std::string avro_header(std::string_view schema, std::string_view codec) {
  std::string out(kAvroMagic);
  append_avro_long(out, 2);
  append_avro_text(out, "avro.schema");
  append_avro_text(out, schema);
  append_avro_text(out, "avro.codec");
  append_avro_text(out, codec);
  append_avro_long(out, 0);
  const uint64_t marker[2] = {fnv1a(out), fnv1a("marker", fnv1a(out))};
  out.append(reinterpret_cast<const char*>(marker), sizeof marker);
  return out;
}

}  // namespace leat
