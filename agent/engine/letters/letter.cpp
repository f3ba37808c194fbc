#include "letters/letter.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "codec/text/json_scanner.h"

namespace leat {
namespace {

constexpr std::string_view kBegin = "{\"id\":\"";
constexpr size_t kDigits = 16;

std::string text_of(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

std::string bytes_of(const Value& value) {
  std::string out;
  (void)append_from_base64(out, text_of(value));
  return out;
}

RawIs raw_is(std::string_view name) {
  return name == "payload" ? RawIs::kPayload : name == "output" ? RawIs::kOutput : RawIs::kPart;
}

void take(Letter& letter, std::string_view name, const Value& value, std::string& line_end) {
  const bool is_text = value.type == Type::kString;
  if (value.type == Type::kJson) {
    if (name == "record") letter.record = value.view();
    if (name == "types") letter.types = value.view();
    if (name == "message") letter.message = value.view();
    if (name == "metadata") letter.metadata = value.view();
  } else if (value.type == Type::kInteger) {
    if (name == "attempt") letter.attempt = static_cast<uint32_t>(integer_of(value));
    if (name == "step") letter.step = static_cast<size_t>(integer_of(value));
  } else if (is_text) {
    std::pair<std::string_view, std::string*> texts[] = {{"time", &letter.time},
                                                         {"stage", &letter.stage},
                                                         {"reason", &letter.reason},
                                                         {"code", &letter.code},
                                                         {"source", &letter.source},
                                                         {"format", &letter.format},
                                                         {"eventTime", &letter.event_time},
                                                         {"lineEnd", &line_end}};
    for (auto& [known, text] : texts)
      if (name == known) *text = text_of(value);
    if (name == "id") letter.id = parse_letter_id(text_of(value));
    if (name == "rawIs") letter.raw_is = raw_is(text_of(value));
    if (name == "raw") letter.raw = text_of(value);
    if (name == "rawBase64") letter.raw = bytes_of(value);
    if (name == "payload") letter.payload = text_of(value);
    if (name == "payloadBase64") letter.payload = bytes_of(value);
  }
}

}  // namespace

uint64_t parse_letter_id(std::string_view text) {
  if (text.size() != kDigits) return 0;
  uint64_t id = 0;
  for (char c : text) {
    const int digit = hex_value(c);
    if (digit < 0) return 0;
    id = id << 4 | static_cast<uint64_t>(digit);
  }
  return id;
}

std::string letter_id_text(uint64_t id) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) append_hex(out, static_cast<uint8_t>(id >> shift));
  return out;
}

uint64_t letter_id_of(std::string_view line) {
  if (!line.starts_with(kBegin)) return 0;
  return parse_letter_id(line.substr(kBegin.size(), kDigits));
}

std::optional<Letter> read_letter(std::string_view line) {
  JsonScanner scanner(true);
  const char* p = line.data();
  const char* const end = p + line.size();
  scanner.set_end(end);
  p = scanner.skip_space(p);
  if (p == end || *p != '{') return {};
  p = scanner.skip_space(p + 1);
  Letter letter;
  std::string line_end;
  while (p < end && *p != '}') {
    Value name;
    Value value;
    p = scanner.member_name(p, name);
    if (p != nullptr) p = scanner.value(p, value);
    if (p == nullptr) return {};
    take(letter, text_of(name), value, line_end);
    p = scanner.skip_space(p);
    if (p < end && *p == ',') p = scanner.skip_space(p + 1);
  }
  if (p == end || letter.stage.empty()) return {};
  if (letter.raw) *letter.raw += line_end;
  return letter;
}

bool LetterFilter::is_open() const {
  return ids.empty() && stage.empty() && reason.empty() && before_us == INT64_MAX;
}

bool LetterFilter::may_match(uint64_t id) const {
  return id != 0 && (ids.empty() || std::ranges::find(ids, id) != ids.end());
}

bool LetterFilter::matches(const Letter& letter) const {
  if (!may_match(letter.id)) return false;
  if (!stage.empty() && letter.stage != stage) return false;
  if (!reason.empty() && letter.code != reason && letter.reason.find(reason) == std::string::npos)
    return false;
  if (before_us == INT64_MAX) return true;
  const std::optional<int64_t> time =
      TimeFormat::parse("rfc3339")->read(std::string_view(letter.time));
  return time && *time < before_us;
}

}  // namespace leat
