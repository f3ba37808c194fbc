#include "connectors/file/filling.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/fnv.h"
#include "stage/record_limit.h"

namespace leat {
namespace {

constexpr size_t kKept = 1024;

void reject(Batch& batch, std::string_view bytes, const std::string& why, uint32_t end_line = 0) {
  batch.rejected.push_back(
      {batch.arena.copy(bytes.substr(0, kKept)), batch.arena.copy(why), end_line});
}

// Of characters of `unit` bytes.
bool is_blank(std::string_view text, size_t unit) {
  constexpr std::string_view kBlank(" \t\r\n\0", 5);
  return text.find_first_not_of(kBlank.substr(0, unit == 1 ? 4 : 5)) == std::string_view::npos;
}

uint64_t hash_before(const char* end, uint64_t offset) {
  size_t size = static_cast<size_t>(std::min<uint64_t>(InputFile::kBefore, offset));
  return fnv1a({end - size, size});
}

}  // namespace

Filled fill(Batch& batch, InputStream& stream, std::span<char> bytes, InputState state,
            const Framing& framing, size_t max_record) {
  const uint64_t begin = stream.offset;
  Pieces pieces = cut_records(stream, begin, bytes, state == InputState::kEnd, framing, max_record);
  if (pieces.more) state = InputState::kMore;
  std::string_view rest(bytes.data() + (pieces.done - begin), bytes.size() - (pieces.done - begin));
  // A terminator that was added is not in the file.
  uint64_t to = std::min<uint64_t>(pieces.offset + pieces.whole.size(), begin + bytes.size());
  if (!stream.gzip) {
    stream.note_place(to, hash_before(bytes.data() + (to - begin), to));
    stream.before = hash_before(rest.data(), pieces.done);
  }
  stream.offset = pieces.done;
  stream.unfinished = rest.size();
  if (stream.gzip) stream.carry = rest;

  batch.begin = {stream.partition, pieces.offset, stream.line};
  batch.end = {stream.partition, to, stream.line, state != InputState::kMore};
  batch.bytes = pieces.whole;
  if (!is_blank(pieces.rest_of_line, framing.unit()))
    reject(batch, pieces.rest_of_line,
           "the rest of the line before, which had no end when it was read", 1);
  if (!pieces.torn.empty())
    reject(batch, pieces.torn, "the line ends in a hole of NUL bytes: its rest was never written");
  if (!pieces.too_long.empty()) {
    batch.rejected.push_back(too_long_letter(batch, pieces.too_long, max_record));
  } else if (state == InputState::kBroken && !rest.empty()) {
    reject(batch, rest, "the file could not be read to the end of this record");
  }
  return {pieces.hole, pieces.hole_end, pieces.more};
}

}  // namespace leat
