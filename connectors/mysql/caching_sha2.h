// MySQL 8's way to prove a password, caching_sha2_password, which Debian's libmariadb has only as a
// file to be loaded: a static binary cannot.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace leat::mysql {

using Sha256 = std::array<unsigned char, 32>;

// What proves the password to a server that has the challenge's answer in its cache
// (https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html):
// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + challenge).
Sha256 scramble(std::string_view password, std::span<const unsigned char> challenge);

// Makes it known to the library. Once, behind mysql_library_init().
void register_caching_sha2();

}  // namespace leat::mysql
