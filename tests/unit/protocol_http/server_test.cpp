#include "protocols/http/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>
#include <optional>

#include "net/listener.h"
#include "net/pki.h"
#include "net/stream_fixture.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

using http::Responder;
using http::Server;
using http::ServerRequest;

// The fixture's Stream is the client.
class HttpServer : public StreamTest {
 protected:
  HttpServer() { serve({.loop = loop_}); }
  ~HttpServer() override {
    stream_.reset();
    others_.clear();
    held_.clear();
    listener_.reset();
    server_.reset();
  }

  void serve(http::ServerSetup setup, const Address& address = {"127.0.0.1", 0}) {
    setup.handler = [this](ServerRequest request, std::shared_ptr<Responder> responder) {
      requests_.push_back(std::move(request));
      if (answer_) return answer_(requests_.back(), std::move(responder));
      responder->reply(200, "text/plain", "you asked for " + requests_.back().path);
    };
    listener_.reset();
    server_.emplace(std::move(setup));
    auto listener =
        Listener::open(loop_, address, [this](Socket::Ptr s) { server_->accept(std::move(s)); });
    ASSERT_TRUE(listener) << listener.error().message();
    listener_ = std::move(*listener);
  }
  Address address() const { return {"127.0.0.1", listener_->port()}; }

  void say(const std::string& bytes) {
    said_.push_back(bytes);
    write({said_.back()});
  }
  // What the server says until it is `complete`.
  std::string ask(const std::string& bytes, const std::string& until) {
    if (!connected_) {
      EXPECT_EQ(connect(address()), "ok");
    }
    say(bytes);
    EXPECT_TRUE(run([&] { return received_.find(until) != std::string::npos; })) << received_;
    return std::exchange(received_, {});
  }
  std::string status_of(const std::string& request) {
    renew();
    return ask(request, "\r\n\r\n").substr(9, 3);
  }

  std::optional<Server> server_;
  std::unique_ptr<Listener> listener_;
  std::vector<ServerRequest> requests_;
  std::function<void(const ServerRequest&, std::shared_ptr<Responder>)> answer_;
  std::vector<std::shared_ptr<Responder>> held_;
  std::vector<std::unique_ptr<Stream>> others_;
  std::deque<std::string> said_;
};

