#include "connectors/mysql/caching_sha2.h"

#include <errmsg.h>
#include <mariadb_version.h>
#include <mbedtls/sha256.h>
#include <mysql.h>

#include <ma_pvio.h>
#include <mysql/plugin_auth.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace leat::mysql {
namespace {

constexpr size_t kChallenge = 20;  // bytes, and a NUL behind them
constexpr unsigned char kKnown = 3;
constexpr unsigned char kAsksForPassword = 4;

Sha256 sha256(std::span<const unsigned char> bytes) {
  Sha256 out{};
  mbedtls_sha256(bytes.data(), bytes.size(), out.data(), 0);
  return out;
}

int refuse(MYSQL* mysql, const char* why) {
  my_set_error(mysql, CR_AUTH_PLUGIN_ERR, "HY000", "%s", why);
  return CR_ERROR;
}

// The password itself goes to a server that has proved who it is, or to this machine, only.
// (Without TLS a server would give a key to encrypt it with, and so would whoever stands in its
// place.)
int send_password(MYSQL_PLUGIN_VIO* server, MYSQL* mysql) {
  if ((mysql->client_flag & CLIENT_SSL) == 0 && mysql->net.pvio->type == PVIO_TYPE_SOCKET)
    return refuse(mysql,
                  "the server asks for the password itself, which is given only over TLS: "
                  "ssl-mode in \"url\"");
  const int size = static_cast<int>(std::strlen(mysql->passwd) + 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(mysql->passwd);
  return server->write_packet(server, bytes, size) == 0 ? CR_OK : CR_ERROR;
}

int authenticate(MYSQL_PLUGIN_VIO* server, MYSQL* mysql) {
  unsigned char* packet = nullptr;
  int size = server->read_packet(server, &packet);
  if (size < static_cast<int>(kChallenge)) return size < 0 ? CR_ERROR : CR_SERVER_HANDSHAKE_ERR;
  const std::string_view password(mysql->passwd);
  if (password.empty()) return server->write_packet(server, packet, 0) == 0 ? CR_OK : CR_ERROR;
  const Sha256 proof = scramble(password, {packet, kChallenge});
  if (server->write_packet(server, proof.data(), static_cast<int>(proof.size())) != 0)
    return CR_ERROR;
  size = server->read_packet(server, &packet);
  if (size < 1) return CR_ERROR;
  if (size > 1) return CR_OK_HANDSHAKE_COMPLETE;  // of the server: yes or no
  if (*packet == kKnown) return CR_OK;
  return *packet == kAsksForPassword ? send_password(server, mysql) : CR_SERVER_HANDSHAKE_ERR;
}

// As in client_plugin.h, which includes what Debian does not install.
struct Plugin {
  MYSQL_CLIENT_PLUGIN_HEADER
  int (*authenticate_user)(MYSQL_PLUGIN_VIO* server, MYSQL* mysql);
  int (*hash_password)(MYSQL* mysql, unsigned char* hash, size_t* size);  // since 3.4
};
constexpr int kAuthentication = 2;
constexpr unsigned kInterface = MARIADB_PACKAGE_VERSION_ID >= 30400 ? 0x0101 : 0x0100;

Plugin plugin = {
    .type = kAuthentication,
    .interface_version = kInterface,
    .name = "caching_sha2_password",
    .author = "leat",
    .desc = "caching_sha2_password",
    .version = {1, 0, 0},
    .license = "MIT",
    .mysql_api = nullptr,
    .init = nullptr,
    .deinit = nullptr,
    .options = nullptr,
    .authenticate_user = authenticate,
    .hash_password = nullptr,
};

}  // namespace

Sha256 scramble(std::string_view password, std::span<const unsigned char> challenge) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(password.data());
  Sha256 once = sha256({bytes, password.size()});
  const Sha256 twice = sha256(once);
  std::string both(twice.begin(), twice.end());
  both.append(challenge.begin(), challenge.end());
  const Sha256 mask = sha256({reinterpret_cast<const unsigned char*>(both.data()), both.size()});
  for (size_t i = 0; i < once.size(); ++i) once[i] ^= mask[i];
  return once;
}

void register_caching_sha2() {
  MYSQL* mysql = mysql_init(nullptr);
  if (mysql == nullptr) return;
  mysql_client_register_plugin(mysql, reinterpret_cast<st_mysql_client_plugin*>(&plugin));
  mysql_close(mysql);
}

}  // namespace leat::mysql
