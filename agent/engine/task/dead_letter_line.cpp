#include "task/dead_letter_line.h"

#include "base/text.h"
#include "base/time_format.h"

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
void append_raw(std::string& out, std::string_view bytes) {
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.remove_suffix(1);
  if (is_utf8(bytes)) {
    append_member(out, "raw", bytes);
  } else {
    append_member(out, "rawBase64", base64(bytes));
  }
}

}  // namespace

std::string dead_letter_line(const Rejection& rejection, const std::string& pipeline,
                             const std::string& where, int64_t unix_us) {
  std::string out = "{\"time\":\"" + rfc3339(unix_us / 1000 * 1000) + "\"";
  append_member(out, "pipeline", pipeline);
  append_member(out, "stage", rejection.stage);
  append_member(out, "reason", rejection.reason);
  append_member(out, "source", where);
  if (rejection.batch == nullptr) {
    append_raw(out, rejection.text);
  } else if (rejection.batch->content == Content::kRecords) {
    out += ",\"record\":";
    append_json(out, rejection.batch->records[rejection.index]);
  } else {
    append_raw(out, rejection.batch->slices[rejection.index].view());
  }
  out += '}';
  return out;
}

}  // namespace leat
