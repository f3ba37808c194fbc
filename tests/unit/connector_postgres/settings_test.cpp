#include "protocols/postgres/connection_settings.h"

#include <gtest/gtest.h>

#include "connectors/postgres/options.h"

namespace leat::postgres {
namespace {

class PostgresSettings : public ::testing::Test {
 protected:
  Result<ConnectionSettings> from(std::string url) {
    options_.set("url", std::move(url));
    return ConnectionSettings::from(options_);
  }
  SslMode mode(std::string url) {
    auto settings = from(std::move(url));
    EXPECT_TRUE(settings) << settings.error().message();
    return settings ? settings->sslmode : SslMode::kDisable;
  }

  Options options_{kSinkOptions, "pipelines[0].sink"};
};

TEST_F(PostgresSettings, a_named_authority_is_there_to_check_the_server) {
  EXPECT_EQ(mode("postgresql://u@h"), SslMode::kPrefer);
  EXPECT_EQ(mode("postgresql://u@h?sslrootcert=/ca"), SslMode::kVerifyFull);
  EXPECT_EQ(mode("postgresql://u@h?sslrootcert=system"), SslMode::kVerifyFull);
  EXPECT_EQ(mode("postgresql://u@h?sslmode=require"), SslMode::kRequire);
  EXPECT_EQ(mode("postgresql://u@h?sslmode=require&sslrootcert=/ca"), SslMode::kVerifyCa);
  options_.set("tls.ca", std::string("/ca"));
  EXPECT_EQ(mode("postgresql://u@h"), SslMode::kVerifyFull);
  EXPECT_EQ(mode("postgresql://u@h?sslmode=verify-ca"), SslMode::kVerifyCa);
}

TEST_F(PostgresSettings, unix_sockets_have_no_tls) {
  EXPECT_FALSE(from("postgresql:///d?user=u&sslmode=verify-full")->uses_tls);
  EXPECT_TRUE(from("postgresql://u@h?sslmode=allow")->uses_tls);
  EXPECT_FALSE(from("postgresql://u@h?sslmode=disable")->uses_tls);
}

TEST_F(PostgresSettings, warn_where_anybody_on_the_way_can_interfere) {
  EXPECT_EQ(from("postgresql://u@localhost")->warning(), "");
  EXPECT_EQ(from("postgresql://u@h?sslmode=verify-full")->warning(), "");
  EXPECT_NE(from("postgresql://u@h")->warning().find("prefer"), std::string::npos);
  EXPECT_NE(from("postgresql://u@h?sslmode=disable")->warning().find("not encrypted"),
            std::string::npos);
}

TEST_F(PostgresSettings, say_where_they_contradict_each_other) {
  auto settings = from("postgresql://u@h?sslmode=verify-ca");
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().message().starts_with("pipelines[0].sink.url: sslmode=verify-ca"));
  options_.set("tls.cert", std::string("/c"));
  settings = from("postgresql://u@h?sslcert=/d");
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().message().starts_with("pipelines[0].sink.tls.cert: \"url\" says it"))
      << settings.error().message();
}

TEST_F(PostgresSettings, the_url_goes_before_the_connect_timeout) {
  EXPECT_EQ(from("postgresql://u@h")->connect_timeout, Milliseconds(10'000));
  EXPECT_EQ(from("postgresql://u@h?connect_timeout=3")->connect_timeout, Milliseconds(3000));
}

}  // namespace
}  // namespace leat::postgres
