// The sink on a loop, against a server that follows a script. Real servers and hostile ones are
// tests/integration/test_postgres*.py's.
#include "stage/sink.h"

#include "net/scripted_server.h"
#include "protocols/postgres/wire.h"
#include "support/sink_harness.h"

namespace leat {

extern const SinkType kPostgresSink;

namespace testing {
namespace {

using namespace std::literals;

class PostgresSink : public ::testing::Test {
 protected:
  PostgresSink() : options_(kPostgresSink.options, "pipelines[0].sink") {
    options_.set("table", std::string("t"));
    options_.set("connectTimeout", int64_t{20'000});
  }

  void serve(ScriptedServer::Script on_bytes) {
    server_.emplace(harness_.loop());
    server_->on_bytes = std::move(on_bytes);
    open("postgresql://u:secret@127.0.0.1:" + std::to_string(server_->port()) +
         "/d?sslmode=disable");
  }
  void open(std::string url) {
    options_.set("url", std::move(url));
    Status status = harness_.start(kPostgresSink, options_);
    ASSERT_TRUE(status) << status.error().message();
  }
  // It lets everybody in, and can do nothing for them now.
  void serve_the_busy() {
    serve([](Peer& peer) {
      const bool starts = std::exchange(peer.received, {}).find("user") != std::string::npos;
      peer.say((starts ? postgres::message('R', "\0\0\0\0"sv)
                       : postgres::message('E', "VERROR\0C53200\0Mout of memory\0\0"sv)) +
               postgres::message('Z', "I"));
    });
  }
  Delivery one() { return harness_.records({{{"id", Value::of_integer(1)}}}); }

  SinkHarness harness_;
  std::optional<ScriptedServer> server_;
  Options options_;
};

TEST_F(PostgresSink, a_server_that_is_not_there_is_for_later) {
  {
    ScriptedServer gone(harness_.loop());
    open("postgresql://u@127.0.0.1:" + std::to_string(gone.port()) + "/d");
  }
  Delivery delivery = one();
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("connection refused"), std::string::npos) << answer.reason;
  harness_.close();
}

TEST_F(PostgresSink, a_password_that_is_refused_is_for_later_and_not_told) {
  serve([](Peer& peer) {
    peer.say(postgres::message('E', "VFATAL\0C28P01\0Mwrong password\0\0"sv));
  });
  Delivery delivery = one();
  Answer answer = harness_.deliver(delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("wrong password, SQLSTATE 28P01: check the user and the password"),
            std::string::npos)
      << answer.reason;
  EXPECT_EQ(answer.reason.find("secret"), std::string::npos);
  harness_.close();
}

TEST_F(PostgresSink, closes_in_the_middle_without_an_answer) {
  serve([](Peer&) {});  // it never answers
  Delivery delivery = one();
  harness_.begin(delivery);
  EXPECT_TRUE(harness_.wait(
      [this] { return server_->connections() == 1 && !server_->peer(0).received.empty(); }));
  harness_.close();
  EXPECT_FALSE(harness_.answer());
  EXPECT_TRUE(harness_.wait([this] { return server_->peer(0).ended; }));
}

TEST_F(PostgresSink, may_be_dropped_while_the_password_is_hashed) {
  serve([](Peer& peer) {
    if (peer.received.find("user") != std::string::npos) {
      peer.received.clear();
      return peer.say(postgres::message('R', "\0\0\0\x0aSCRAM-SHA-256\0\0"sv));
    }
    size_t nonce = peer.received.find("r=");
    if (nonce == std::string::npos) return;
    peer.say(postgres::message(
        'R', "\0\0\0\x0b"s + peer.received.substr(nonce) + "x,s=c2FsdA==,i=200000"));
    peer.received.clear();
    peer.ended = true;
  });
  Delivery delivery = one();
  harness_.begin(delivery);
  EXPECT_TRUE(
      harness_.wait([this] { return server_->connections() == 1 && server_->peer(0).ended; }));
  harness_.kill();
}

TEST_F(PostgresSink, one_of_several_gives_its_connection_back_when_it_has_nothing_to_do) {
  harness_.set_lane({.number = 1, .run = 7});
  serve_the_busy();
  Delivery delivery = one();
  for (size_t sessions : {1, 2}) {
    EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kRetry);
    harness_.advance(900ms);
    EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kRetry);
    EXPECT_EQ(server_->connections(), sessions);
    harness_.advance(900ms);
    EXPECT_FALSE(server_->peer(sessions - 1).ended);
    harness_.advance(100ms);
    EXPECT_TRUE(harness_.wait([&] { return server_->peer(sessions - 1).ended; }));
  }
  harness_.close();
}

TEST_F(PostgresSink, one_that_is_alone_keeps_its_connection) {
  serve_the_busy();
  Delivery delivery = one();
  EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kRetry);
  harness_.advance(20s);
  EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kRetry);
  EXPECT_EQ(server_->connections(), 1);
  EXPECT_EQ(server_->open_connections(), 1);
  harness_.close();
}

TEST_F(PostgresSink, closes_before_it_has_connected) {
  open("postgresql://u@127.0.0.1:9/d");
  harness_.close();
}

}  // namespace
}  // namespace testing
}  // namespace leat
