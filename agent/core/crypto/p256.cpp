#include "crypto/p256.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include <array>
#include <span>
#include <utility>

#include "base/text.h"
#include "crypto/octets.h"
#include "crypto/random_bytes.h"

namespace leat {
namespace {

constexpr size_t kNumberSize = P256Key::kNumberSize;
constexpr size_t kPointSize = 1 + 2 * kNumberSize;  // 4, x, y

// What stands before the key in its DER form is always the same: an id-ecPublicKey of prime256v1.
constexpr unsigned char kPublicHead[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
constexpr unsigned char kPrivateHead[] = {0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07,
                                          0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
                                          0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04,
                                          0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};

// RFC 7468.
std::string pem(const char* label, std::span<const unsigned char> head, const std::string& key) {
  const std::string text = base64(std::string(head.begin(), head.end()) + key);
  constexpr size_t kLine = 64;
  std::string out = std::string("-----BEGIN ") + label + "-----\n";
  for (size_t at = 0; at < text.size(); at += kLine) out += text.substr(at, kLine) + "\n";
  return out + "-----END " + label + "-----\n";
}

std::array<unsigned char, 32> hash_of(std::string_view text) {
  std::array<unsigned char, 32> out = {};
  (void)mbedtls_sha256(octets(text), text.size(), out.data(), 0);
  return out;
}

struct Mpi {
  Mpi() { mbedtls_mpi_init(&value); }
  ~Mpi() { mbedtls_mpi_free(&value); }
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;
  mbedtls_mpi value;
};

struct Pk {
  Pk() { mbedtls_pk_init(&context); }
  ~Pk() { mbedtls_pk_free(&context); }
  Pk(const Pk&) = delete;
  Pk& operator=(const Pk&) = delete;
  mbedtls_pk_context context;
};

tl::unexpected<Error> no_key(const char* what) {
  return fail(ErrorKind::kUsage, what);
}

}  // namespace

P256Key::P256Key() : pair_(std::make_unique<mbedtls_ecp_keypair>()) {
  mbedtls_ecp_keypair_init(pair_.get());
}

P256Key::~P256Key() {
  if (pair_) mbedtls_ecp_keypair_free(pair_.get());
}

P256Key::P256Key(P256Key&& other) noexcept = default;

P256Key& P256Key::operator=(P256Key&& other) noexcept {
  std::swap(pair_, other.pair_);
  std::swap(private_, other.private_);
  return *this;
}

Result<P256Key> P256Key::make() {
  P256Key key;
  if (mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, key.pair_.get(), fill_random, nullptr) != 0)
    return fail(ErrorKind::kFatal, "no key can be made: the system gives no random numbers");
  key.private_ = true;
  return key;
}

Result<P256Key> P256Key::from_pem(std::string_view pem) {
  P256Key key;
  std::string text(pem);  // mbedTLS wants a NUL at its end, and none in it
  const bool is_private = text.find("PRIVATE KEY-----") != std::string::npos;
  Status taken = is_private ? key.take_private(text) : key.take_public(text);
  mbedtls_platform_zeroize(text.data(), text.size());
  if (!taken) return fail(taken.error());
  return key;
}

// That it is one of P-256 is checked by what is copied from it.
Status P256Key::take_private(const std::string& pem) {
  if (pem.find("ENCRYPTED") != std::string::npos)
    return no_key("the key has a password: store it without one");
  Pk parsed;
  if (mbedtls_pk_parse_key(&parsed.context, octets(pem), pem.size() + 1, nullptr, 0, fill_random,
                           nullptr) != 0 ||
      mbedtls_pk_get_type(&parsed.context) != MBEDTLS_PK_ECKEY)
    return no_key("is no private key of P-256 in PEM format");
  const mbedtls_ecp_keypair& found = *mbedtls_pk_ec(parsed.context);
  std::string number(kNumberSize, '\0');
  size_t size = 0;
  const bool taken =
      mbedtls_ecp_keypair_get_group_id(&found) == MBEDTLS_ECP_DP_SECP256R1 &&
      mbedtls_ecp_write_key_ext(&found, &size, octets(number), number.size()) == 0 &&
      mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, pair_.get(), octets(number), size) == 0 &&
      mbedtls_ecp_keypair_calc_public(pair_.get(), fill_random, nullptr) == 0;
  mbedtls_platform_zeroize(number.data(), number.size());
  if (!taken) return no_key("is a private key, but none of the curve P-256");
  private_ = true;
  return {};
}

