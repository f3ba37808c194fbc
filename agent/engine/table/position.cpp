#include "table/position.h"

#include <cjson/cJSON.h>

#include <charconv>
#include <memory>

#include "base/text.h"

namespace leat::table {
namespace {

using Json = std::unique_ptr<cJSON, decltype(&cJSON_Delete)>;

void add(std::string& out, const char* name, const std::vector<std::string>& texts) {
  out += std::string(out.size() > 1 ? "," : "") + "\"" + name + "\":[";
  for (size_t i = 0; i < texts.size(); ++i) out += (i > 0 ? "," : "") + json_quoted(texts[i]);
  out += "]";
}

void add(std::string& out, const char* name, const std::string& text) {
  if (!text.empty())
    out += std::string(out.size() > 1 ? "," : "") + "\"" + name + "\":" + json_quoted(text);
}

// As text: a double would round it.
void add(std::string& out, const char* name, uint64_t number) {
  if (number != 0) add(out, name, std::to_string(number));
}

bool read(const cJSON* in, const char* name, std::vector<std::string>& out) {
  const cJSON* list = cJSON_GetObjectItemCaseSensitive(in, name);
  if (list == nullptr) return true;
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, list) {
    if (!cJSON_IsString(one)) return false;
    out.emplace_back(one->valuestring);
  }
  return cJSON_IsArray(list) != 0;
}

bool read(const cJSON* in, const char* name, std::string& out) {
  const cJSON* text = cJSON_GetObjectItemCaseSensitive(in, name);
  if (text == nullptr) return true;
  if (!cJSON_IsString(text)) return false;
  out = text->valuestring;
  return true;
}

bool read(const cJSON* in, const char* name, uint64_t& out) {
  std::string text;
  if (!read(in, name, text)) return false;
  if (text.empty()) return true;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string TablePosition::json() const {
  std::string out = "{";
  add(out, "reading", std::string(done ? "done" : full ? "full" : "new"));
  add(out, "cursor", cursor);
  if (!after.empty()) add(out, "after", after);
  add(out, "floor", floor);
  add(out, "low", low);
  add(out, "high", high);
  add(out, "since", since);
  add(out, "nextSince", next_since);
  add(out, "system", system);
  return out + "}";
}

Result<TablePosition> TablePosition::parse(const std::string& json) {
  const Json parsed(cJSON_ParseWithLength(json.data(), json.size()), cJSON_Delete);
  TablePosition out;
  std::string reading;
  const cJSON* in = parsed.get();
  const bool good =
      cJSON_IsObject(in) != 0 && read(in, "reading", reading) && read(in, "cursor", out.cursor) &&
      read(in, "after", out.after) && read(in, "floor", out.floor) && read(in, "low", out.low) &&
      read(in, "high", out.high) && read(in, "since", out.since) &&
      read(in, "nextSince", out.next_since) && read(in, "system", out.system) &&
      (out.after.empty() || out.after.size() == out.cursor.size()) && !reading.empty();
  if (!good)
    return fail(ErrorKind::kFatal,
                "the saved position " + excerpt(json) + " is not one of a table");
  out.full = reading == "full";
  out.done = reading == "done";
  return out;
}

}  // namespace leat::table
