#include "connectors/mysql/url.h"

#include <gtest/gtest.h>

namespace leat::mysql {
namespace {

std::string error(std::string_view text) {
  Result<Url> url = Url::parse(text);
  return url ? "" : url.error().message();
}

TEST(MysqlUrl, is_taken_apart) {
  Result<Url> url = Url::parse("mysql://u%40x:p%2Fw@db.example:3307/pl%20ant?ssl-mode=VERIFY_CA");
  ASSERT_TRUE(url) << url.error().message();
  EXPECT_EQ(url->user, "u@x");
  EXPECT_EQ(url->password, "p/w");
  EXPECT_EQ(url->address.text(), "db.example:3307");
  EXPECT_EQ(url->database, "pl ant");
  EXPECT_EQ(url->ssl_mode, SslMode::kVerifyCa);
  EXPECT_EQ(url->shown(), "mysql db.example:3307/pl ant");
}

TEST(MysqlUrl, has_a_port_of_its_own_and_may_be_a_socket) {
  EXPECT_EQ(Url::parse("mariadb://u@[::1]/d")->address.text(), "[::1]:3306");
  Result<Url> url = Url::parse("mysql://u@localhost/d?socket=/run/mysqld/mysqld.sock");
  ASSERT_TRUE(url) << url.error().message();
  EXPECT_EQ(url->address.path, "/run/mysqld/mysqld.sock");
  EXPECT_FALSE(url->ssl_mode);
}

TEST(MysqlUrl, that_is_wrong_is_refused_without_its_password) {
  const std::pair<const char*, const char*> cases[] = {
      {"postgresql://u@h/d", "must start with"},
      {"mysql://h/d", "names no user"},
      {"mysql://u@h", "names no database"},
      {"mysql://u:secret/x@h/d", "%2F"},
      {"mysql://u@h:0/d", ""},
      {"mysql://u@h/d?ssl-mode=PREFERRED", "ssl-mode must be"},
      {"mysql://u@h/d?sslmode=REQUIRED", "sslmode"},
      {"mysql://u@h/d?ssl-mode=VERIFY_CA&ssl-mode=DISABLED", "twice"},
      {"mysql://u@h/d?socket=x", "path"},
      {"mysql://u@h/ d", "blank"},
  };
  for (const auto& [text, said] : cases) {
    EXPECT_NE(error(text), "") << text;
    EXPECT_NE(error(text).find(said), std::string::npos) << text << ": " << error(text);
    EXPECT_EQ(error(text).find("secret"), std::string::npos) << error(text);
  }
}

}  // namespace
}  // namespace leat::mysql
