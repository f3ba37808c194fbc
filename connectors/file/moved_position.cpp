#include "connectors/file/moved_position.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "connectors/file/stream.h"

namespace leat {
namespace {

constexpr size_t kLongestLine = 1 << 20;

// Behind the last newline before `offset`.
Result<uint64_t> begin_of_line(const InputFile& file, uint64_t offset) {
  const auto reach = static_cast<size_t>(std::min<uint64_t>(offset, kLongestLine));
  std::string bytes(reach, '\0');
  InputFile::Read read = file.read_at(offset - reach, bytes.data(), reach);
  if (!read.status) return fail(read.status.error());
  const size_t newline = std::string_view(bytes).substr(0, read.bytes).rfind('\n');
  if (newline != std::string::npos) return offset - reach + newline + 1;
  if (reach == offset) return uint64_t{0};
  return fail(ErrorKind::kData, file.path() + ": no line begins in the mebibyte before byte " +
                                    std::to_string(offset));
}

}  // namespace

Result<std::optional<MovedPosition>> moved_position(const SavedPosition& saved,
                                                    const PositionTarget& target) {
  ResumePoint point;
  if (!from_saved(saved, point)) return std::optional<MovedPosition>();
  if (!target.file.empty() && target.file != point.path) return std::optional<MovedPosition>();
  const uint64_t from = std::exchange(point.offset, 0);
  // Of one that is gone, what is saved goes.
  Result<std::shared_ptr<InputFile>> file = InputFile::open(point.path, Compression::kAuto);
  if (target.to != PositionTarget::To::kStart) {
    if (!file) return fail(ErrorKind::kData, file.error().message());
    ReadSoFar read = point;
    read.offset = from;
    if (!still_holds(**file, read))
      return fail(ErrorKind::kData,
                  point.path + ": is not the file any more that the position is of");
    if ((*file)->gzip())
      return fail(ErrorKind::kData,
                  point.path + ": a compressed file can only be read from its start");
    Result<FileInfo> info = (*file)->info();
    if (!info) return fail(info.error());
    const uint64_t wanted =
        target.to == PositionTarget::To::kEnd ? info->size : std::min(info->size, target.offset);
    Result<uint64_t> begin = begin_of_line(**file, wanted);
    if (!begin) return fail(begin.error());
    point.offset = *begin;
  }
  point.line = 0;
  point.unended = false;
  MovedPosition moved{{saved.partition, ""}, point.path, from, point.offset};
  if (file) {
    point.before = (*file)->hash_before(point.offset);
    moved.position = to_saved(point);
  }
  return std::optional<MovedPosition>(std::move(moved));
}

}  // namespace leat
