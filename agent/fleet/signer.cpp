#include "fleet/signer.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/base64url.h"
#include "base/text.h"

namespace leat::fleet {
namespace {

constexpr size_t kP256Bytes = 32;    // of each of the two numbers of a signature
constexpr size_t kLeastSecret = 32;  // RFC 7518 section 3.2: as long as the hash

Result<std::string> read_key(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (file == nullptr) return fail_errno("open the key " + path, errno);
  std::array<char, 16 * 1024> room;
  std::string out(room.data(), std::fread(room.data(), 1, room.size(), file.get()));
  if (std::ferror(file.get()) != 0) return fail_errno("read the key " + path, errno);
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  return out;
}

// From the form that OpenSSL gives (RFC 3279) to the one of JWS: both numbers, one behind the
// other.
std::string joined(const std::vector<unsigned char>& der) {
  const unsigned char* at = der.data();
  std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  if (parts == nullptr) return "";
  std::array<unsigned char, 2 * kP256Bytes> out;
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out.data(), kP256Bytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out.data() + kP256Bytes, kP256Bytes) < 0)
    return "";
  return {out.begin(), out.end()};
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 64> group = {};
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
         std::string_view(group.data()) == "prime256v1";
}

}  // namespace

Result<Signer> Signer::of_file(const std::string& path, std::string key_id) {
  Result<std::string> text = read_key(path);
  if (!text) return fail(text.error());
  Signer out(std::move(key_id));
  if (text->find("-----BEGIN ") != std::string::npos) {
    std::unique_ptr<BIO, int (*)(BIO*)> pem(
        BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
    out.key_.reset(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
    if (out.key_ == nullptr || !is_p256(out.key_.get()))
      return fail(ErrorKind::kUsage,
                  "the key " + path + ": not a private EC key on P-256 without a passphrase");
    return out;
  }
  if (text->size() < kLeastSecret)
    return fail(ErrorKind::kUsage, "the key " + path + ": a secret has at least " +
                                       std::to_string(kLeastSecret) + " characters");
  out.secret_ = std::move(*text);
  return out;
}

Result<std::string> Signer::sign(std::string_view claims) const {
  const std::string header = std::string(R"({"alg":")") + (key_ ? "ES256" : "HS256") +
                             R"(","kid":)" + json_quoted(key_id_) + "}";
  const std::string text = to_base64url(header) + "." + to_base64url(claims);
  const std::string signed_with = signature(text);
  if (signed_with.empty()) return fail(ErrorKind::kFatal, "OpenSSL could not sign");
  return text + "." + to_base64url(signed_with);
}

std::string Signer::signature(std::string_view text) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (!key_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), bytes, text.size(),
             out.data(), &size) == nullptr)
      return "";
    return {out.begin(), out.begin() + size};
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1)
    return "";
  std::vector<unsigned char> der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, bytes, text.size()) != 1) return "";
  der.resize(size);
  return joined(der);
}

}  // namespace leat::fleet
