// Any bytes as a signed message. Promises: what is taken is by the key, has one form, and is what
// its signer wrote; nothing that was changed on the way is.
#include "base/base64url.h"
#include "fuzz_support.h"
#include "protocols/jws/jws.h"
#include "protocols/jws/strict_json.h"

namespace leat::fuzz {
namespace {

const jws::Key& key() {
  static const jws::Key kept = jws::Key::secret("0123456789abcdef0123456789abcdef").value();
  return kept;
}

void read(std::string_view text) {
  Bytes exact(text);
  std::string_view compact(exact.data(), exact.size());
  std::optional<jws::Message> message = jws::parse(compact);
  if (!message) return;
  expect(compact.starts_with(message->signed_text), "it is signed as it was sent");
  expect(message->payload.find('.') == std::string_view::npos, "a payload is one part");
  expect(!message->is_by(key()), "nobody else signs with the key");
  (void)message->decoded();
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat::fuzz;
  using leat::from_base64url;
  using leat::to_base64url;
  namespace jws = leat::jws;
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  read(bytes);
  // As each of the parts.
  const std::string header = to_base64url(R"({"alg":"HS256","kid":"a"})");
  read(to_base64url(bytes) + ".e30.AAAA");
  read(header + "." + std::string(bytes) + ".AAAA");
  read(header + ".e30." + std::string(bytes));
  if (std::optional<std::string> decoded = from_base64url(bytes))
    expect(to_base64url(*decoded) == bytes, "a value has one text");
  {
    Bytes exact(bytes);
    (void)jws::parse_object({exact.data(), exact.size()});
  }

  const std::string sent = jws::sign(key(), "a", bytes).value();
  std::optional<jws::Message> message = jws::parse(sent);
  expect(message && message->is_by(key()), "what was signed is verified");
  expect(message->decoded() == bytes, "it says what its signer wrote");
  std::string changed = sent;
  const size_t at = (data[0] * 256U + data[1]) % changed.size();
  changed[at] = changed[at] == 'A' ? 'B' : 'A';
  message = jws::parse(changed);
  expect(!message || !message->is_by(key()), "what was changed is not");
  return 0;
}
