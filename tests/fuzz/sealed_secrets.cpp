// Any bytes as a sealed secret. Promises: only what was sealed to the key opens, and gives what was
// put in; nothing that was changed on the way does.
#include <functional>

#include "base/base64url.h"
#include "fuzz_support.h"
#include "protocols/jws/jwe.h"

namespace leat::fuzz {
namespace {

const P256Key& key() {
  static const P256Key kept = P256Key::make().value();
  return kept;
}

void read(std::string_view text) {
  Bytes exact(text);
  expect(!jwe::open(key(), {exact.data(), exact.size()}), "nobody has sealed it");
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat::fuzz;
  using leat::to_base64url;
  namespace jwe = leat::jwe;
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  read(bytes);
  // As each of the parts.
  read(to_base64url(bytes) + "..AAAA.AAAA.AAAA");
  const std::string point(43, 'A');
  read(to_base64url(
           R"({"alg":"ECDH-ES","enc":"A256GCM","apu":"AA","epk":{"kty":"EC","crv":"P-256","x":")" +
           point + R"(","y":")" + std::string(bytes) + R"("}})") +
       ".." + std::string(bytes) + ".AAAA.AAAA");

  // Two keys agree, which takes its time: of few inputs, and of each the same way again.
  if (std::hash<std::string_view>{}(bytes) % 256 != 0) return 0;
  const std::string sealed = jwe::seal(key(), bytes).value();
  const leat::Result<std::string> opened = jwe::open(key(), sealed);
  expect(opened && *opened == bytes, "what was sealed opens");
  std::string changed = sealed;
  const size_t at = (data[0] * 256U + data[1]) % changed.size();
  changed[at] = changed[at] == 'A' ? 'B' : 'A';
  const leat::Result<std::string> of_changed = jwe::open(key(), changed);
  // A dot more or less may be all that is different.
  expect(!of_changed || changed == sealed, "what was changed does not");
  return 0;
}
