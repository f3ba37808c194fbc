#include <gtest/gtest.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>

#include <algorithm>

#include "net/pki.h"
#include "net/scripted_server.h"
#include "net/stream_fixture.h"
#include "net/tls_server.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

enum class Version { kTls12, kTls13 };

class TlsStream : public StreamTest, public ::testing::WithParamInterface<Version> {
 protected:
  ~TlsStream() override {
    // The server's thread ends when the connection does.
    stream_.reset();
    server_.reset();
    plain_server_.reset();
    tls_.reset();
  }

  void serve(const CertificateRequest& request, TlsServerConfig config = {}) {
    config.identity = authority_.issue(request);
    config.tls13 = GetParam() == Version::kTls13;
    certificate_ = config.identity.certificate;
    server_ = std::make_unique<TlsServer>(std::move(config));
  }
  void serve_localhost(TlsServerConfig config = {}) {
    serve({.common_name = "test", .dns_names = {"localhost"}, .ipv4_addresses = {"127.0.0.1"}},
          std::move(config));
  }

  TlsContext* tls() {
    if (tls_) return tls_.get();
    if (!options_.has("ca")) options_.set("ca", authority_.certificate());
    auto context = TlsContext::open(options_, "line-1");
    if (!context) {
      ADD_FAILURE() << context.error().message();
      std::abort();
    }
    tls_ = std::move(*context);
    return tls_.get();
  }
  void identify_with(const KeyAndCertificate& files) {
    options_.set("cert", files.certificate);
    options_.set("key", files.key);
  }

  std::string connect_to(const std::string& host) {
    return connect({host, server_->port()}, tls());
  }
  // What stands behind "connect host:port: TLS: ", or behind "TLS: " when the server of TLS 1.3
  // says it after the handshake.
  std::string problem_with(const std::string& host) {
    std::string message = connect_to(host);
    std::string start = "connect " + host + ":" + std::to_string(server_->port()) + ": TLS: ";
    if (message == "ok" && GetParam() == Version::kTls13) {
      message = wait_closed();
      start = "TLS: ";
    }
    EXPECT_EQ(message.substr(0, start.size()), start);
    return message.substr(std::min(start.size(), message.size()));
  }

  // The server of these tests sends what it has to say about a client of TLS 1.3 with the keys of
  // the handshake, when it should not any more. (Those of the black-box tests do as they should.)
  void expect_refused(const std::string& words) {
    std::string problem = problem_with("localhost");
    if (GetParam() == Version::kTls13) {
      EXPECT_EQ(problem, "what the server sent cannot be decrypted");
    } else {
      EXPECT_NE(problem.find(words), std::string::npos) << problem;
    }
  }

  TempDir folder_;
  Authority authority_{folder_.path(), "ca"};
  Options options_{kTlsOptions, "sink.tls"};
  std::string certificate_;
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<ScriptedServer> plain_server_;
  std::unique_ptr<TlsContext> tls_;
};

TEST_P(TlsStream, carries_bytes_both_ways) {
  serve_localhost();
  ASSERT_EQ(connect_to("localhost"), "ok");
  const std::vector<std::string> pieces = {"he", "", "llo"};
  write(pieces);
  EXPECT_TRUE(run([this] { return received_ == "hello" && written_ == 1; }));
}

TEST_P(TlsStream, trusts_a_certificate_for_an_ip_address) {
  serve({.common_name = "test", .ipv4_addresses = {"10.0.0.1", "127.0.0.1"}});
  EXPECT_EQ(connect_to("127.0.0.1"), "ok");
}

TEST_P(TlsStream, refuses_a_certificate_for_another_ip_address) {
  serve({.common_name = "127.0.0.1", .dns_names = {"127.0.0.1"}, .ipv4_addresses = {"127.0.0.2"}});
  EXPECT_EQ(problem_with("127.0.0.1"),
            "the server's certificate is for another host name than \"127.0.0.1\"");
}

TEST_P(TlsStream, refuses_a_certificate_for_another_name) {
  serve({.common_name = "test", .dns_names = {"elsewhere.example"}});
  EXPECT_EQ(problem_with("localhost"),
            "the server's certificate is for another host name than \"localhost\"");
}

TEST_P(TlsStream, expects_the_server_name_of_the_options) {
  options_.set("serverName", std::string("elsewhere.example"));
  serve({.common_name = "test", .dns_names = {"elsewhere.example"}});
  EXPECT_EQ(connect_to("127.0.0.1"), "ok");
}

TEST_P(TlsStream, refuses_a_certificate_of_an_unknown_authority) {
  Authority other(folder_.path(), "other");
  options_.set("ca", other.certificate());
  serve_localhost();
  EXPECT_EQ(problem_with("localhost"), "the server's certificate is from an unknown authority");
}

