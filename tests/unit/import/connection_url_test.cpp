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

}  // namespace
}  // namespace leat::datax
