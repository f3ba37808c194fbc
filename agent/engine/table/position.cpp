#include "table/position.h"

#include <cjson/cJSON.h>

#include <charconv>
#include <memory>

#include "base/text.h"

namespace leat::table {
namespace {

using Json = std::unique_ptr<cJSON, decltype(&cJSON_Delete)>;

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (size_t i = 0; i < texts.size(); ++i) out += (i > 0 ? "," : "") + json_quoted(texts[i]);
  return out + "]";
}

void add(std::string& out, const char* name, const std::vector<std::string>& texts) {
  out += std::string(out.size() > 1 ? "," : "") + "\"" + name + "\":" + list_of(texts);
}

void add(std::string& out, const char* name, const std::string& text) {
  if (!text.empty())
    out += std::string(out.size() > 1 ? "," : "") + "\"" + name + "\":" + json_quoted(text);
}

// As text: a double would round it.
void add(std::string& out, const char* name, uint64_t number) {
  if (number != 0) add(out, name, std::to_string(number));
}

bool read(const cJSON* list, std::vector<std::string>& out) {
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, list) {
    if (!cJSON_IsString(one)) return false;
    out.emplace_back(one->valuestring);
  }
  return cJSON_IsArray(list) != 0;
}

bool read(const cJSON* in, const char* name, std::vector<std::string>& out) {
  const cJSON* list = cJSON_GetObjectItemCaseSensitive(in, name);
  return list == nullptr || read(list, out);
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
  if (!upto.empty()) add(out, "upto", upto);
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
      read(in, "after", out.after) && read(in, "upto", out.upto) && read(in, "floor", out.floor) &&
      read(in, "low", out.low) && read(in, "high", out.high) && read(in, "since", out.since) &&
      read(in, "nextSince", out.next_since) && read(in, "system", out.system) &&
      (out.after.empty() || out.after.size() == out.cursor.size()) && !reading.empty();
  if (!good)
    return fail(ErrorKind::kFatal,
                "the saved position " + excerpt(json) + " is not one of a table");
  out.full = reading == "full";
  out.done = reading == "done";
  return out;
}

std::string Division::json() const {
  std::string out = "{";
  add(out, "cursor", cursor);
  out += ",\"bounds\":[";
  for (size_t i = 0; i < bounds.size(); ++i) out += (i > 0 ? "," : "") + list_of(bounds[i]);
  return out + "]}";
}

Result<Division> Division::parse(const std::string& json) {
  const Json parsed(cJSON_ParseWithLength(json.data(), json.size()), cJSON_Delete);
  Division out;
  const cJSON* bounds = cJSON_GetObjectItemCaseSensitive(parsed.get(), "bounds");
  bool good = read(parsed.get(), "cursor", out.cursor) && cJSON_IsArray(bounds) != 0;
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, bounds) good =
      good && read(one, out.bounds.emplace_back()) && out.bounds.back().size() == out.cursor.size();
  if (!good || out.cursor.empty())
    return fail(ErrorKind::kFatal, "the saved ranges " + excerpt(json) + " are none of a table");
  return out;
}

std::string Part::label(const std::string& table) const {
  return division == nullptr ? table : label(table, number, division->ranges());
}

std::string Part::label(const std::string& table, size_t number, size_t of) {
  return table + ", " + std::to_string(number) + " of " + std::to_string(of);
}

const Key& Part::bound(size_t after) const {
  static const Key none;
  if (division == nullptr || after == 0 || after > division->bounds.size()) return none;
  return division->bounds[after - 1];
}

}  // namespace leat::table