TEST_P(TlsStream, refuses_certificates_out_of_date) {
  serve({.common_name = "test", .dns_names = {"localhost"}, .not_after = "20210101000000"});
  EXPECT_EQ(problem_with("localhost"),
            "the server's certificate has expired (or the clock of this machine is wrong)");
  renew();
  serve({.common_name = "test", .dns_names = {"localhost"}, .not_before = "20980101000000"});
  EXPECT_EQ(problem_with("localhost"),
            "the server's certificate is not valid yet (or the clock of this machine is wrong)");
}

TEST_P(TlsStream, takes_any_certificate_when_told_not_to_verify) {
  options_.set("verify", false);
  serve({.common_name = "test", .dns_names = {"elsewhere.example"}, .not_after = "20210101000000"});
  EXPECT_EQ(connect_to("127.0.0.1"), "ok");
}

TEST_P(TlsStream, shows_its_client_certificate) {
  identify_with(authority_.issue({.common_name = "gw-042"}));
  serve_localhost({.client_authority = authority_.certificate()});
  EXPECT_EQ(connect_to("localhost"), "ok");
}

TEST_P(TlsStream, says_that_a_client_certificate_is_needed_or_refused) {
  serve_localhost({.client_authority = authority_.certificate()});
  expect_refused("demands a client certificate");

  renew();
  tls_.reset();
  Authority other(folder_.path(), "other");
  identify_with(other.issue({.common_name = "gw-042"}));
  expect_refused("refused the client certificate");
}

TEST_P(TlsStream, carries_much_in_large_and_small_pieces_to_a_slow_reader) {
  serve_localhost();
  ASSERT_EQ(connect_to("localhost"), "ok");
  std::vector<std::string> pieces;
  std::string all;
  for (size_t size : {1, 100, 5000, 4095, 4096, 16384, 16385, 70000, 1 << 20, 0, 3}) {
    pieces.push_back(pattern(size));
    all += pieces.back();
  }
  for (int i = 0; i < 1000; ++i) {
    pieces.push_back(std::to_string(i) + ",");
    all += pieces.back();
  }
  // The reader rests after each piece: what was decrypted ahead must not be lost.
  when_data_ = [this] {
    stream_->pause();
    stream_->resume();
  };
  write(pieces);
  write(pieces);
  EXPECT_TRUE(run([this, &all] { return received_.size() == 2 * all.size() && written_ == 2; }));
  EXPECT_TRUE(received_ == all + all);
}

