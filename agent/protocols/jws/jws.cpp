#include "protocols/jws/jws.h"

#include <utility>

#include "base/base64url.h"
#include "base/text.h"
#include "crypto/hmac.h"
#include "crypto/same_secret.h"
#include "protocols/jws/strict_json.h"

namespace leat::jws {
namespace {

constexpr std::string_view kNames[] = {"HS256", "ES256"};

// Of both algorithms, as base64url.
constexpr size_t kLongestSignature = 86;

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  return kNames[static_cast<size_t>(algorithm)];
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (Algorithm one : {Algorithm::kHs256, Algorithm::kEs256})
    if (name == name_of(one)) return one;
  return std::nullopt;
}

Result<Key> Key::secret(std::string bytes) {
  if (bytes.size() < kLeastSecret)
    return fail(ErrorKind::kUsage, "needs at least " + std::to_string(kLeastSecret) +
                                       " bytes, has " + std::to_string(bytes.size()) +
                                       " (\"leat keygen\" makes one)");
  return Key(std::move(bytes));
}

Result<Key> Key::es256(std::string_view pem) {
  Result<P256Key> key = P256Key::from_pem(pem);
  if (!key) return fail(key.error());
  return Key(std::move(*key));
}

Algorithm Key::algorithm() const {
  return std::holds_alternative<std::string>(key_) ? Algorithm::kHs256 : Algorithm::kEs256;
}

bool Key::verify(std::string_view text, std::string_view signature) const {
  if (const P256Key* pair = std::get_if<P256Key>(&key_)) return pair->verify(text, signature);
  return same_secret(hmac_sha256(std::get<std::string>(key_), text), signature);
}

Result<std::string> Key::sign(std::string_view text) const {
  const P256Key* pair = std::get_if<P256Key>(&key_);
  if (pair == nullptr) return hmac_sha256(std::get<std::string>(key_), text);
  if (!pair->is_private()) return fail(ErrorKind::kUsage, "is a public key, which can only verify");
  return pair->sign(text);
}

bool Message::is_by(const Key& key) const {
  return key.algorithm() == algorithm && key.verify(signed_text, signature);
}

std::optional<std::string> Message::decoded() const {
  return from_base64url(payload);
}

std::optional<Message> parse(std::string_view compact) {
  const size_t first = compact.find('.');
  const size_t last = compact.rfind('.');
  if (first == std::string_view::npos || first == last || first > kLongestHeader ||
      compact.size() - last - 1 > kLongestSignature)
    return std::nullopt;
  Message out;
  out.signed_text = compact.substr(0, last);
  out.payload = out.signed_text.substr(first + 1);
  std::optional<std::string> signature = from_base64url(compact.substr(last + 1));
  const std::optional<std::string> header = from_base64url(compact.substr(0, first));
  if (!header || !signature || out.payload.find('.') != std::string_view::npos) return std::nullopt;
  const JsonTree tree = parse_object(*header);
  if (tree == nullptr || cJSON_GetObjectItemCaseSensitive(tree.get(), "crit") != nullptr)
    return std::nullopt;
  const auto algorithm = algorithm_named(string_member(tree.get(), "alg").value_or(""));
  if (!algorithm) return std::nullopt;
  out.key_id = string_member(tree.get(), "kid").value_or("");
  out.algorithm = *algorithm;
  out.signature = std::move(*signature);
  return out;
}

Result<std::string> sign(const Key& key, std::string_view key_id, std::string_view payload) {
  const std::string header =
      "{\"alg\":" + json_quoted(name_of(key.algorithm())) + ",\"kid\":" + json_quoted(key_id) + "}";
  const std::string text = to_base64url(header) + "." + to_base64url(payload);
  Result<std::string> signature = key.sign(text);
  if (!signature) return fail(signature.error());
  return text + "." + to_base64url(*signature);
}

}  // namespace leat::jws
