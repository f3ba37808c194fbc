#include "protocols/postgres/scram.h"

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>

#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "crypto/hmac.h"
#include "crypto/same_secret.h"

namespace leat::postgres {
namespace {

constexpr size_t kLongestSalt = 1024;  // PostgreSQL's has 16 bytes
constexpr size_t kLongestNonce = 1024;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const mbedtls_md_info_t* sha256() {
  return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

std::string hash(std::string_view text) {
  std::string out(kSha256Size, '\0');
  mbedtls_md(sha256(), bytes(text), text.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  if (!append_from_base64(out, text)) return {};
  return out;
}

// Takes "x=value" and the comma behind it from the front of a message.
std::optional<std::string_view> attribute(std::string_view& message, char name) {
  if (message.size() < 2 || message[0] != name || message[1] != '=') return {};
  size_t end = message.find(',');
  std::string_view value = message.substr(2, end == std::string_view::npos ? end : end - 2);
  message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
  return value;
}

tl::unexpected<Error> bad_message() {
  return fail(ErrorKind::kUnavailable, "SCRAM: what the server sent makes no sense");
}

}  // namespace

std::string salted_password(const SaltedPasswordRequest& request) {
  std::string out(kSha256Size, '\0');
  int code = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, bytes(request.password),
                                           request.password.size(), bytes(request.salt),
                                           request.salt.size(), request.iterations, kSha256Size,
                                           reinterpret_cast<unsigned char*>(out.data()));
  return code == 0 ? out : "";
}

std::string prepared_password(std::string_view password) {
  // PostgreSQL takes a password that is not UTF-8 as it is, and so must we.
  if (!is_utf8(password)) return std::string(password);
  // Tables C.1.2 and B.1 of RFC 3454.
  static constexpr std::string_view kBlanks[] = {
      "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u200B", "\u202F", "\u205F", "\u3000"};
  static constexpr std::string_view kNothing[] = {
      "\u00AD", "\u034F", "\u1806", "\u180B", "\u180C", "\u180D", "\u200C", "\u200D", "\u2060",
      "\uFE00", "\uFE01", "\uFE02", "\uFE03", "\uFE04", "\uFE05", "\uFE06", "\uFE07", "\uFE08",
      "\uFE09", "\uFE0A", "\uFE0B", "\uFE0C", "\uFE0D", "\uFE0E", "\uFE0F", "\uFEFF"};
  std::string out;
  auto take = [&password](const auto& list) {
    for (std::string_view item : list) {
      if (!password.starts_with(item)) continue;
      password.remove_prefix(item.size());
      return true;
    }
    return false;
  };
  while (!password.empty()) {
    if (static_cast<unsigned char>(password[0]) >= 0x80) {
      if (take(kBlanks)) {
        out += ' ';
        continue;
      }
      if (take(kNothing)) continue;
    }
    out += password[0];
    password.remove_prefix(1);
  }
  return out;
}

Scram::Scram(std::string password, Flag flag, std::string end_point, std::string nonce)
    : password_(std::move(password)),
      flag_(flag),
      end_point_(std::move(end_point)),
      nonce_(std::move(nonce)) {}

std::string_view Scram::mechanism() const {
  return flag_ == Flag::kUsed ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

std::string Scram::header() const {
  switch (flag_) {
    case Flag::kNone:
      return "n,,";
    case Flag::kServerLacks:
      return "y,,";
    case Flag::kUsed:
      break;
  }
  return "p=tls-server-end-point,,";
}

// The user is left empty: PostgreSQL takes the one of the startup message.
std::string Scram::client_first() const {
  return header() + "n=,r=" + nonce_;
}

Result<SaltedPasswordRequest> Scram::server_first(std::string_view message) {
  server_first_ = message;
  auto nonce = attribute(message, 'r');
  auto salt = attribute(message, 's');
  auto rounds = attribute(message, 'i');
  if (!nonce || !salt || !rounds || nonce->size() > kLongestNonce || salt->size() > kLongestSalt)
    return bad_message();
  // The server's nonce begins with ours, and adds to it.
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) return bad_message();
  server_nonce_ = *nonce;
  SaltedPasswordRequest request{password_, "", 0};
  auto [end, error] =
      std::from_chars(rounds->data(), rounds->data() + rounds->size(), request.iterations);
  std::optional<std::string> decoded = from_base64(*salt);
  if (error != std::errc() || end != rounds->data() + rounds->size() || request.iterations == 0 ||
      !decoded || decoded->empty())
    return bad_message();
  if (request.iterations > kMostIterations)
    return fail(ErrorKind::kUnavailable, "SCRAM: the server demands " + std::string(*rounds) +
                                             " rounds of hashing, more than " +
                                             std::to_string(kMostIterations));
  request.salt = std::move(*decoded);
  return request;
}

std::string Scram::client_final(const std::string& salted) {
  std::string binding = header();
  if (flag_ == Flag::kUsed) binding += end_point_;
  std::string without_proof = "c=" + base64(binding) + ",r=" + server_nonce_;
  std::string auth_message =
      client_first().substr(header().size()) + "," + server_first_ + "," + without_proof;
  std::string client_key = hmac_sha256(salted, "Client Key");
  std::string proof = hmac_sha256(hash(client_key), auth_message);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ client_key[i]);
  server_signature_ = hmac_sha256(hmac_sha256(salted, "Server Key"), auth_message);
  return without_proof + ",p=" + base64(proof);
}

Status Scram::server_final(std::string_view message) const {
  if (auto error = attribute(message, 'e'))
    return fail(ErrorKind::kUnavailable, "SCRAM: the server says " + excerpt(*error));
  auto verifier = attribute(message, 'v');
  std::optional<std::string> signature;
  if (verifier) signature = from_base64(*verifier);
  if (server_signature_.empty() || !signature || !same_secret(server_signature_, *signature))
    return fail(ErrorKind::kUnavailable,
                "SCRAM: the server could not prove that it knows the password: it may not be the "
                "one it pretends to be");
  return {};
}

}  // namespace leat::postgres
