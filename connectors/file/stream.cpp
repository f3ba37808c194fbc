#include "connectors/file/stream.h"

#include <cjson/cJSON.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

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

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// How many bytes at the start belong to a record that was given up.
size_t rest_of_skipped(InputStream& stream, std::span<char> bytes) {
  if (!stream.skipping || bytes.empty()) return 0;
  auto* newline = static_cast<char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  if (newline == nullptr) return bytes.size();
  stream.skipping = false;
  return static_cast<size_t>(newline - bytes.data()) + 1;
}

// Keeps what is left of an incomplete record for the next read. One that is too long is given up as
// far as the first line end behind the limit: a quote that is never closed then costs `max_record`
// bytes and not the rest of the file.
void keep_rest(InputStream& stream, std::string_view rest, const Framing& framing,
               size_t max_record, Pieces& out) {
  std::string_view begin = rest;
  while (rest.size() > max_record && framing.complete_prefix(rest) == 0) {
    size_t newline = rest.find('\n', max_record);
    stream.skipping = newline == std::string_view::npos;
    rest.remove_prefix(stream.skipping ? rest.size() : newline + 1);
  }
  out.too_long = begin.substr(0, begin.size() - rest.size());
  stream.carry = rest;
}

}  // namespace

Pieces cut_records(InputStream& stream, std::span<char> bytes, bool end, const Framing& framing,
                   size_t max_record) {
  Pieces out;
  out.offset = stream.file->offset() - bytes.size();
  auto skip = [&bytes, &out](size_t n) {
    bytes = bytes.subspan(n);
    out.offset += n;
  };
  if (stream.at_start && (bytes.size() >= kByteOrderMark.size() || end)) {
    stream.at_start = false;
    if (std::string_view(bytes.data(), bytes.size()).starts_with(kByteOrderMark))
      skip(kByteOrderMark.size());
  }
  skip(rest_of_skipped(stream, bytes));
  size_t whole = framing.complete_prefix({bytes.data(), bytes.size()});
  if (end && whole < bytes.size()) {
    std::string_view terminator = framing.terminator();
    if (!terminator.empty())
      std::memcpy(bytes.data() + bytes.size(), terminator.data(), terminator.size());
    bytes = {bytes.data(), bytes.size() + terminator.size()};
    whole = bytes.size();
  }
  out.whole = bytes.first(whole);
  keep_rest(stream, {bytes.data() + whole, bytes.size() - whole}, framing, max_record, out);
  return out;
}

SavedPosition to_saved(const InputStream& stream, const Position& position) {
  std::string value = "{\"path\":" + json_quoted(stream.path) + ",\"offset\":\"" +
                      std::to_string(position.offset) + "\",\"line\":\"" +
                      std::to_string(position.line) + "\",\"before\":\"" +
                      hex(stream.file->hash_before(position.offset)) + "\"}";
  return {stream.identity.text(), std::move(value)};
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
    out.hash_before = number(json, "before", 16);
  }
  cJSON_Delete(json);
  return ok;
}

bool is_same_file(const InputFile& file, const ResumePoint& point) {
  if (file.identity(point.identity.head_bytes) != point.identity) return false;
  if (file.gzip()) return true;  // compressed files are not written over in place
  Result<struct stat> info = file.status();
  if (!info || static_cast<uint64_t>(info->st_size) < point.offset) return false;
  return point.hash_before == 0 || file.hash_before(point.offset) == point.hash_before;
}

}  // namespace leat
