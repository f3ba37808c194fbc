#include "codec/avro/encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/avro/container.h"
#include "codec/avro/derive.h"
#include "codec/avro/wire.h"
#include "codec/text/slice_writer.h"

namespace leat {
namespace {

// Of records in a block, unpacked: as other writers have it.
constexpr size_t kBlock = 64 * 1024;

}  // namespace

AvroEncoder::AvroEncoder(AvroWriting writing) : writing_(std::move(writing)) {
  if (writing_.schema != nullptr) set_schema();
}

void AvroEncoder::set_schema() {
  if (writing_.encoding == AvroEncoding::kContainer)
    header_ = avro_header(writing_.schema->json(), writing_.deflate ? "deflate" : "null");
  if (writing_.encoding != AvroEncoding::kSingleObject) return;
  const uint64_t fingerprint = avro_fingerprint(avro_canonical_form(*writing_.schema));
  before_ = kAvroSingleMagic;
  before_.append(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
}

Status AvroEncoder::derive(const Batch& in) {
  Result<AvroSchemaRef> schema = AvroSchema::parse(avro_schema_of(in, writing_.record));
  if (!schema) return fail(schema.error());
  writing_.schema = std::move(*schema);
  set_schema();
  return {};
}

Result<BatchRef> AvroEncoder::encode(const Batch& in, DeadLetters& dead) {
  BatchRef out = batch_like(in);
  if (in.records.empty()) return out;
  if (writing_.schema == nullptr) {
    if (Status made = derive(in); !made) return fail(made.error());
  }
  const AvroNode& root = writing_.schema->root();
  const bool container = writing_.encoding == AvroEncoding::kContainer;
  SliceWriter slices(out->arena);
  size_t count = 0;
  size_t made = 0;
  writer_.clear();
  for (size_t i = 0; i < in.records.size(); ++i) {
    const Record& record = in.records[i];
    const AvroFieldMap& map = shapes_.get(in, record.shape, [&root](const Shape& shape) {
      return AvroWriter::map_shape(root, shape);
    });
    bool stop = false;
    if (!writer_.record(root, map, record)) {
      dead.add(in, i, writer_.problem());
      stop = dead.full();
    } else if (container) {
      ++count;
      stop = made + writer_.written().size() >= in.quantum;
    } else {
      slices.append(before_);
      slices.append(writer_.written());
      writer_.clear();
      out->slices.push_back(slices.finish(record.end_offset, record.end_line));
      made += out->slices.back().size;
      stop = made >= in.quantum;
    }
    const bool last = i + 1 == in.records.size();
    const bool turn = stop && in.may_cut(i + 1);
    if (count > 0 && (last || turn || writer_.written().size() >= kBlock)) {
      end_block(*out, std::exchange(count, 0), record);
      made += out->slices.back().size;
    }
    if (turn) return stop_behind(i, in, std::move(out));
  }
  shapes_.trim(in);
  return out;
}

void AvroEncoder::end_block(Batch& out, size_t count, const Record& last) {
  std::string_view data = writer_.written();
  if (writing_.deflate) {
    avro_deflate(data, packed_);
    data = packed_;
  }
  std::string head;
  append_avro_long(head, static_cast<int64_t>(count));
  append_avro_long(head, static_cast<int64_t>(data.size()));
  const std::string_view marker =
      std::string_view(header_).substr(header_.size() - kAvroMarkerSize);
  SliceWriter writer(out.arena);
  writer.reserve(head.size() + data.size() + marker.size());
  writer.put(head);
  writer.put(data);
  writer.put(marker);
  out.slices.push_back(writer.finish(last.end_offset, last.end_line));
  writer_.clear();
}

uint64_t avro_whole_part(const WrittenBytes& read, uint64_t size) {
  constexpr uint64_t kLongestHeader = 4 << 20;
  std::string head(static_cast<size_t>(std::min(size, kLongestHeader)), '\0');
  head.resize(read(head.data(), head.size(), 0));
  AvroHeader header;
  if (read_avro_header(head, header) != AvroPart::kWhole) return 0;
  uint64_t whole = header.size;
  while (whole < size) {
    char lengths[2 * kAvroLongSize];
    const size_t got = read(lengths, sizeof lengths, whole);
    int64_t count = 0;
    int64_t bytes = 0;
    const char* p = read_avro_long(lengths, lengths + got, count);
    if (p != nullptr) p = read_avro_long(p, lengths + got, bytes);
    const uint64_t left = size - whole;
    if (p == nullptr || count < 0 || bytes < 0 || static_cast<uint64_t>(bytes) > left) break;
    const uint64_t end = static_cast<uint64_t>(p - lengths + bytes);
    AvroMarker marker;
    if (left < end + kAvroMarkerSize ||
        read(marker.data(), marker.size(), whole + end) != marker.size() || marker != header.marker)
      break;
    whole += end + kAvroMarkerSize;
  }
  return whole;
}

}  // namespace leat
