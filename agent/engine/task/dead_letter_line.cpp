#include "task/dead_letter_line.h"

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "task/original.h"

namespace leat {
namespace {

void append_member(std::string& out, const char* name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":\"";
  append_json_escaped(out, text);
  out += '"';
}

// Text as it is; bytes that are not UTF-8 in base64, so that nothing of them is lost.
void append_bytes(std::string& out, const char* name, std::string_view bytes) {
  if (is_utf8(bytes)) {
    append_member(out, name, bytes);
  } else {
    append_member(out, (std::string(name) + "Base64").c_str(), base64(bytes));
  }
}

void append_raw(std::string& out, const Rejection& rejection, std::string_view bytes) {
  constexpr const char* kNames[] = {"part", "payload", "output"};
  std::string_view text = bytes;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  append_bytes(out, "raw", text);
  if (text.size() < bytes.size()) append_member(out, "lineEnd", bytes.substr(text.size()));
  append_member(out, "rawIs", kNames[static_cast<size_t>(rejection.raw)]);
  if (!rejection.format.empty()) append_member(out, "format", rejection.format);
}

// Of those that JSON does not show.
bool has_hidden_type(const Value& value) {
  return value.type == Type::kFloat || value.type == Type::kDecimal || value.type == Type::kBytes ||
         value.type == Type::kTime;
}

void append_types(std::string& out, const Record& record) {
  const size_t before = out.size();
  for (size_t i = 0; i < record.shape->size(); ++i) {
    if (!has_hidden_type(record.values[i])) continue;
    out += out.size() == before ? ",\"types\":{" : ",";
    out += json_quoted(record.shape->name(i)) + ":\"" + type_name(record.values[i].type) + '"';
  }
  if (out.size() > before) out += '}';
}

void append_message(std::string& out, const MessageFields* message) {
  if (message == nullptr) return;
  out += ",\"message\":";
  append_json(out, Record{.shape = message->shape, .values = message->values});
}

void append_record(std::string& out, const Batch& batch, size_t index) {
  const Record& record = batch.records[index];
  out += ",\"record\":";
  append_json(out, record);
  append_types(out, record);
  if (record.time_us != 0) append_member(out, "eventTime", rfc3339(record.time_us));
  if (auto payload = payload_of(batch, index)) append_bytes(out, "payload", *payload);
  append_message(out, message_at(batch, record.end_offset));
}

}  // namespace

std::string dead_letter_line(const Rejection& rejection, const std::string& pipeline,
                             const std::string& where, int64_t unix_us) {
  std::string out = "{\"id\":\"";
  for (int shift = 56; shift >= 0; shift -= 8)
    append_hex(out, static_cast<uint8_t>(rejection.id >> shift));
  out += '"';
  append_member(out, "time", rfc3339(unix_us / 1000 * 1000));
  append_member(out, "pipeline", pipeline);
  append_member(out, "stage", rejection.stage);
  if (!rejection.code.empty()) append_member(out, "code", rejection.code);
  append_member(out, "reason", rejection.reason);
  append_member(out, "source", where);
  if (rejection.attempt > 1) out += ",\"attempt\":" + std::to_string(rejection.attempt);
  if (rejection.step > 0) out += ",\"step\":" + std::to_string(rejection.step);
  if (rejection.batch == nullptr) {
    append_raw(out, rejection, rejection.text);
    const Batch* from = rejection.from;
    if (from != nullptr && rejection.position.offset >= from->begin.offset)
      append_message(out, message_at(*from, static_cast<uint32_t>(rejection.position.offset -
                                                                  from->begin.offset)));
  } else if (rejection.batch->content == Content::kRecords) {
    append_record(out, *rejection.batch, rejection.index);
  } else {
    append_raw(out, rejection, rejection.batch->slices[rejection.index].view());
    append_message(
        out, message_at(*rejection.batch, rejection.batch->slices[rejection.index].end_offset));
  }
  if (!rejection.metadata.empty()) (out += ",\"metadata\":") += rejection.metadata;
  out += '}';
  return out;
}

}  // namespace leat