TEST_P(TlsStream, hears_nothing_while_paused) {
  serve_localhost();
  ASSERT_EQ(connect_to("localhost"), "ok");
  stream_->pause();
  const std::vector<std::string> pieces = {pattern(100'000)};
  write(pieces);
  ASSERT_TRUE(run([this] { return written_ == 1; }));
  EXPECT_EQ(received_, "");
  stream_->resume();
  EXPECT_TRUE(run([this, &pieces] { return received_ == pieces[0]; }));
}

TEST_P(TlsStream, offers_the_session_of_the_connection_before) {
  serve_localhost();
  const std::vector<std::string> pieces = {"ping"};
  for (int connection = 0; connection < 3; ++connection) {
    if (connection > 0) renew();
    ASSERT_EQ(connect_to("localhost"), "ok");
    // In TLS 1.3 what the next one needs comes after the handshake.
    write(pieces);
    ASSERT_TRUE(run([this] { return received_ == "ping"; }));
    EXPECT_EQ(server_->resumed(), connection);
  }
}

TEST_P(TlsStream, a_session_that_the_server_does_not_know_any_more_costs_a_handshake_only) {
  serve_localhost();
  ASSERT_EQ(connect_to("localhost"), "ok");
  const std::vector<std::string> pieces = {"ping"};
  write(pieces);
  ASSERT_TRUE(run([this] { return received_ == "ping"; }));
  renew();
  server_.reset();
  serve_localhost();
  EXPECT_EQ(connect_to("localhost"), "ok");
  EXPECT_EQ(server_->resumed(), 0);
}

TEST_P(TlsStream, shows_a_renewed_client_certificate_on_new_connections) {
  Authority other(folder_.path(), "other");
  KeyAndCertificate mine = other.issue({.common_name = "gw-042"});
  identify_with(mine);
  serve_localhost({.client_authority = authority_.certificate()});
  expect_refused("refused the client certificate");

  KeyAndCertificate renewed = authority_.issue({.common_name = "gw-042"});
  // Halfway the key is not that of the certificate: what was read before serves on.
  std::filesystem::rename(renewed.certificate, mine.certificate);
  renew();
  expect_refused("refused the client certificate");
  std::filesystem::rename(renewed.key, mine.key);
  renew();
  EXPECT_EQ(connect_to("localhost"), "ok");
  const std::vector<std::string> pieces = {"ping"};
  write(pieces);
  EXPECT_TRUE(run([this] { return received_ == "ping"; }));
}

TEST_P(TlsStream, trusts_a_renewed_authority_on_new_connections_and_not_the_old_one) {
  Authority other(folder_.path(), "other");
  const std::string trusted = folder_ / "trusted.pem";
  std::filesystem::copy_file(other.certificate(), trusted);
  options_.set("ca", trusted);
  serve_localhost();
  EXPECT_EQ(problem_with("localhost"), "the server's certificate is from an unknown authority");
  std::filesystem::copy_file(authority_.certificate(), folder_ / "new.pem");
  std::filesystem::rename(folder_ / "new.pem", trusted);
  renew();
  EXPECT_EQ(connect_to("localhost"), "ok");
  std::filesystem::remove(trusted);
  renew();
  EXPECT_EQ(connect_to("localhost"), "ok") << "what was read before serves on";
}

TEST_P(TlsStream, goes_over_to_tls_on_an_open_connection) {
  serve_localhost({.plain_prelude = "STARTTLS"});
  ASSERT_EQ(connect({"127.0.0.1", server_->port()}), "ok");
  const std::vector<std::string> request = {"STARTTLS"};
  when_data_ = [this] {
    when_data_ = nullptr;
    connected_.reset();
    stream_->start_tls(*tls(), "localhost", Milliseconds{10'000});
  };
  write(request);
  ASSERT_TRUE(run([this] { return received_ == "S"; }));
  ASSERT_EQ(wait_connected(), "ok");
  received_.clear();
  const std::vector<std::string> pieces = {"secret"};
  write(pieces);
  EXPECT_TRUE(run([this] { return received_ == "secret"; }));
}

TEST_P(TlsStream, knows_the_channel_binding_of_the_server) {
  serve_localhost();
  ASSERT_EQ(connect_to("localhost"), "ok");
  mbedtls_x509_crt certificate;
  mbedtls_x509_crt_init(&certificate);
  ASSERT_EQ(mbedtls_x509_crt_parse_file(&certificate, certificate_.c_str()), 0);
  unsigned char hash[32];
  ASSERT_EQ(mbedtls_sha256(certificate.raw.p, certificate.raw.len, hash, 0), 0);
  mbedtls_x509_crt_free(&certificate);
  EXPECT_EQ(stream_->server_end_point(), std::string(reinterpret_cast<char*>(hash), 32));
}

TEST_P(TlsStream, tells_an_orderly_end) {
  serve_localhost({.script = [](TlsPeer& peer) { peer.write("bye"); }});
  ASSERT_EQ(connect_to("localhost"), "ok");
  EXPECT_EQ(wait_closed(), "ok");
  EXPECT_EQ(received_, "bye");
}

TEST_P(TlsStream, says_that_the_peer_does_not_speak_tls) {
  plain_server_ = std::make_unique<ScriptedServer>(loop_);
  plain_server_->on_connect = [](Peer& peer) { peer.say("220 mail.example ESMTP ready\r\n"); };
  Address address{"127.0.0.1", plain_server_->port()};
  EXPECT_EQ(connect(address, tls()),
            "connect " + address.text() + ": TLS: what the server sent is not TLS");
}

TEST_P(TlsStream, gives_up_a_handshake_that_ends_or_stalls) {
  plain_server_ = std::make_unique<ScriptedServer>(loop_);
  Address address{"127.0.0.1", plain_server_->port()};
  plain_server_->on_bytes = [](Peer& peer) { peer.hang_up(); };
  EXPECT_EQ(connect(address, tls()),
            "connect " + address.text() + ": TLS: closed by the server during the handshake");
  renew();
  plain_server_->on_bytes = nullptr;
  EXPECT_EQ(connect_in_vain(address, tls()),
            "connect " + address.text() + ": no TLS handshake in time");
}

TEST_P(TlsStream, may_be_destroyed_in_its_callbacks_and_with_a_write_under_way) {
  serve_localhost();
  when_connected_ = [this] { stream_.reset(); };
  EXPECT_EQ(connect_to("localhost"), "ok");

  renew();
  when_connected_ = nullptr;
  ASSERT_EQ(connect_to("localhost"), "ok");
  const std::vector<std::string> pieces = {pattern(4 << 20)};
  when_data_ = [this] { stream_.reset(); };
  write(pieces);
  EXPECT_TRUE(run([this] { return !stream_; }));
  EXPECT_EQ(written_, 0);
}

INSTANTIATE_TEST_SUITE_P(Of, TlsStream, ::testing::Values(Version::kTls12, Version::kTls13),
                         [](const auto& instance) {
                           return instance.param == Version::kTls12 ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace leat::testing
