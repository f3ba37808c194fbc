#include "cli/import/connection_url.h"

#include <gtest/gtest.h>

namespace leat::datax {
namespace {

class ConnectionUrl : public ::testing::Test {
 protected:
  std::string of(std::string_view given, const std::string& user = "me",
                 const std::string& password = "") {
    Given where(nullptr, "connection", problems_);
    return postgres_url(given, user, password, where, "url");
  }
  std::string of_mysql(std::string_view given, const std::string& password = "") {
    Given where(nullptr, "connection", problems_);
    return mysql_url(given, "me", password, where, "url");
  }
  std::string said() const {
    std::string out;
    for (const Problem& problem : problems_.all())
      out += (problem.warning ? "warning: " : "") + problem.path + ": " + problem.text + "\n";
    return out;
  }

  Problems problems_;
};

TEST_F(ConnectionUrl, user_and_password_go_into_it_escaped) {
  EXPECT_EQ(of("postgres://db:5432/plant?sslmode=disable", "a b", "p@ss:w/rd%"),
            "postgresql://a%20b:p%40ss%3Aw%2Frd%25@db:5432/plant?sslmode=disable");
  EXPECT_EQ(said(), "");
}

TEST_F(ConnectionUrl, tls_is_what_the_driver_of_each_tool_does_when_nothing_is_said) {
  EXPECT_EQ(of("postgres://db/plant"), "postgresql://me@db/plant?sslmode=require");
  EXPECT_EQ(of("jdbc:postgresql://db/plant"), "postgresql://me@db/plant");
  EXPECT_EQ(of("jdbc:postgresql://db/plant?ssl=true"),
            "postgresql://me@db/plant?sslmode=verify-full");
}

TEST_F(ConnectionUrl, parameters_that_have_a_counterpart_are_carried_over) {
  EXPECT_EQ(of("postgres://db/plant?sslmode=disable&connect_timeout=2&search_path=a"),
            "postgresql://me@db/plant?sslmode=disable&connect_timeout=2&"
            "options=-c%20search_path%3Da");
  EXPECT_EQ(of("jdbc:postgresql://db/plant?currentSchema=s&ApplicationName=x"),
            "postgresql://me@db/plant?options=-c%20search_path%3Ds&application_name=x");
  EXPECT_EQ(said(), "");
}

TEST_F(ConnectionUrl, others_are_named) {
  EXPECT_EQ(of("postgres://db/plant?sslmode=disable&readTimeout=3s"),
            "postgresql://me@db/plant?sslmode=disable");
  EXPECT_EQ(said(),
            "warning: connection.url: parameter \"readTimeout\": has no counterpart, and is left "
            "out\n");
}

TEST_F(ConnectionUrl, another_database_or_several_hosts_are_errors) {
  EXPECT_EQ(of("tcp(127.0.0.1:3306)/plant"), "");
  (void)of("postgres://a,b/plant?sslmode=disable");
  EXPECT_EQ(problems_.errors(), 2U);
}

TEST_F(ConnectionUrl, mysql_is_written_as_either_driver_takes_it) {
  EXPECT_EQ(of_mysql("tcp(10.0.0.7:3306)/plant", "p@ss"),
            "mysql://me:p%40ss@10.0.0.7:3306/plant?ssl-mode=DISABLED");
  EXPECT_EQ(of_mysql("tcp([::1]:3307)/plant?tls=skip-verify"),
            "mysql://me@[::1]:3307/plant?ssl-mode=REQUIRED");
  EXPECT_EQ(of_mysql("unix(/run/mysqld.sock)/plant"),
            "mysql://me@localhost/plant?socket=/run/mysqld.sock&ssl-mode=DISABLED");
  EXPECT_EQ(of_mysql("jdbc:mysql://db:3306/plant?useSSL=false"),
            "mysql://me@db:3306/plant?ssl-mode=DISABLED");
  EXPECT_EQ(of_mysql("jdbc:mariadb://db/plant?sslMode=VERIFY_CA"),
            "mysql://me@db/plant?ssl-mode=VERIFY_CA");
  EXPECT_EQ(said(), "");
}

TEST_F(ConnectionUrl, of_mysql_what_has_no_counterpart_is_named_and_that_of_tls_in_any_case) {
  EXPECT_EQ(of_mysql("jdbc:mysql://db/plant?serverTimezone=UTC"), "mysql://me@db/plant");
  EXPECT_NE(said().find("parameter \"serverTimezone\": has no counterpart"), std::string::npos);
  EXPECT_NE(said().find("warning: connection.url: says nothing of TLS"), std::string::npos);
  EXPECT_EQ(problems_.errors(), 0U);
}

TEST_F(ConnectionUrl, of_mysql_what_is_no_place_is_an_error) {
  for (const char* given : {"db:3306/plant", "tcp(db:3306)", "tcp(db", "jdbc:mysql:///plant",
                            "jdbc:postgresql://db/plant", "unix(/x"}) {
    problems_ = {};
    EXPECT_EQ(of_mysql(given), "") << given;
    EXPECT_EQ(problems_.errors(), 1U) << given;
  }
  problems_ = {};
  (void)of_mysql("jdbc:mysql://a,b/plant?useSSL=false");
  EXPECT_EQ(problems_.errors(), 1U);
}

}  // namespace
}  // namespace leat::datax
