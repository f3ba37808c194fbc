#include "protocols/postgres/auth.h"

#include <gtest/gtest.h>

#include "protocols/postgres/wire.h"

namespace leat::postgres {
namespace {

using namespace std::literals;

class PostgresAuth : public ::testing::Test {
 protected:
  // What is sent in answer to a request, or the error's message.
  std::string ask(int32_t request, std::string_view rest = "") {
    if (!authentication_) authentication_.emplace(url_, channel_, cache_);
    std::string body;
    append_int32(body, request);
    auto step = authentication_->on_request(body + std::string(rest));
    if (!step) return step.error().message();
    if (step->done) return "done";
    return step->reply;
  }

  Url url_ = *Url::parse("postgresql://user:secret@h/d");
  Channel channel_;
  SaltedPassword cache_;
  std::optional<Authentication> authentication_;
};

TEST_F(PostgresAuth, trust_is_taken) {
  EXPECT_EQ(ask(0), "done");
}

// md5(md5("secret" + "user") + salt), computed with md5sum.
TEST_F(PostgresAuth, md5_is_hashed_twice) {
  EXPECT_EQ(ask(5, "abcd"), "p\0\0\0\x28md5fd7c993d0b0386ed609939ae4ac157ce\0"sv);
  EXPECT_NE(ask(5, "abc").find("cannot be read"), std::string::npos);
}

TEST_F(PostgresAuth, the_password_itself_is_sent_only_where_nobody_listens) {
  EXPECT_NE(ask(3).find("in clear"), std::string::npos);
  authentication_.reset();
  channel_.private_line = true;
  EXPECT_EQ(ask(3), "p\0\0\0\x0bsecret\0"sv);
}

TEST_F(PostgresAuth, a_server_that_offers_no_binding_over_tls_is_told_that_we_could) {
  channel_ = {.private_line = true, .tls = true, .end_point = "hash"};
  EXPECT_NE(ask(10, "SCRAM-SHA-256\0\0"sv).find("y,,n=,r="), std::string::npos);
  authentication_.reset();
  EXPECT_NE(ask(10, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"sv).find("p=tls-server-end-point,,"),
            std::string::npos);
  authentication_.reset();
  channel_ = {};
  EXPECT_NE(ask(10, "SCRAM-SHA-256\0\0"sv).find("n,,n=,r="), std::string::npos);
}

TEST_F(PostgresAuth, binding_that_is_required_is_insisted_on) {
  url_.binding = Binding::kRequire;
  channel_ = {.private_line = true, .tls = true, .end_point = "hash"};
  for (auto [request, rest] :
       {std::pair{0, ""sv}, {3, ""sv}, {5, "abcd"sv}, {10, "SCRAM-SHA-256\0\0"sv}}) {
    authentication_.reset();
    EXPECT_NE(ask(request, rest).find("channel_binding is require"), std::string::npos) << request;
  }
}

TEST_F(PostgresAuth, a_server_must_prove_itself_before_it_says_that_all_is_well) {
  (void)ask(10, "SCRAM-SHA-256\0\0"sv);
  EXPECT_NE(ask(0).find("did not prove"), std::string::npos);
}

TEST_F(PostgresAuth, the_hash_is_kept_for_the_next_connection) {
  auto server_first = [this] {
    std::string sent = ask(10, "SCRAM-SHA-256\0\0"sv);
    std::string body;
    append_int32(body, 11);
    body += sent.substr(sent.find("r=")) + "x,s=c2FsdA==,i=10";
    return authentication_->on_request(body);
  };
  auto step = server_first();
  ASSERT_TRUE(step && step->hash);
  EXPECT_EQ(step->reply, "");
  EXPECT_TRUE(authentication_->salted(*step->hash, salted_password(*step->hash)));
  authentication_.reset();
  step = server_first();
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->hash);
  EXPECT_NE(step->reply.find(",p="), std::string::npos);
  EXPECT_NE(ask(11, "r=x").find("begins twice"), std::string::npos);
}

}  // namespace
}  // namespace leat::postgres
