#include "connectors/file/stream.h"

#include <cjson/cJSON.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "base/folder.h"
#include "base/text.h"

namespace leat {
namespace {

// Numbers are kept as text: cJSON holds them as doubles, which end at 2^53.
uint64_t number(const cJSON* object, const char* name, int base = 10) {
  const char* text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text == nullptr ? 0 : std::strtoull(text, nullptr, base);
}

std::string hex(uint64_t value) {
  char buffer[17];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, 16);
  return {buffer, error == std::errc() ? static_cast<size_t>(end - buffer) : 0};
}

}  // namespace

bool still_holds(const InputFile& file, const ReadSoFar& read) {
  FileIdentity identity = file.identity(read.identity.head_bytes);
  if (read.identity.birth_us == 0) identity.birth_us = 0;  // saved by an older version
  FileIdentity known = read.identity;
  if (identity.birth_us == 0) known.birth_us = 0;
  if (identity != known) return false;
  if (file.gzip()) return true;  // compressed files are not written over in place
  uint64_t before = file.hash_before(read.offset);  // 0: it is shorter
  return before != 0 && before == read.before;
}

std::string ResumePoint::home() const {
  return folder.empty() || folder == kOfPath ? folder_of(path) : folder;
}

void InputStream::rename(const std::string& to) {
  if (to == path) return;
  if (first_path.empty()) first_path = path;
  if (first_path == to) first_path.clear();
  path = to;
}

void InputStream::lies_in(const std::string& where) {
  if (where.empty() || where == folder) return;
  folder = where == folder_of(opened_as()) ? ResumePoint::kOfPath : where;
}

void InputStream::resume(const ResumePoint& point) {
  static_cast<ReadSoFar&>(*this) = point;
  line = point.line;
  if (point.file_system != 0) file_system = point.file_system;
  first_path = point.path == path ? "" : point.path;
  folder = point.folder;
  unended = point.unended;
  at_start = point.offset == 0;
  resumed = true;
}

ResumePoint InputStream::point() const {
  ResumePoint out;
  static_cast<ReadSoFar&>(out) = *this;
  out.path = opened_as();
  out.line = line;
  out.file_system = file_system;
  out.folder = folder;
  out.drained = ended;
  out.unended = unended;
  return out;
}

void InputStream::note_place(uint64_t at, uint64_t hash) {
  auto next = std::lower_bound(places.begin(), places.end(), std::pair(at, uint64_t{0}));
  if (next == places.end() || next->first != at) places.insert(next, {at, hash});
}

void InputStream::forget_places(uint64_t until) {
  auto first = std::lower_bound(places.begin(), places.end(), std::pair(until, uint64_t{0}));
  places.erase(places.begin(), first);
}

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// How many bytes at the start belong to a record that was given up.
size_t rest_of_given_up(InputStream& stream, std::string_view bytes, const Framing& framing) {
  if (!stream.given_up.going_on || bytes.empty()) return 0;
  return framing.behind_given_up(bytes, 0, stream.given_up);
}

// What was appended to a line that had been given on.
size_t rest_of_unended(InputStream& stream, std::string_view bytes, bool end,
                       const Framing& framing) {
  if (!stream.unended || bytes.empty()) return 0;
  size_t behind = framing.behind_line(bytes, 0);
  if (behind == std::string_view::npos) return end ? bytes.size() : 0;
  stream.unended = false;
  return behind;
}

// NULs, where a line would begin, are what a program leaves behind that writes on at its old place
// after the file was cut: no text begins with one. So many are no record of bytes either.
constexpr size_t kLargeHole = 64;

size_t nuls(std::string_view bytes, size_t from = 0) {
  return std::min(bytes.find_first_not_of('\0', from), bytes.size()) - from;
}

// How many bytes at `at`, where a line begins, are a hole: one of few bytes only before a line that
// has none in it. Else it may be anything (UTF-16 that was not said to be).
size_t hole_at(std::string_view bytes, size_t at, bool end, const Framing& framing) {
  const size_t size = nuls(bytes, at);
  if (size == 0 || size >= kLargeHole) return size;
  if (framing.may_begin_with_nul()) return 0;
  const size_t newline = bytes.find('\n', at + size);
  if (newline == std::string_view::npos && !end) return 0;  // it is not whole yet
  const std::string_view line = bytes.substr(at + size, newline - at - size);
  const bool is_line = line.find_first_not_of('\r') != std::string_view::npos &&
                       line.find('\0') == std::string_view::npos;
  return is_line ? size : 0;
}

// The first behind the start: before a line, or a large one within, where the rest of a line was
// never written (a power cut).
size_t find_hole(std::string_view bytes, bool end, const Framing& framing) {
  for (size_t at = bytes.find('\0', 1); at != std::string_view::npos;) {
    const size_t size = nuls(bytes, at);
    const bool hole = bytes[at - 1] == '\n' ? hole_at(bytes, at, end, framing) > 0
                                            : size >= kLargeHole && !framing.may_begin_with_nul();
    if (hole) return at;
    at = bytes.find('\0', at + size);
  }
  return std::string_view::npos;
}

// How many bytes at the start are a hole, or more of one.
size_t rest_of_hole(InputStream& stream, std::string_view bytes, bool end, const Framing& framing,
                    Pieces& out) {
  const size_t size = stream.hole > 0 ? nuls(bytes) : hole_at(bytes, 0, end, framing);
  if (size == 0 && stream.hole == 0) return 0;
  stream.hole += size;
  if (size < bytes.size() || end) {
    out.hole = std::exchange(stream.hole, 0);
    out.hole_end = out.offset + size;
  }
  return size;
}