TEST_F(HttpServer, answers_and_keeps_the_connection) {
  std::string first =
      ask("GET /status?all=1&name=a%20b+c HTTP/1.1\r\nHost: x\r\nX-One: 1\r\n\r\n", "/status");
  EXPECT_TRUE(
      first.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n"))
      << first;
  EXPECT_EQ(requests_[0].method, "GET");
  EXPECT_EQ(requests_[0].path, "/status");
  EXPECT_EQ(requests_[0].parameter("name"), "a b c");
  EXPECT_EQ(requests_[0].parameter("all"), "1");
  EXPECT_EQ(requests_[0].header("x-one"), "1");
  ask("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", "for /p");
  EXPECT_EQ(requests_[1].body, "body");
  ask("POST /q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nAuthorization: t\r\n\r\n",
      "for /q");
  EXPECT_EQ(requests_[2].body, "abcde");
  EXPECT_EQ(requests_[2].header("authorization"), "") << "a trailer is not a header";
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(HttpServer, answers_requests_that_come_together_one_after_the_other) {
  std::string get = " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string answers = ask("GET /1" + get + "GET /2" + get + "GET /3" + get, "for /3");
  EXPECT_LT(answers.find("for /1"), answers.find("for /2"));
  EXPECT_EQ(requests_.size(), 3U);
}

TEST_F(HttpServer, leaves_the_body_out_for_head) {
  std::string answer = ask("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 16\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServer, what_a_client_has_is_not_sent_again) {
  answer_ = [](const ServerRequest& request, const std::shared_ptr<Responder>& responder) {
    const bool has = !request.header("if-none-match").empty();
    responder->reply(has ? 304 : 200, "", has ? "" : "page", "Cache-Control: no-cache\r\n");
  };
  std::string first = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "page");
  EXPECT_EQ(first.find("no-store"), std::string::npos) << first;
  std::string again = ask("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1\"\r\n\r\n", "\r\n\r\n");
  EXPECT_TRUE(again.starts_with("HTTP/1.1 304 Not Modified\r\n")) << again;
  EXPECT_EQ(again.find("Content-Length"), std::string::npos) << again;
  ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "page");
}

TEST_F(HttpServer, asks_for_the_body_that_a_client_holds_back) {
  EXPECT_EQ(ask("PUT /x HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n",
                "\r\n\r\n"),
            "HTTP/1.1 100 Continue\r\n\r\n");
  ask("ok", "for /x");
  EXPECT_EQ(requests_[0].body, "ok");
}

TEST_F(HttpServer, closes_when_the_client_wants_it) {
  ask("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "Connection: close");
  renew();
  ask("GET /x HTTP/1.0\r\n\r\n", "Connection: close");
}

TEST_F(HttpServer, refuses_what_is_no_request_or_too_much) {
  serve({.loop = loop_, .longest_body = 10});
  struct Case {
    const char* request;
    const char* status;
  };
  const std::string long_head =
      "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(17'000, 'a') + "\r\n\r\n";
  const Case cases[] = {
      {"\x16\x03\x01 hello", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},  // RFC 9112 section 3.2
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
      {"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /%2e%2e/etc HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /a//b HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET /a%0 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
       "chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n",
       "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417"},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "501"},
      {"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", "501"},
      {long_head.c_str(), "431"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(status_of(c.request), c.status) << std::string(c.request).substr(0, 60);
  EXPECT_TRUE(requests_.empty());
  // A whole URL is a target, too (RFC 9112 section 3.2.2).
  EXPECT_EQ(status_of("GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n"), "200");
  EXPECT_EQ(requests_.back().path, "/y");
}

TEST(AcceptEncoding, names_what_is_taken_and_with_a_weight_of_zero_what_is_not) {
  for (const char* takes : {"", "gzip", "br, gzip;q=0.5", "GZIP", "*", "br;q=1, *;q=0.1",
                            "gzip; q=0.001", "identity;q=0, gzip"})
    EXPECT_TRUE(http::accepts_coding(takes, "gzip")) << takes;
  for (const char* takes_not :
       {"identity", "gzip;q=0", "gzip; q=0.000", "*;q=0", "*, gzip;q=0", "gzipped", "br, identity"})
    EXPECT_FALSE(http::accepts_coding(takes_not, "gzip")) << takes_not;
}

TEST_F(HttpServer, sends_an_answer_in_pieces_and_sees_the_client_leave) {
  answer_ = [this](const ServerRequest&, std::shared_ptr<Responder> responder) {
    responder->begin(200, "application/x-ndjson");
    responder->send("{\"a\":1}\n");
    held_.push_back(std::move(responder));
  };
  std::string start = ask("GET /tap HTTP/1.1\r\nHost: x\r\n\r\n", "{\"a\":1}\n\r\n");
  EXPECT_NE(start.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  held_[0]->send("{}\n");
  held_[0]->end();
  EXPECT_TRUE(run([this] { return received_ == "3\r\n{}\n\r\n0\r\n\r\n"; })) << received_;

  renew();
  ask("GET /tap HTTP/1.1\r\nHost: x\r\n\r\n", "{\"a\":1}\n\r\n");
  bool gone = false;
  held_[1]->on_gone([&] { gone = true; });
  stream_ = std::make_unique<Stream>(loop_, *this);
  EXPECT_TRUE(run([&] { return gone; }));
  held_[1]->send("nobody hears this");
}

TEST_F(HttpServer, gives_up_a_client_that_does_not_take_its_answer) {
  serve({.loop = loop_, .patience = Milliseconds{10'000}});
  bool gone = false;
  size_t waiting = 0;
  answer_ = [&](const ServerRequest&, std::shared_ptr<Responder> responder) {
    responder->on_gone([&] { gone = true; });
    responder->begin(200, "text/plain");
    responder->send(std::string(64 << 20, 'x'));
    waiting = responder->waiting();
    held_.push_back(std::move(responder));
  };
  ASSERT_EQ(connect(address()), "ok");
  stream_->pause();
  say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(run_on([&] { return gone; }));
  EXPECT_GT(waiting, 64U << 20);
  EXPECT_EQ(held_[0]->waiting(), 0U);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServer, gives_up_a_request_that_does_not_end) {
  serve({.loop = loop_, .patience = Milliseconds{10'000}});
  ASSERT_EQ(connect(address()), "ok");
  say("GET / HTTP/1.1\r\nHost:");
  EXPECT_TRUE(run_on([this] { return closed_.has_value(); }));
  EXPECT_EQ(received_.substr(9, 3), "408");
  EXPECT_EQ(wait_closed(), "ok");
}

TEST_F(HttpServer, closes_an_idle_connection_to_take_another) {
  serve({.loop = loop_, .most_connections = 2});
  ask("GET /first HTTP/1.1\r\nHost: x\r\n\r\n", "/first");
  answer_ = [this](const ServerRequest&, std::shared_ptr<Responder> responder) {
    held_.push_back(std::move(responder));
  };
  // Two that are busy: the idle first one has made room, and a fourth is closed.
  for (int i = 0; i < 2; ++i) {
    others_.push_back(std::move(stream_));
    renew();
    ASSERT_EQ(connect(address()), "ok");
    say("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(run([&] { return held_.size() == static_cast<size_t>(i) + 1; }));
    closed_.reset();
  }
  EXPECT_EQ(server_->connections(), 2U);
  others_.push_back(std::move(stream_));
  renew();
  ASSERT_EQ(connect(address()), "ok");
  EXPECT_NE(wait_closed(), "not closed");
  EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(HttpServer, requests_that_are_begun_and_never_come_do_not_keep_others_out) {
  serve({.loop = loop_, .most_connections = 2});
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(connect(address()), "ok");
    say("GET /half HT");
    others_.push_back(std::move(stream_));
    renew();
  }
  ask("GET /whole HTTP/1.1\r\nHost: x\r\n\r\n", "/whole");
}

TEST_F(HttpServer, a_request_that_nobody_answers_is_an_error) {
  answer_ = [](const ServerRequest&, const std::shared_ptr<Responder>&) {};
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "500");
}

TEST_F(HttpServer, listens_on_a_unix_socket_for_owner_and_group) {
  TempDir folder;
  std::string path = folder / "leat.sock";
  for (int i = 0; i < 2; ++i) {  // what a killed process left behind is replaced
    serve({.loop = loop_}, {.host = "", .path = path});
    struct stat info = {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660U);
  }
  ASSERT_EQ(connect({.host = "", .path = path}), "ok");
  ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "for /x");
  listener_.reset();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(ListenerErrors, say_what_is_wrong_with_the_address) {
  HandLoop loop;
  auto none = [](Socket::Ptr) {};
  auto taken = Listener::open(loop, {"127.0.0.1", 0}, none);
  ASSERT_TRUE(taken);
  auto again = Listener::open(loop, {"127.0.0.1", (*taken)->port()}, none);
  EXPECT_EQ(again.error().message(),
            "listen on 127.0.0.1:" + std::to_string((*taken)->port()) + ": address already in use");
  auto name = Listener::open(loop, {"example.com", 1}, none);
  EXPECT_EQ(name.error().message(),
            "listen on example.com:1: \"example.com\" is not an IP address");
  *taken = nullptr;
  EXPECT_TRUE(loop.close());
}

TEST_F(HttpServer, speaks_tls_to_clients_that_trust_it) {
  TempDir folder;
  Authority authority(folder.path(), "ca");
  KeyAndCertificate identity =
      authority.issue({.common_name = "gw", .ipv4_addresses = {"127.0.0.1"}});
  Options server_options{kTlsServerOptions, "admin.tls"};
  server_options.set("cert", identity.certificate);
  server_options.set("key", identity.key);
  auto server_tls = TlsContext::open_server(server_options, "admin");
  ASSERT_TRUE(server_tls) << server_tls.error().message();
  serve({.loop = loop_, .tls = server_tls->get()});

  Options client_options{kTlsOptions, "tls"};
  client_options.set("ca", authority.certificate());
  auto client_tls = TlsContext::open(client_options, "p");
  ASSERT_TRUE(client_tls);
  for (int i = 0; i < 2; ++i) {
    renew();
    ASSERT_EQ(connect(address(), client_tls->get()), "ok");
    EXPECT_TRUE(ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "for /x").starts_with("HTTP/1.1 200"));
    EXPECT_EQ(requests_.size(), static_cast<size_t>(i + 1));
  }
  // One that speaks in clear is let go, and others go on.
  renew();
  ASSERT_EQ(connect(address()), "ok");
  say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_closed();
  EXPECT_EQ(requests_.size(), 2U);
  stream_.reset();
  server_.reset();
}

TEST_F(HttpServer, demands_a_certificate_of_its_clients_where_an_authority_is_given) {
  TempDir folder;
  Authority authority(folder.path(), "ca");
  KeyAndCertificate identity =
      authority.issue({.common_name = "gw", .ipv4_addresses = {"127.0.0.1"}});
  KeyAndCertificate operator_files = authority.issue({.common_name = "operator"});
  Options server_options{kTlsServerOptions, "admin.tls"};
  server_options.set("cert", identity.certificate);
  server_options.set("key", identity.key);
  server_options.set("ca", authority.certificate());
  auto server_tls = TlsContext::open_server(server_options, "admin");
  ASSERT_TRUE(server_tls) << server_tls.error().message();
  serve({.loop = loop_, .tls = server_tls->get()});

  Options options{kTlsOptions, "tls"};
  options.set("ca", authority.certificate());
  auto anonymous = TlsContext::open(options, "p");
  options.set("cert", operator_files.certificate);
  options.set("key", operator_files.key);
  auto known = TlsContext::open(options, "p");
  ASSERT_TRUE(anonymous && known);
  renew();
  // In TLS 1.3 the client is refused after its half of the handshake.
  if (connect(address(), anonymous->get()) == "ok") {
    EXPECT_NE(wait_closed(), "not closed");
  }
  EXPECT_TRUE(requests_.empty());
  renew();
  ASSERT_EQ(connect(address(), known->get()), "ok");
  ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "for /x");
  stream_.reset();
  server_.reset();
}

TEST_F(HttpServer, a_handshake_that_never_ends_is_given_up) {
  TempDir folder;
  Authority authority(folder.path(), "ca");
  KeyAndCertificate identity = authority.issue({.common_name = "gw"});
  Options options{kTlsServerOptions, "admin.tls"};
  options.set("cert", identity.certificate);
  options.set("key", identity.key);
  auto tls = TlsContext::open_server(options, "admin");
  ASSERT_TRUE(tls) << tls.error().message();
  serve({.loop = loop_, .tls = tls->get(), .patience = Milliseconds{50}});
  renew();
  ASSERT_EQ(connect(address()), "ok");
  EXPECT_TRUE(run_on([this] { return closed_.has_value(); }));
  EXPECT_TRUE(run([this] { return server_->connections() == 0; }));
  server_.reset();
}

}  // namespace
}  // namespace leat::testing
