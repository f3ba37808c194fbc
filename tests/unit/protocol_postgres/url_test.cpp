#include "protocols/postgres/url.h"

#include <gtest/gtest.h>

namespace leat::postgres {
namespace {

Url good(std::string_view text) {
  Result<Url> url = Url::parse(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().message());
  return url ? *url : Url();
}

std::string problem(std::string_view text) {
  Result<Url> url = Url::parse(text);
  EXPECT_FALSE(url) << text;
  if (url) return "";
  EXPECT_EQ(url.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(url.error().message().find("hunter2"), std::string::npos) << "it tells the password";
  return url.error().message();
}

TEST(PostgresUrl, has_all_parts) {
  Url url = good("postgresql://us%65r:p%40ss%3A%2F@db.example:5433/my%20db");
  EXPECT_EQ(url.user, "user");
  EXPECT_EQ(url.password, "p@ss:/");
  EXPECT_EQ(url.address.host, "db.example");
  EXPECT_EQ(url.address.port, 5433);
  EXPECT_EQ(url.database, "my db");
  EXPECT_EQ(url.shown(), "postgresql db.example:5433/my db");
}

TEST(PostgresUrl, has_the_defaults_of_libpq) {
  Url url = good("postgres://u@h");
  EXPECT_EQ(url.address.port, 5432);
  EXPECT_EQ(url.database, "u");
  EXPECT_FALSE(url.sslmode);
  EXPECT_EQ(url.application, "leat");
  EXPECT_EQ(good("postgresql://u@/d").address.path, "/run/postgresql/.s.PGSQL.5432");
}

TEST(PostgresUrl, takes_ipv6_and_unix_sockets) {
  EXPECT_EQ(good("postgresql://u@[::1]:5433/d").address.host, "::1");
  EXPECT_EQ(good("postgresql://u@[::1]/d").address.port, 5432);
  EXPECT_EQ(good("postgresql://u@[fe80::1%eth0]/d").address.host, "fe80::1%eth0");
  EXPECT_EQ(good("postgresql://u@[fe80::1%25eth0]/d").address.host, "fe80::1%eth0");
  EXPECT_EQ(good("postgresql://u@%2Ftmp%2Fpg/d").address.path, "/tmp/pg/.s.PGSQL.5432");
  Url url = good("postgresql:///d?host=/run/postgresql&port=5433&user=u&password=p%26q");
  EXPECT_EQ(url.address.path, "/run/postgresql/.s.PGSQL.5433");
  EXPECT_EQ(url.password, "p&q");
  EXPECT_EQ(good("postgresql://u@a/d?host=b").address.host, "b");
}

TEST(PostgresUrl, takes_parameters) {
  Url url = good(
      "postgresql://u@h/d?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k&"
      "application_name=x&connect_timeout=7&channel_binding=require&options=-c%20a%3Db");
  EXPECT_EQ(url.sslmode, SslMode::kVerifyCa);
  EXPECT_EQ(url.root_certificate + url.certificate + url.key, "/ca/c/k");
  EXPECT_EQ(url.application, "x");
  EXPECT_EQ(url.connect_timeout, Milliseconds(7000));
  EXPECT_EQ(url.binding, Binding::kRequire);
  EXPECT_EQ(url.options, "-c a=b");
  EXPECT_EQ(good("postgresql://u@h/d?connect_timeout=1").connect_timeout, Milliseconds(2000));
  EXPECT_FALSE(good("postgresql://u@h/d?connect_timeout=0").connect_timeout);
}

TEST(PostgresUrl, says_what_is_wrong_without_the_password) {
  EXPECT_EQ(problem("mysql://u:hunter2@h/d"),
            "it must start with \"postgresql://\" or \"postgres://\"");
  EXPECT_EQ(problem("postgresql://h/d"), "it names no user: postgresql://USER@HOST/DATABASE");
  EXPECT_NE(problem("postgresql://u:hunter2@h/d?sslmod=x").find("did you mean \"sslmode\"?"),
            std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2@h/d?sslmode=on").find("sslmode must be"),
            std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2@h:0/d").find("port"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2@h:70000/d").find("port"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2%@h/d").find("%25"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2%4@h/d").find("%25"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2%00@h/d").find("%00"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2@x@h/d").find("%40"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2/x@h/d").find("%2F"), std::string::npos);
  EXPECT_NE(problem("postgresql://u:hunter2 x@h/d").find("blank"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@a,b/d").find("several hosts"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@h/d?host=a,b").find("several hosts"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@[::1/d").find("not closed"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@[h]/d").find("not an IPv6"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@::1/d").find("[ ]"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@bücher/d").find("xn--"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@h%20h/d").find("\" \""), std::string::npos);
  EXPECT_NE(problem("postgresql://u@h/d?host=b%C3%BCcher").find("xn--"), std::string::npos);
  EXPECT_NE(problem("postgresql://u@h/d?user").find("no \"=\""), std::string::npos);
  EXPECT_NE(problem("postgresql://u@h/d?connect_timeout=x").find("whole number"),
            std::string::npos);
}

}  // namespace
}  // namespace leat::postgres
