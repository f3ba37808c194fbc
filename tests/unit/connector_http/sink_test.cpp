// The http sink on a real loop, against a server that misbehaves as scripted.
#include "stage/sink.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include "connectors/http/options.h"
#include "loop/handles.h"
#include "net/pki.h"
#include "net/scripted_server.h"
#include "net/tls_server.h"
#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {
extern const SinkType kHttpSink;
}

namespace leat::testing {
namespace {

constexpr std::string_view kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr WriteFormat kFormat{.name = "ndjson",
                              .wire = "ndjson",
                              .media = "application/x-ndjson",
                              .suffix = "ndjson",
                              .help = "",
                              .options_name = "",
                              .options = {},
                              .make_encoder = nullptr};

struct Request {
  std::string head;
  std::string body;

  std::string header(const std::string& name) const {
    size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    at += name.size() + 4;
    return head.substr(at, head.find("\r\n", at) - at);
  }
};

// Takes a whole request from what a peer has received.
std::optional<Request> take_request(Peer& peer) {
  size_t end = peer.received.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  Request request{peer.received.substr(0, end + 2), ""};
  size_t length = std::strtoul(request.header("Content-Length").c_str(), nullptr, 10);
  if (peer.received.size() < end + 4 + length) return std::nullopt;
  request.body = peer.received.substr(end + 4, length);
  peer.received.erase(0, end + 4 + length);
  return request;
}

std::string gunzip(const std::string& bytes) {
  z_stream zlib = {};
  EXPECT_EQ(inflateInit2(&zlib, 15 + 16), Z_OK);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK) {
    char block[4096];
    zlib.next_out = reinterpret_cast<Bytef*>(block);
    zlib.avail_out = sizeof block;
    code = inflate(&zlib, Z_NO_FLUSH);
    out.append(block, sizeof block - zlib.avail_out);
  }
  EXPECT_EQ(code, Z_STREAM_END);
  inflateEnd(&zlib);
  return out;
}

class HttpSinkTest : public ::testing::Test {
 protected:
  HttpSinkTest() {
    std::signal(SIGPIPE, SIG_IGN);
    options_.set("url", url());
    serve([](Peer& peer, const Request&) { peer.say(kNoContent); });
  }