Status P256Key::take_public(const std::string& pem) {
  Pk parsed;
  if (mbedtls_pk_parse_public_key(&parsed.context, octets(pem), pem.size() + 1) != 0 ||
      mbedtls_pk_get_type(&parsed.context) != MBEDTLS_PK_ECKEY)
    return no_key("is no public key of P-256 in PEM format (\"-----BEGIN PUBLIC KEY-----\")");
  const mbedtls_ecp_keypair& found = *mbedtls_pk_ec(parsed.context);
  if (mbedtls_ecp_keypair_get_group_id(&found) != MBEDTLS_ECP_DP_SECP256R1 ||
      mbedtls_ecp_check_pubkey(&found.MBEDTLS_PRIVATE(grp), &found.MBEDTLS_PRIVATE(Q)) != 0 ||
      mbedtls_ecp_set_public_key(MBEDTLS_ECP_DP_SECP256R1, pair_.get(),
                                 &found.MBEDTLS_PRIVATE(Q)) != 0)
    return no_key("is a public key, but none of the curve P-256");
  return {};
}

Result<P256Key> P256Key::from_point(std::string_view x, std::string_view y) {
  P256Key key;
  mbedtls_ecp_group group;
  mbedtls_ecp_group_init(&group);
  mbedtls_ecp_point point;
  mbedtls_ecp_point_init(&point);
  const std::string text = '\4' + std::string(x) + std::string(y);
  const bool taken =
      x.size() == kNumberSize && y.size() == kNumberSize &&
      mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
      mbedtls_ecp_point_read_binary(&group, &point, octets(text), text.size()) == 0 &&
      mbedtls_ecp_check_pubkey(&group, &point) == 0 &&
      mbedtls_ecp_set_public_key(MBEDTLS_ECP_DP_SECP256R1, key.pair_.get(), &point) == 0;
  mbedtls_ecp_point_free(&point);
  mbedtls_ecp_group_free(&group);
  if (!taken) return no_key("is no point of the curve P-256");
  return key;
}

std::string P256Key::point() const {
  std::string out(kPointSize, '\0');
  size_t size = 0;
  (void)mbedtls_ecp_write_public_key(pair_.get(), MBEDTLS_ECP_PF_UNCOMPRESSED, &size, octets(out),
                                     out.size());
  return out;
}

std::string P256Key::x() const {
  return point().substr(1, kNumberSize);
}

std::string P256Key::y() const {
  return point().substr(1 + kNumberSize);
}

std::string P256Key::public_pem() const {
  return pem("PUBLIC KEY", kPublicHead, point());
}

std::string P256Key::private_pem() const {
  std::string number(kNumberSize, '\0');
  size_t size = 0;
  (void)mbedtls_ecp_write_key_ext(pair_.get(), &size, octets(number), number.size());
  return pem("PRIVATE KEY", kPrivateHead, number);
}

bool P256Key::verify(std::string_view text, std::string_view signature) const {
  if (signature.size() != kSignatureSize) return false;
  Mpi r;
  Mpi s;
  const auto hash = hash_of(text);
  return mbedtls_mpi_read_binary(&r.value, octets(signature), kNumberSize) == 0 &&
         mbedtls_mpi_read_binary(&s.value, octets(signature) + kNumberSize, kNumberSize) == 0 &&
         mbedtls_ecdsa_verify(&pair_->MBEDTLS_PRIVATE(grp), hash.data(), hash.size(),
                              &pair_->MBEDTLS_PRIVATE(Q), &r.value, &s.value) == 0;
}

Result<std::string> P256Key::sign(std::string_view text) const {
  Mpi r;
  Mpi s;
  const auto hash = hash_of(text);
  std::string out(kSignatureSize, '\0');
  if (mbedtls_ecdsa_sign_det_ext(&pair_->MBEDTLS_PRIVATE(grp), &r.value, &s.value,
                                 &pair_->MBEDTLS_PRIVATE(d), hash.data(), hash.size(),
                                 MBEDTLS_MD_SHA256, fill_random, nullptr) != 0 ||
      mbedtls_mpi_write_binary(&r.value, octets(out), kNumberSize) != 0 ||
      mbedtls_mpi_write_binary(&s.value, octets(out) + kNumberSize, kNumberSize) != 0)
    return fail(ErrorKind::kFatal, "the key cannot sign");
  return out;
}

Result<std::string> P256Key::agree(const P256Key& peer) const {
  Mpi shared;
  std::string out(kNumberSize, '\0');
  if (!private_ ||
      mbedtls_ecdh_compute_shared(&pair_->MBEDTLS_PRIVATE(grp), &shared.value,
                                  &peer.pair_->MBEDTLS_PRIVATE(Q), &pair_->MBEDTLS_PRIVATE(d),
                                  fill_random, nullptr) != 0 ||
      mbedtls_mpi_write_binary(&shared.value, octets(out), out.size()) != 0)
    return fail(ErrorKind::kFatal, "the keys cannot agree");
  return out;
}

}  // namespace leat
