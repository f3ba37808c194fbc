#include "protocols/jws/jwe.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include <array>
#include <optional>

#include "base/base64url.h"
#include "crypto/aes_gcm.h"
#include "crypto/random_bytes.h"
#include "protocols/jws/strict_json.h"

namespace leat::jwe {
namespace {

constexpr std::string_view kContent = "A256GCM";
constexpr size_t kLongestHeader = 2 * 1024;  // as base64url

// Big endian.
std::string number(size_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  return out;
}

std::string with_length(std::string_view text) {
  return number(text.size()) + std::string(text);
}

tl::unexpected<Error> no_seal(const char* why) {
  return fail(ErrorKind::kUsage, std::string("is no sealed secret: ") + why);
}

// A member in base64url; "" when there is none.
std::optional<std::string> bytes_of(const cJSON* object, const char* name) {
  const std::optional<std::string_view> text = jws::string_member(object, name);
  return text ? from_base64url(*text) : std::string();
}

// What is wrong with a header; "" for nothing.
const char* fault_of(const cJSON* header) {
  if (header == nullptr) return "its header is no JSON object";
  if (jws::string_member(header, "alg") != "ECDH-ES") return "its \"alg\" must be \"ECDH-ES\"";
  if (jws::string_member(header, "enc") != kContent) return "its \"enc\" must be \"A256GCM\"";
  for (const char* unknown : {"crit", "zip"})
    if (cJSON_GetObjectItemCaseSensitive(header, unknown) != nullptr)
      return "its header has \"crit\" or \"zip\", which this leat does not know";
  return "";
}

Result<P256Key> sender_of(const cJSON* header) {
  const cJSON* key = cJSON_GetObjectItemCaseSensitive(header, "epk");
  const std::optional<std::string> x = bytes_of(key, "x");
  const std::optional<std::string> y = bytes_of(key, "y");
  if (!x || !y || jws::string_member(key, "kty") != "EC" ||
      jws::string_member(key, "crv") != "P-256")
    return no_seal("its \"epk\" must be a key of P-256");
  Result<P256Key> out = P256Key::from_point(*x, *y);
  if (!out) return no_seal("its \"epk\" is no point of P-256");
  return out;
}

// Of A256GCM.
Result<std::string> content_key(const P256Key& mine, const P256Key& peer, std::string_view apu,
                                std::string_view apv) {
  Result<std::string> agreed = mine.agree(peer);
  if (!agreed) return agreed;
  std::string out = derived_key(*agreed, kContent, apu, apv, kAesKeySize * 8);
  mbedtls_platform_zeroize(agreed->data(), agreed->size());
  return out;
}

}  // namespace

std::string derived_key(std::string_view agreed, std::string_view algorithm, std::string_view apu,
                        std::string_view apv, size_t bits) {
  // One round of SHA-256 is enough for 256 bits.
  std::string text = number(1) + std::string(agreed) + with_length(algorithm) + with_length(apu) +
                     with_length(apv) + number(bits);
  std::array<unsigned char, 32> hash = {};
  (void)mbedtls_sha256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                       hash.data(), 0);
  std::string out(hash.begin(), hash.begin() + static_cast<std::ptrdiff_t>(bits / 8));
  mbedtls_platform_zeroize(text.data(), text.size());
  mbedtls_platform_zeroize(hash.data(), hash.size());
  return out;
}

Result<std::string> seal(const P256Key& to, std::string_view text) {
  Result<P256Key> once = P256Key::make();
  if (!once) return fail(once.error());
  Result<std::string> key = content_key(*once, to, "", "");
  Result<std::string> nonce = random_bytes(kGcmNonceSize);
  if (!key || !nonce) return key ? nonce : key;
  const std::string header =
      to_base64url(R"({"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":")" +
                   to_base64url(once->x()) + R"(","y":")" + to_base64url(once->y()) + R"("}})");
  const std::optional<std::string> sealed = aes_gcm_seal(*key, *nonce, header, text);
  mbedtls_platform_zeroize(key->data(), key->size());
  if (!sealed) return fail(ErrorKind::kFatal, "cannot be sealed");
  const std::string_view all = *sealed;
  return header + ".." + to_base64url(*nonce) + "." +
         to_base64url(all.substr(0, all.size() - kGcmTagSize)) + "." +
         to_base64url(all.substr(all.size() - kGcmTagSize));
}

Result<std::string> open(const P256Key& key, std::string_view compact) {
  std::array<std::string_view, 5> parts = {};  // header, key (none), nonce, ciphertext, tag
  size_t count = 0;
  for (std::string_view rest = compact.substr(0, kLongest + 1);; ++count) {
    if (count == parts.size()) return no_seal("it must have five parts, with dots between them");
    const size_t dot = rest.find('.');
    parts[count] = rest.substr(0, dot);
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (count + 1 != parts.size() || !parts[1].empty())
    return no_seal("it must have five parts, with dots between them, of which the second is empty");
  if (compact.size() > kLongest || parts[0].size() > kLongestHeader)
    return no_seal("it is too long");
  const std::optional<std::string> header = from_base64url(parts[0]);
  const std::optional<std::string> nonce = from_base64url(parts[2]);
  const std::optional<std::string> sealed = from_base64url(parts[3]);
  const std::optional<std::string> tag = from_base64url(parts[4]);
  if (!header || !nonce || !sealed || !tag) return no_seal("a part of it is not base64url");
  const jws::JsonTree tree = jws::parse_object(*header);
  if (const char* fault = fault_of(tree.get()); *fault != '\0') return no_seal(fault);
  const std::optional<std::string> apu = bytes_of(tree.get(), "apu");
  const std::optional<std::string> apv = bytes_of(tree.get(), "apv");
  if (!apu || !apv) return no_seal("its \"apu\" or \"apv\" is not base64url");
  Result<P256Key> sender = sender_of(tree.get());
  if (!sender) return fail(sender.error());
  Result<std::string> secret = content_key(key, *sender, *apu, *apv);
  if (!secret) return secret;
  std::optional<std::string> out = aes_gcm_open(*secret, *nonce, parts[0], *sealed, *tag);
  mbedtls_platform_zeroize(secret->data(), secret->size());
  if (!out) return fail(ErrorKind::kUsage, "was sealed to another key, or has been changed since");
  return *std::move(out);
}

}  // namespace leat::jwe