  std::string url() { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/in"; }
  std::string where() { return "POST " + url() + ": "; }

  // What the server does with each request it has read.
  void serve(std::function<void(Peer&, const Request&)> script) {
    server_.on_bytes = [this, script = std::move(script)](Peer& peer) {
      while (std::optional<Request> request = take_request(peer)) {
        requests_.push_back(*request);
        script(peer, *request);
      }
    };
  }
  void serve(std::string answer) {
    serve([answer = std::move(answer)](Peer& peer, const Request&) { peer.say(answer); });
  }

  void start() {
    Status status = harness_.start(kHttpSink, options_);
    ASSERT_TRUE(status) << status.error().message();
  }
  // While time goes on.
  Answer deliver(Milliseconds most) { return harness_.deliver(harness_.slices({"{}\n"}), most); }
  Answer deliver(const std::vector<std::string>& lines = {"{\"a\":1}\n", "{\"a\":2}\n"}) {
    return harness_.deliver(harness_.slices(lines));
  }

  SinkHarness harness_{&kFormat};
  ScriptedServer server_{harness_.loop()};
  Options options_{http::kSinkOptions, "sink"};
  std::vector<Request> requests_;
};

TEST_F(HttpSinkTest, sends_a_delivery_as_one_request) {
  start();
  Delivery delivery = harness_.slices({"{\"a\":1}\n", "{\"a\":2}\n"});
  EXPECT_EQ(harness_.deliver(delivery).outcome, Outcome::kDelivered);
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].body, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(requests_[0].head.substr(0, 19), "POST /in HTTP/1.1\r\n");
  EXPECT_EQ(requests_[0].header("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(requests_[0].header("Idempotency-Key"), "\"" + delivery.key + "\"");
  EXPECT_EQ(requests_[0].header("Host"), "127.0.0.1:" + std::to_string(server_.port()));
  harness_.close();
}

TEST_F(HttpSinkTest, encloses_the_records_as_the_format_wants) {
  harness_.set_wrap({.open = "[", .close = "]", .drop_last = 1});
  start();
  EXPECT_EQ(deliver({"{\"a\":1},", "{\"a\":2},"}).outcome, Outcome::kDelivered);
  EXPECT_EQ(requests_[0].body, "[{\"a\":1},{\"a\":2}]");
}

TEST_F(HttpSinkTest, keeps_its_connection) {
  start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 1U);
  harness_.close();
}

TEST_F(HttpSinkTest, keeps_its_connection_when_the_answer_overtakes_the_end_of_the_write) {
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  serve([](Peer&, const Request&) {});
  Delivery delivery = harness_.slices({"x\n"});
  // From an idle handle, behind which libuv reads before it says that a write is done.
  std::optional<Idle> idle;
  idle.emplace(harness_.loop(), [this, &delivery, &idle] {
    idle.reset();
    harness_.begin(delivery);
    server_.peer(0).say_now(kNoContent);
  });
  idle->start();
  ASSERT_TRUE(
      harness_.wait([this] { return harness_.answer().has_value() && requests_.size() == 2; }));
  EXPECT_EQ(harness_.answer()->outcome, Outcome::kDelivered);
  serve(std::string(kNoContent));
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpSinkTest, makes_a_new_connection_when_the_server_wants_that) {
  serve("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(HttpSinkTest, has_as_many_connections_as_deliveries_under_way) {
  std::vector<Peer*> waiting;
  serve([&waiting](Peer& peer, const Request&) { waiting.push_back(&peer); });
  start();
  Delivery one = harness_.slices({"1\n"});
  Delivery two = harness_.slices({"2\n"});
  int answered = 0;
  for (const Delivery* delivery : {&one, &two})
    harness_.sink().deliver(*delivery, [&answered](Answer answer) {
      EXPECT_EQ(answer.outcome, Outcome::kDelivered);
      ++answered;
    });
  ASSERT_TRUE(harness_.wait([&waiting] { return waiting.size() == 2; }));
  for (Peer* peer : waiting) peer->say(kNoContent);
  ASSERT_TRUE(harness_.wait([&answered] { return answered == 2; }));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(HttpSinkTest, compresses_large_and_small_bodies) {
  options_.set("compression", std::string("gzip"));
  start();
  const size_t before = harness_.budget().used();
  std::vector<std::string> lines;
  std::string all;
  for (int i = 0; i < 20'000; ++i) {
    lines.push_back("{\"seq\":" + std::to_string(i * 7919) + "}\n");
    all += lines.back();
  }
  EXPECT_EQ(deliver(lines).outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver({"x\n"}).outcome, Outcome::kDelivered);
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[0].header("Content-Encoding"), "gzip");
  EXPECT_LT(requests_[0].body.size(), all.size() / 2);
  EXPECT_TRUE(gunzip(requests_[0].body) == all);
  EXPECT_EQ(gunzip(requests_[1].body), "x\n");
  EXPECT_EQ(harness_.budget().used(), before) << "compressed bodies are still charged";
  harness_.close();
  EXPECT_EQ(harness_.budget().used(), 0U);
}

TEST_F(HttpSinkTest, compresses_one_after_another_what_is_delivered_at_once) {
  options_.set("compression", std::string("gzip"));
  start();
  Delivery one = harness_.slices({std::string(300'000, '1') + "\n"});
  Delivery two = harness_.slices({std::string(300'000, '2') + "\n"});
  int answered = 0;
  for (const Delivery* delivery : {&one, &two})
    harness_.sink().deliver(*delivery, [&answered](Answer) { ++answered; });
  ASSERT_TRUE(harness_.wait([&answered] { return answered == 2; }));
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_TRUE(gunzip(requests_[0].body) == std::string(300'000, '1') + "\n");
  EXPECT_TRUE(gunzip(requests_[1].body) == std::string(300'000, '2') + "\n");
}

TEST_F(HttpSinkTest, answers_by_status) {
  struct Case {
    std::string answer;
    Outcome outcome;
    std::string reason;
    Milliseconds after{0};
  };
  const std::vector<Case> cases = {
      {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy",
       Outcome::kRetry, "503 Service Unavailable: busy", Milliseconds{3000}},
      {"HTTP/1.1 429 Slow\r\nRetry-After: Thu, 09 Oct 2025 08:53:25 GMT\r\nContent-Length: "
       "0\r\n\r\n",
       Outcome::kRetry, "429 Slow", Milliseconds{5000}},
      {"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", Outcome::kRejected, "413 Too Large"},
      {"HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad", Outcome::kRejected, "400 Bad: bad"},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Outcome::kRetry,
       "404 Not Found (check \"url\")"},
  };
  start();
  for (const Case& c : cases) {
    serve(c.answer);
    Answer answer = deliver();
    EXPECT_EQ(answer.outcome, c.outcome) << c.answer;
    EXPECT_EQ(answer.reason, where() + c.reason);
    EXPECT_EQ(answer.retry_after, c.after) << c.answer;
  }
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(HttpSinkTest, retries_when_nobody_listens) {
  options_.set("url", std::string("http://127.0.0.1:1/in"));
  start();
  Answer answer = deliver();
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, "POST http://127.0.0.1:1/in: connect 127.0.0.1:1: connection refused");
}

TEST_F(HttpSinkTest, retries_when_the_server_never_answers) {
  options_.set("timeout", int64_t{50});
  serve([](Peer&, const Request&) {});
  start();
  Answer answer = deliver(Milliseconds{100});
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, where() + "no complete answer within 50ms");
  EXPECT_TRUE(harness_.wait([this] { return server_.peer(0).ended; })) << "kept the connection";
}

TEST_F(HttpSinkTest, retries_when_the_answer_dribbles_too_long) {
  options_.set("timeout", int64_t{50});
  serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow");
  start();
  EXPECT_EQ(deliver(Milliseconds{100}).reason, where() + "no complete answer within 50ms");
}

TEST_F(HttpSinkTest, retries_when_the_server_closes_in_the_middle) {
  start();
  serve([](Peer& peer, const Request&) { peer.hang_up(); });
  EXPECT_EQ(deliver().reason,
            where() + "the connection was closed without an answer, nor is OPTIONS answered");
  serve([](Peer& peer, const Request&) {
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.hang_up();
  });
  Answer answer = deliver();
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason, where() +
                               "the connection was closed in the middle of the answer, nor "
                               "is OPTIONS answered");
}

bool is_probe(const Request& request) {
  return request.head.rfind("OPTIONS /in HTTP/1.1\r\n", 0) == 0;
}

TEST_F(HttpSinkTest, a_body_at_which_a_server_breaks_off_that_answers_a_probe_is_suspicious) {
  options_.set("compression", std::string("gzip"));
  start();
  for (std::string_view half : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"})
    for (std::string_view status : {"204 No Content", "404 Not Found", "501 Not Implemented"}) {
      serve([half, status](Peer& peer, const Request& request) {
        if (is_probe(request))
          return peer.say("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n");
        peer.say(half);
        peer.hang_up();
      });
      Answer answer = deliver();
      EXPECT_EQ(answer.outcome, Outcome::kCutOff) << status;
      EXPECT_EQ(answer.reason,
                where() + (half.empty() ? "the connection was closed without an answer"
                                        : "the connection was closed in the middle of the "
                                          "answer"));
    }
  EXPECT_EQ(requests_.back().header("Content-Type"), "");
  EXPECT_EQ(requests_.back().header("Content-Encoding"), "");
  EXPECT_EQ(requests_.back().header("Idempotency-Key"), "");
}

TEST_F(HttpSinkTest, a_reset_before_the_body_was_read_is_suspicious_too) {
  server_.on_bytes = [](Peer& peer) {
    if (peer.received.rfind("OPTIONS", 0) == 0) return peer.say(kNoContent);
    peer.reset();
  };
  start();
  EXPECT_EQ(deliver({std::string(16 << 20, 'x') + "\n"}).outcome, Outcome::kCutOff);
}

// A tunnel or a balancer takes connections for a server that is dead.
TEST_F(HttpSinkTest, where_the_probe_is_cut_off_or_answered_by_a_proxy_it_is_an_outage) {
  start();
  serve([](Peer& peer, const Request&) { peer.reset(); });
  Answer answer = deliver();
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_NE(answer.reason.find("nor is OPTIONS answered"), std::string::npos) << answer.reason;
  for (std::string_view status : {"502 Bad Gateway", "503 Unavailable", "504 Timeout"}) {
    serve([status](Peer& peer, const Request& request) {
      if (!is_probe(request)) return peer.hang_up();
      peer.say("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_EQ(deliver().outcome, Outcome::kRetry) << status;
  }
}

TEST_F(HttpSinkTest, what_was_no_cut_is_not_probed) {
  options_.set("timeout", int64_t{50});
  start();
  serve([](Peer&, const Request&) {});
  EXPECT_EQ(deliver(Milliseconds{100}).outcome, Outcome::kRetry);
  serve("220 ready\r\n");
  EXPECT_EQ(deliver().outcome, Outcome::kRetry);
  EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(HttpSinkTest, may_be_closed_or_destroyed_while_it_probes) {
  serve([](Peer& peer, const Request& request) {
    if (!is_probe(request)) peer.hang_up();
  });
  Delivery delivery = harness_.slices({"x\n"});
  for (bool closed : {true, false}) {
    start();
    requests_.clear();
    harness_.begin(delivery);
    ASSERT_TRUE(harness_.wait([this] { return requests_.size() == 2; }));
    closed ? harness_.close() : harness_.kill();
    EXPECT_FALSE(harness_.answer());
  }
}

TEST_F(HttpSinkTest, retries_when_the_answer_is_garbage) {
  serve("220 ready\r\n");
  start();
  Answer answer = deliver();
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(answer.reason.find(where() + "the answer is not HTTP"), 0U) << answer.reason;
}

TEST_F(HttpSinkTest, takes_the_status_when_the_body_does_not_end) {
  serve([](Peer& peer, const Request&) {
    peer.say("HTTP/1.1 200 OK\r\n\r\n" + std::string(3 << 20, 'x'));
  });
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(HttpSinkTest, hears_an_answer_that_comes_before_the_request_was_read) {
  server_.on_bytes = [](Peer& peer) {
    peer.stop_reading();
    peer.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    peer.hang_up();
  };
  start();
  Answer answer = deliver({std::string(16 << 20, 'x') + "\n"});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.reason, where() + "413 Content Too Large");
}

TEST_F(HttpSinkTest, sends_again_at_once_when_a_kept_connection_turns_out_to_be_closed) {
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  // Closes instead of answering the second request on the first connection.
  serve([this](Peer& peer, const Request&) {
    if (&peer == &server_.peer(0)) return peer.hang_up();
    peer.say(kNoContent);
  });
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 2U);
  ASSERT_EQ(requests_.size(), 3U);
  EXPECT_EQ(requests_[1].header("Idempotency-Key"), requests_[2].header("Idempotency-Key"));
  EXPECT_EQ(requests_[1].body, requests_[2].body);
}

TEST_F(HttpSinkTest, sends_again_only_once) {
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  serve([](Peer& peer, const Request&) { peer.hang_up(); });
  EXPECT_EQ(deliver().outcome, Outcome::kRetry);
  EXPECT_EQ(server_.connections(), 3U);  // with the probe's
}

TEST_F(HttpSinkTest, forgets_a_kept_connection_that_the_server_closes) {
  start();
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  server_.peer(0).say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(harness_.wait([this] { return server_.peer(0).ended; }));
  EXPECT_EQ(deliver().outcome, Outcome::kDelivered);
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(HttpSinkTest, may_be_closed_or_destroyed_with_deliveries_under_way) {
  options_.set("compression", std::string("gzip"));
  serve([](Peer&, const Request&) {});
  start();
  Delivery compressing = harness_.slices({std::string(1 << 20, 'x') + "\n"});
  Delivery connecting = harness_.slices({"x\n"});
  harness_.begin(connecting);
  ASSERT_TRUE(harness_.wait([this] { return requests_.size() == 1; }));
  harness_.begin(compressing);
  harness_.close();
  EXPECT_FALSE(harness_.answer());

  start();
  harness_.begin(connecting);
  harness_.kill();
  EXPECT_FALSE(harness_.answer());
}

TEST_F(HttpSinkTest, may_be_destroyed_when_it_answers) {
  start();
  Delivery delivery = harness_.slices({"x\n"});
  bool answered = false;
  harness_.sink().deliver(delivery, [this, &answered](Answer) {
    harness_.kill();
    answered = true;
  });
  EXPECT_TRUE(harness_.wait([&answered] { return answered; }));
}

TEST_F(HttpSinkTest, delivers_over_tls) {
  TempDir folder;
  Authority authority(folder.path(), "ca");
  const std::string line = std::string(300'000, 'x') + "\n";
  TlsServer tls_server(
      {.identity = authority.issue({.common_name = "t", .ipv4_addresses = {"127.0.0.1"}}),
       .script = [&line](TlsPeer& peer) {
         std::string received;
         while (received.size() < line.size()) {
           std::string bytes = peer.read();
           if (bytes.empty()) return;
           received += bytes;
           if (received.size() < line.size() || received.back() != '\n') continue;
           peer.write(std::string(kNoContent));
           received.clear();
         }
       }});
  auto tls = std::make_shared<Options>(kTlsOptions, "sink.tls");
  tls->set("ca", authority.certificate());
  options_.set("tls", tls);
  options_.set("url", "https://127.0.0.1:" + std::to_string(tls_server.port()) + "/");
  start();
  EXPECT_EQ(deliver({line}).outcome, Outcome::kDelivered);
  EXPECT_EQ(deliver({line}).outcome, Outcome::kDelivered);
  EXPECT_EQ(tls_server.handshakes(), 1);
  harness_.close();
}

TEST_F(HttpSinkTest, does_not_open_with_a_certificate_that_cannot_be_read) {
  auto tls = std::make_shared<Options>(kTlsOptions, "sink.tls");
  tls->set("ca", std::string("/nonexistent/ca.pem"));
  options_.set("tls", tls);
  options_.set("url", std::string("https://127.0.0.1/"));
  Status status = harness_.start(kHttpSink, options_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::kUsage);
  EXPECT_EQ(status.error().message(),
            "sink.tls.ca: open /nonexistent/ca.pem: no such file or directory");
}

}  // namespace
}  // namespace leat::testing
