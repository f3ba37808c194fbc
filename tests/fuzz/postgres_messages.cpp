// Any bytes as what a PostgreSQL server sends; the second byte says in which pieces they arrive.
// Promises: nothing is read out of bounds, no more is held than a message may have, and it does not
// matter in which pieces the bytes arrive. What stands in messages is read by all that reads them.
#include <algorithm>

#include "connectors/postgres/binary_rows.h"
#include "connectors/postgres/layout.h"
#include "fuzz_support.h"
#include "protocols/postgres/auth.h"
#include "protocols/postgres/server_message.h"

namespace leat::fuzz {
namespace {

using postgres::MessageReader;

// One line for each message, "!" at the end when the rest is no message.
std::string read(std::string_view bytes, size_t piece, size_t longest_row) {
  MessageReader reader;
  reader.cut_rows(longest_row);
  std::string out;
  while (!bytes.empty()) {
    Bytes exact(bytes.substr(0, piece));
    bytes.remove_prefix(exact.size());
    reader.append({exact.data(), exact.size()});
    while (true) {
      auto message = reader.next();
      if (!message) return out + "!";
      if (!*message) break;
      out += (*message)->type + std::string((*message)->body) + "\n";
      if ((*message)->cut_from == 0) continue;
      expect((*message)->type == 'D' && (*message)->cut_from > longest_row, "it is a long row");
      (void)postgres::read_row((*message)->body);
    }
    expect(reader.held() <= MessageReader::kLongest + piece + 5, "no more is held than a message");
  }
  return out;
}

// A body, by everything that could meet it.
void understand(std::string_view text) {
  Bytes exact(text);
  std::string_view body(exact.data(), exact.size());
  postgres::ServerError error = postgres::read_error(body);
  expect(error.message().find('\n') == std::string::npos, "a reason is one line");
  error.context = body;
  (void)postgres::copy_line(error, "t");
  if (auto row = postgres::read_row(body)) {
    std::vector<postgres::Row> rows = {{"T", "1", "t", "r", "f"}, *row};
    (void)postgres::read_layout(rows);
  }
  Budget budget(1 << 20);
  BlockPool pool(budget);
  Arena arena(pool);
  std::vector<postgres::BinaryRows::Field> fields;
  for (uint32_t type :
       {1700U, 16U, 701U, 700U, 1184U, 1082U, 1083U, 2950U, 17U, 25U, 3802U, 20U, 23U, 21U})
    fields.push_back({type, postgres::kind_of({.oid = type})});
  for (size_t i = 0; i < fields.size(); ++i) {  // each of them gets the first field of the row
    std::rotate(fields.begin(), fields.begin() + 1, fields.end());
    (void)postgres::BinaryRows::of(fields)->values_of(body, arena);
  }
  static const postgres::Url kUrl = *postgres::Url::parse("postgresql://u:p@h/d");
  static const postgres::Channel kChannel{.private_line = true, .tls = true, .end_point = "x"};
  postgres::SaltedPassword cache;
  postgres::Authentication authentication(kUrl, kChannel, cache);
  (void)authentication.on_request(body);
  (void)authentication.on_request(std::string("\0\0\0\x0aSCRAM-SHA-256\0\0", 19));
  (void)authentication.on_request(std::string("\0\0\0\x0b", 4) + std::string(body));
  (void)authentication.on_request(std::string("\0\0\0\x0c", 4) + std::string(body));
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  if (size < 2) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  for (size_t longest_row : {0U, 8U}) {
    std::string whole = fuzz::read(text, text.size() + 1, longest_row);
    fuzz::expect(whole == fuzz::read(text, data[1] % 16 + 1, longest_row), "pieces do not matter");
  }
  fuzz::understand(text);
  postgres::MessageReader reader;
  reader.append({text.data(), text.size()});
  while (true) {
    auto message = reader.next();
    if (!message || !*message) break;
    fuzz::understand((*message)->body);
  }
  return 0;
}
