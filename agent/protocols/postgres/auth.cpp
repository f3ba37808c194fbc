#include "protocols/postgres/auth.h"

#include <mbedtls/md5.h>
#include <uv.h>

#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

// AuthenticationXxx messages.
enum Request : int32_t {
  kOk = 0,
  kCleartext = 3,
  kMd5 = 5,
  kGss = 7,
  kSspi = 9,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorKind::kUnavailable, "authentication: " + std::move(why));
}

std::string md5_hex(std::string_view text) {
  unsigned char digest[16];
  (void)mbedtls_md5(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  append_hex(out, digest);
  return out;
}

std::string sasl_response(std::string_view text) {
  return message('p', text);
}

std::string make_nonce() {
  char random[18];
  // Blocks only before the kernel has gathered its first entropy.
  if (uv_random(nullptr, nullptr, random, sizeof random, 0, nullptr) != 0) return "";
  return base64({random, sizeof random});  // has no commas
}

}  // namespace

Status Authentication::need_password() const {
  if (url_.password.empty()) return refuse("the server wants a password, and \"url\" has none");
  return {};
}

Result<Authentication::Step> Authentication::on_request(std::string_view body) {
  BodyReader reader(body);
  int32_t request = reader.int32();
  if (!reader.ok()) return refuse("the server's request cannot be read");
  bool is_scram = request == kSaslContinue || request == kSaslFinal;
  if (is_scram && !scram_) return refuse("the server goes on with what it did not begin");
  switch (request) {
    case kOk:
      if (scram_ && !verified_)
        return refuse("the server did not prove that it knows the password");
      if (!scram_ && url_.binding == Binding::kRequire)
        return refuse("the server does not use channel binding, and channel_binding is require");
      return Step{.done = true};
    case kCleartext:
      return plain();
    case kMd5:
      return md5(reader.rest());
    case kSasl:
      return choose_mechanism(reader.rest());
    case kSaslContinue:
      return reply_to_server_first(reader.rest());
    case kSaslFinal:
      if (Status status = scram_->server_final(reader.rest()); !status) return fail(status.error());
      verified_ = true;
      return Step{};
    case kGss:
    case kSspi:
      return refuse("the server wants Kerberos or SSPI, which leat does not speak");
    default:
      return refuse("the server wants method " + std::to_string(request) +
                    ", which leat does not know");
  }
}

Result<Authentication::Step> Authentication::plain() {
  if (Status status = need_password(); !status) return fail(status.error());
  if (url_.binding == Binding::kRequire)
    return refuse("the server wants the password itself, and channel_binding is require");
  if (!channel_.private_line)
    return refuse(
        "the server wants the password in clear, and the connection is not encrypted: use "
        "sslmode=verify-full, or scram-sha-256 in the server's pg_hba.conf");
  return Step{.reply = message('p', terminated(url_.password))};
}

Result<Authentication::Step> Authentication::md5(std::string_view salt) {
  if (Status status = need_password(); !status) return fail(status.error());
  if (salt.size() != 4) return refuse("the server's request cannot be read");
  if (url_.binding == Binding::kRequire)
    return refuse("the server wants an MD5 password, and channel_binding is require");
  std::string inner = md5_hex(url_.password + url_.user);
  return Step{.reply = message('p', terminated("md5" + md5_hex(inner + std::string(salt))))};
}

Result<Authentication::Step> Authentication::choose_mechanism(std::string_view list) {
  if (Status status = need_password(); !status) return fail(status.error());
  if (scram_) return refuse("the server begins twice");
  bool scram = false;
  bool plus = false;
  BodyReader names(list);
  while (true) {
    std::string_view name = names.text();
    if (!names.ok()) return refuse("the server's list of methods cannot be read");
    if (name.empty()) break;
    scram = scram || name == "SCRAM-SHA-256";
    plus = plus || name == "SCRAM-SHA-256-PLUS";
  }
  if (!scram && !plus) return refuse("the server offers no method that leat knows");
  // Only TLS has a channel to bind to: somebody is playing with us.
  if (plus && !channel_.tls) return refuse("the server offers channel binding without TLS");

  bool can_bind = channel_.tls && !channel_.end_point.empty() && url_.binding != Binding::kDisable;
  Scram::Flag flag = Scram::Flag::kNone;
  if (can_bind) flag = plus ? Scram::Flag::kUsed : Scram::Flag::kServerLacks;
  if (flag != Scram::Flag::kUsed && url_.binding == Binding::kRequire)
    return refuse("channel binding is not possible here, and channel_binding is require");
  if (flag != Scram::Flag::kUsed && !scram)
    return refuse("the server offers only channel binding, which is not possible here");
  std::string nonce = make_nonce();
  if (nonce.empty()) return refuse("the system gives no random numbers");
  scram_.emplace(prepared_password(url_.password), flag, channel_.end_point, std::move(nonce));

  std::string first = scram_->client_first();
  std::string body = terminated(scram_->mechanism());
  append_int32(body, static_cast<int32_t>(first.size()));
  return Step{.reply = sasl_response(body + first)};
}

Result<Authentication::Step> Authentication::reply_to_server_first(std::string_view message) {
  if (std::exchange(first_answered_, true)) return refuse("the server begins twice");
  Result<SaltedPasswordRequest> request = scram_->server_first(message);
  if (!request) return fail(request.error());
  if (cache_.request == *request && !cache_.value.empty())
    return Step{.reply = sasl_response(scram_->client_final(cache_.value))};
  return Step{.hash = std::move(*request)};
}

Result<std::string> Authentication::salted(const SaltedPasswordRequest& request,
                                           std::string value) {
  if (value.empty()) return refuse("no memory to compute the password's hash");
  cache_ = {request, std::move(value)};
  return sasl_response(scram_->client_final(cache_.value));
}

}  // namespace leat::postgres
