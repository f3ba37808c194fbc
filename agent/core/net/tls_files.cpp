#include "net/tls_files.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>

#include "net/tls_random.h"
#include "options/option_errors.h"

namespace leat {
namespace {

// Where distributions keep the authorities the system trusts.
constexpr std::array kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine, Arch, Buildroot
    "/etc/ssl/cert.pem",                   // Alpine, OpenWrt, FreeBSD
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",  // openSUSE
    "/etc/ssl/certs/ca-bundle.crt",
};

// A file that held a key leaves no copy behind.
struct Content {
  Content() = default;
  ~Content() { mbedtls_platform_zeroize(bytes.data(), bytes.size()); }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes.data()); }
  size_t size_with_null() const { return bytes.size() + 1; }  // mbedTLS wants PEM to end in one
  std::string bytes;
};

Status read(const std::string& option, const std::string& path, Content& into) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr)
    return fail_option(option, fail_errno("open " + path, errno).value().message());
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no copy in a buffer of stdio's
  struct stat info = {};
  if (fstat(fileno(file.get()), &info) == 0 && info.st_size > 0)
    into.bytes.reserve(static_cast<size_t>(info.st_size) + 1);
  char chunk[4096];
  size_t n = 0;
  while ((n = std::fread(chunk, 1, sizeof chunk, file.get())) > 0) into.bytes.append(chunk, n);
  mbedtls_platform_zeroize(chunk, sizeof chunk);
  if (std::ferror(file.get()) == 0) return {};
  return fail_option(option, fail_errno("read " + path, errno).value().message());
}

void add_to(std::string& digest, const Content& content) {
  std::string joined = digest;
  joined.resize(digest.size() + 32);
  (void)mbedtls_sha256(content.data(), content.bytes.size(),
                       reinterpret_cast<unsigned char*>(joined.data()) + digest.size(), 0);
  digest = std::move(joined);
}

// mbedTLS's own table of texts would add 20 KB for messages nobody can act on; these are the ones
// that files written by people cause. Its codes are sums of a high part and a low one.
std::string parse_problem(int code) {
  switch (code) {
    case MBEDTLS_ERR_PK_KEY_INVALID_FORMAT:
    case MBEDTLS_ERR_X509_INVALID_FORMAT:
    case MBEDTLS_ERR_X509_CERT_UNKNOWN_FORMAT:
      return "nothing in PEM format that can be used was found in it";
    default:
      break;
  }
  if (is_unknown_algorithm(code))
    return "its algorithm is not supported (RSA and ECDSA are, Ed25519 is not)";
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "cannot be parsed (mbedTLS error -0x%04X)",
                static_cast<unsigned>(-code));
  return buffer;
}

}  // namespace

bool is_unknown_algorithm(int code) {
  constexpr int kLowBits = 0x7F;
  const int high = -(-code & ~kLowBits);
  return high == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || high == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG ||
         high == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE || high == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
}

FileStamp stamp_of(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {static_cast<int64_t>(info.st_dev),
          static_cast<int64_t>(info.st_ino),
          static_cast<int64_t>(info.st_size),
          info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec,
          info.st_ctim.tv_sec,
          info.st_ctim.tv_nsec};
}

Result<std::string> system_authorities(const std::string& option) {
  std::string tried;
  for (const char* path : kSystemAuthorities) {
    if (access(path, R_OK) == 0) return path;
    tried += tried.empty() ? "" : ", ";
    tried += path;
  }
  return fail_option(option, "this system has no list of trusted authorities (tried " + tried +
                                 "): install its ca-certificates package, or name a file here");
}

Status load_certificates(mbedtls_x509_crt& into, const std::string& option, const std::string& path,
                         std::string& digest) {
  Content content;
  if (Status status = read(option, path, content); !status) return status;
  int code = mbedtls_x509_crt_parse(&into, content.data(), content.size_with_null());
  // A positive result counts certificates that could not be parsed: a bundle may hold some of a
  // kind that mbedTLS does not know, and the others are good.
  if (code < 0 || into.raw.p == nullptr)
    return fail_option(option, path + ": " + parse_problem(code));
  add_to(digest, content);
  return {};
}

Status load_key(mbedtls_pk_context& into, const std::string& option, const std::string& path,
                std::string& digest) {
  Content content;
  if (Status status = read(option, path, content); !status) return status;
  // "BEGIN ENCRYPTED PRIVATE KEY" (RFC 7468 section 11), or "Proc-Type: 4,ENCRYPTED" (RFC 1421).
  if (content.bytes.find("ENCRYPTED") != std::string::npos)
    return fail_option(option, path + ": the key is encrypted: store it without a password");
  int code = mbedtls_pk_parse_key(&into, content.data(), content.size_with_null(), nullptr, 0,
                                  mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
  if (code != 0) return fail_option(option, path + ": " + parse_problem(code));
  add_to(digest, content);
  return {};
}

}  // namespace leat
