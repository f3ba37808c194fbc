#include "net/pki.h"

#include <arpa/inet.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "net/tls_random.h"

namespace leat::testing {
namespace {

void must(int code) {
  if (code >= 0) return;
  std::fprintf(stderr, "pki: mbedTLS error -0x%04X\n", static_cast<unsigned>(-code));
  std::abort();
}

struct Key {
  Key() { mbedtls_pk_init(&pk); }
  ~Key() { mbedtls_pk_free(&pk); }
  mbedtls_pk_context pk;
};

// SubjectAltName (RFC 5280 section 4.2.1.6) in DER; short forms of lengths suffice here.
std::string alternative_names(const CertificateRequest& request) {
  std::string names;
  auto add = [&names](char tag, const std::string& bytes) {
    names += tag;
    names += static_cast<char>(bytes.size());
    names += bytes;
  };
  for (const std::string& name : request.dns_names) add('\x82', name);
  for (const std::string& text : request.ipv4_addresses) {
    char bytes[4];
    if (inet_pton(AF_INET, text.c_str(), bytes) != 1) std::abort();
    add('\x87', std::string(bytes, 4));
  }
  return names.empty() ? names : std::string("\x30") + static_cast<char>(names.size()) + names;
}

void write_text(const std::string& path, const unsigned char* text) {
  std::ofstream(path) << reinterpret_cast<const char*>(text);
}

}  // namespace

Authority::Authority(std::string folder, std::string name)
    : folder_(std::move(folder)), name_(std::move(name)) {
  files_ = make({.common_name = name_}, true);
}

KeyAndCertificate Authority::issue(const CertificateRequest& request) {
  return make(request, false);
}

KeyAndCertificate Authority::make(const CertificateRequest& request, bool is_authority) {
  must(psa_crypto_init());
  auto rng = mbedtls_psa_get_random;
  Key key, issuer;
  must(mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)));
  must(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.pk), rng,
                           MBEDTLS_PSA_RANDOM_STATE));
  if (!is_authority)
    must(mbedtls_pk_parse_keyfile(&issuer.pk, files_.key.c_str(), nullptr, rng,
                                  MBEDTLS_PSA_RANDOM_STATE));

  mbedtls_x509write_cert certificate;
  mbedtls_x509write_crt_init(&certificate);
  auto serial = static_cast<unsigned char>(++issued_);
  mbedtls_x509write_crt_set_version(&certificate, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(&certificate, MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(&certificate, &key.pk);
  mbedtls_x509write_crt_set_issuer_key(&certificate, is_authority ? &key.pk : &issuer.pk);
  must(mbedtls_x509write_crt_set_subject_name(&certificate, ("CN=" + request.common_name).c_str()));
  must(mbedtls_x509write_crt_set_issuer_name(&certificate, ("CN=" + name_).c_str()));
  must(mbedtls_x509write_crt_set_serial_raw(&certificate, &serial, 1));
  must(mbedtls_x509write_crt_set_validity(&certificate, request.not_before.c_str(),
                                          request.not_after.c_str()));
  must(mbedtls_x509write_crt_set_basic_constraints(&certificate, is_authority ? 1 : 0, -1));
  std::string names = alternative_names(request);
  if (!names.empty())
    must(mbedtls_x509write_crt_set_extension(
        &certificate, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
        0, reinterpret_cast<const unsigned char*>(names.data()), names.size()));

  const std::string stem = folder_ + "/" + name_ + "-" + std::to_string(issued_);
  KeyAndCertificate files{stem + ".key", stem + ".pem"};
  std::array<unsigned char, 4096> pem;
  must(mbedtls_x509write_crt_pem(&certificate, pem.data(), pem.size(), rng,
                                 MBEDTLS_PSA_RANDOM_STATE));
  write_text(files.certificate, pem.data());
  must(mbedtls_pk_write_key_pem(&key.pk, pem.data(), pem.size()));
  write_text(files.key, pem.data());
  mbedtls_x509write_crt_free(&certificate);
  return files;
}

}  // namespace leat::testing