// The hash before `offset`. Between two reads the file may have been cut and written anew: then
// nothing tells any more what stood there, and 0 says so.
uint64_t hash_of_place(InputStream& stream, uint64_t offset) {
  auto known =
      std::lower_bound(stream.places.begin(), stream.places.end(), std::pair(offset, uint64_t{0}));
  if (known != stream.places.end() && known->first == offset) return known->second;
  std::shared_ptr<InputFile> file = stream.file;
  if (file == nullptr) {
    Result<std::shared_ptr<InputFile>> again = InputFile::open(stream.path, Compression::kNone);
    if (again) file = *again;
  }
  ReadSoFar read = stream;
  if (known != stream.places.end()) std::tie(read.offset, read.before) = *known;
  uint64_t hash = 0;
  if (file != nullptr && still_holds(*file, read)) hash = file->hash_before(offset);
  stream.note_place(offset, hash);
  return hash;
}

}  // namespace

Pieces cut_records(InputStream& stream, uint64_t offset, std::span<char> bytes, bool end,
                   const Framing& framing, size_t max_record) {
  Pieces out;
  out.offset = offset;
  auto skip = [&bytes, &out](size_t n) {
    bytes = bytes.subspan(n);
    out.offset += n;
  };
  if (stream.at_start && (bytes.size() >= kByteOrderMark.size() || end)) {
    stream.at_start = false;
    if (std::string_view(bytes.data(), bytes.size()).starts_with(kByteOrderMark))
      skip(kByteOrderMark.size());
  }
  skip(rest_of_given_up(stream, {bytes.data(), bytes.size()}, framing));
  const bool by_lines = !framing.terminator().empty();
  if (by_lines) {
    size_t rest = rest_of_unended(stream, {bytes.data(), bytes.size()}, end, framing);
    out.rest_of_line = {bytes.data(), rest};
    skip(rest);
    // A record that was too long is not over with the file, either.
    if (end && std::exchange(stream.given_up.going_on, false)) stream.unended = true;
  }
  if (by_lines && framing.unit() == 1 && !stream.given_up.going_on) {
    skip(rest_of_hole(stream, {bytes.data(), bytes.size()}, end, framing, out));
    const size_t hole = find_hole({bytes.data(), bytes.size()}, end, framing);
    const size_t before =
        hole == std::string_view::npos ? hole : framing.complete_prefix({bytes.data(), hole});
    // But not between the lines of a record of several.
    if (hole != std::string_view::npos && (before == hole || bytes[hole - 1] != '\n')) {
      out.torn = {bytes.data() + before, hole - before};
      bytes = bytes.first(before);
      out.more = true;
      end = false;
    }
  }
  size_t whole = framing.complete_prefix({bytes.data(), bytes.size()});
  const TooLong given_up =
      find_too_long({bytes.data(), bytes.size()}, whole, framing, max_record, stream.given_up);
  if (given_up.size > 0) {
    const size_t behind = given_up.begin + given_up.size;
    const bool all = bytes.size() - behind < framing.unit() && !out.more;
    out.whole = bytes.first(given_up.begin);
    out.too_long = {bytes.data() + given_up.begin, given_up.size};
    out.torn = {};
    out.more = !all;
    out.done = out.offset + (all && end ? bytes.size() : behind);
    stream.unended = all && end && std::exchange(stream.given_up.going_on, false) && by_lines;
    return out;
  }
  out.done = out.offset + whole + out.torn.size();
  if (end && whole < bytes.size()) {
    out.done = out.offset + bytes.size();
    std::string_view terminator = framing.terminator();
    if (!terminator.empty())
      std::memcpy(bytes.data() + bytes.size(), terminator.data(), terminator.size());
    bytes = {bytes.data(), bytes.size() + terminator.size()};
    whole = bytes.size();
    stream.unended = by_lines;
  }
  out.whole = bytes.first(whole);
  return out;
}

SavedPosition to_saved(const ResumePoint& point) {
  std::string value = "{\"path\":" + json_quoted(point.path) + ",\"offset\":\"" +
                      std::to_string(point.offset) + "\",\"line\":\"" + std::to_string(point.line) +
                      "\",\"before\":\"" + hex(point.before) + "\"";
  if (point.file_system != 0) value += ",\"fileSystem\":\"" + hex(point.file_system) + "\"";
  if (!point.folder.empty()) value += ",\"folder\":" + json_quoted(point.folder);
  if (point.unended) value += ",\"unended\":true";
  return {point.identity.text(), std::move(value) + "}"};
}

SavedPosition to_saved(InputStream& stream, const Position& position) {
  ResumePoint point = stream.point();
  point.offset = position.offset;
  point.line = position.line;
  point.before = stream.gzip ? 0 : hash_of_place(stream, position.offset);
  point.unended = stream.unended && position.offset == stream.offset;
  return to_saved(point);
}

bool from_saved(const SavedPosition& saved, ResumePoint& out) {
  if (!FileIdentity::parse(saved.partition, out.identity)) return false;
  cJSON* json = cJSON_Parse(saved.value.c_str());
  const char* path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "path"));
  bool ok = path != nullptr;
  if (ok) {
    out.path = path;
    out.offset = number(json, "offset");
    out.line = number(json, "line");
    out.before = number(json, "before", 16);
    out.file_system = number(json, "fileSystem", 16);
    const char* folder = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "folder"));
    if (folder != nullptr) out.folder = folder;
    out.unended = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "unended")) != 0;
  }
  cJSON_Delete(json);
  return ok;
}

}  // namespace leat
