#include "net/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "loop/handles.h"
#include "net/listener.h"
#include "net/meter.h"
#include "net/scripted_server.h"
#include "net/stream_fixture.h"
#include "support/temp_dir.h"

namespace leat::testing {
namespace {

class PlainStream : public StreamTest {
 protected:
  PlainStream() { server_.emplace(loop_); }
  ~PlainStream() override {
    // Here and not in the base: the base's destructor runs the loop to its end.
    stream_.reset();
    server_.reset();
  }

  Address address() { return {"127.0.0.1", server_->port()}; }
  Peer& peer() { return server_->peer(0); }
  void connect_both() {
    ASSERT_EQ(connect(address()), "ok");
    ASSERT_TRUE(run([this] { return server_->connections() == 1; }));
  }

  TempDir folder_;
  std::optional<ScriptedServer> server_;
};

TEST(Address, is_shown_as_people_write_it) {
  EXPECT_EQ((Address{"collector.example", 443}).text(), "collector.example:443");
  EXPECT_EQ((Address{"::1", 80}).text(), "[::1]:80");
  EXPECT_EQ((Address{"", 0, "/run/x.sock"}).text(), "/run/x.sock");
}

TEST_F(PlainStream, the_bytes_of_both_ways_are_counted_on_the_interfaces_that_count) {
  Meter& meter = Meter::of_process();
  connect_both();
  auto talk = [this] {
    const size_t heard = peer().received.size();
    write({"hello"});
    ASSERT_TRUE(run([&] { return peer().received.size() == heard + 5; }));
    const size_t got = received_.size();
    peer().say("good day");
    ASSERT_TRUE(run([&] { return received_.size() == got + 8; }));
  };
  const uint64_t before = meter.total();
  talk();
  EXPECT_EQ(meter.total(), before) << "nobody has asked";
  int reached = 0;
  meter.start({}, [&reached] { ++reached; });
  talk();
  EXPECT_EQ(meter.total(), before) << "what stays on this machine costs nothing";
  meter.start({"no-such-interface", "lo"}, [&reached] { ++reached; });
  meter.call_at(before + 13);
  talk();
  EXPECT_EQ(meter.total(), before + 13);
  EXPECT_EQ(reached, 1);
  meter.stop();
  talk();
  EXPECT_EQ(meter.total(), before + 13);
}

TEST_F(PlainStream, carries_bytes_both_ways) {
  connect_both();
  server_->on_bytes = [](Peer& p) {
    if (p.received == "hello") p.say("good day");
  };
  std::vector<std::string> pieces = {"he", "", "llo"};
  write(pieces);
  EXPECT_TRUE(run([this] { return received_ == "good day"; }));
  EXPECT_EQ(written_, 1);
}

TEST_F(PlainStream, finds_a_host_by_name_at_one_of_its_addresses) {
  // localhost is often ::1 too, where nobody listens.
  EXPECT_EQ(connect({"localhost", server_->port()}), "ok");
}

TEST_F(PlainStream, speaks_over_a_unix_socket) {
  server_.emplace(loop_, folder_ / "peer.sock");
  ASSERT_EQ(connect({"", 0, folder_ / "peer.sock"}), "ok");
  std::vector<std::string> pieces = {"over the pipe"};
  write(pieces);
  EXPECT_TRUE(run([this] { return server_->connections() == 1 && !peer().received.empty(); }));
  EXPECT_EQ(peer().received, "over the pipe");
}

TEST_F(PlainStream, says_where_nobody_listens) {
  uint16_t port = server_->port();
  server_.reset();
  std::string name = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(connect({"127.0.0.1", port}), "connect " + name + ": connection refused");
}

TEST_F(PlainStream, says_that_a_unix_socket_is_not_there) {
  std::string path = folder_ / "nobody.sock";
  EXPECT_EQ(connect({"", 0, path}), "connect " + path + ": no such file or directory");
}

TEST_F(PlainStream, refuses_a_socket_path_that_would_be_cut_short) {
  std::string path = folder_ / std::string(200, 'x');
  EXPECT_EQ(connect({"", 0, path}), "connect " + path + ": name too long");
}

TEST_F(PlainStream, reaches_a_socket_whose_folder_has_a_long_path) {
  std::string deep = folder_ / std::string(120, 'd');
  ASSERT_EQ(mkdir(deep.c_str(), 0700), 0);
  bool accepted = false;
  auto listener = Listener::open(loop_, {.host = "", .path = deep + "/leat.sock"},
                                 [&](Socket::Ptr) { accepted = true; });
  ASSERT_TRUE(listener) << listener.error().message();
  EXPECT_EQ(connect({"", 0, deep + "/leat.sock"}), "ok");
  EXPECT_TRUE(run([&] { return accepted; }));
}

TEST_F(PlainStream, gives_up_an_address_that_does_not_answer) {
  // A listener whose queue is full: Linux then drops what asks for a connection.
  int full = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in bound = {};
  bound.sin_family = AF_INET;
  bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof bound;
  ASSERT_EQ(bind(full, reinterpret_cast<sockaddr*>(&bound), size), 0);
  ASSERT_EQ(listen(full, 0), 0);
  ASSERT_EQ(getsockname(full, reinterpret_cast<sockaddr*>(&bound), &size), 0);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)::connect(waiting.back(), reinterpret_cast<sockaddr*>(&bound), size);
  }
  uint16_t port = ntohs(bound.sin_port);
  EXPECT_EQ(connect_in_vain({"127.0.0.1", port}),
            "connect 127.0.0.1:" + std::to_string(port) + ": connection timed out");
  for (int fd : waiting) close(fd);
  close(full);
}

TEST_F(PlainStream, is_done_with_a_large_write_only_when_the_peer_takes_it) {
  connect_both();
  peer().stop_reading();
  const std::vector<std::string> pieces = {pattern(8 << 20), "end"};
  write(pieces);
  bool turned = false;
  Timer turn(loop_);
  turn.start(Milliseconds{0}, [&turned] { turned = true; });
  ASSERT_TRUE(run([&turned] { return turned; }));
  EXPECT_EQ(written_, 0);
  peer().read_on();
  ASSERT_TRUE(run([this] { return written_ == 1; }));
  ASSERT_TRUE(run(
      [this, &pieces] { return peer().received.size() == pieces[0].size() + pieces[1].size(); }));
  EXPECT_TRUE(peer().received == pieces[0] + pieces[1]);
}

TEST_F(PlainStream, hears_nothing_while_paused) {
  connect_both();
  stream_->pause();
  peer().say("something");
  std::vector<std::string> pieces = {"round trip"};
  write(pieces);
  ASSERT_TRUE(run([this] { return peer().received == "round trip"; }));
  EXPECT_EQ(received_, "");
  stream_->resume();
  EXPECT_TRUE(run([this] { return received_ == "something"; }));
}

TEST_F(PlainStream, tells_an_orderly_end_from_a_reset) {
  connect_both();
  peer().hang_up();
  EXPECT_EQ(wait_closed(), "ok");

  renew();
  ASSERT_EQ(connect(address()), "ok");
  ASSERT_TRUE(run([this] { return server_->connections() == 2; }));
  server_->peer(1).reset();
  EXPECT_EQ(wait_closed(), "read: connection reset by peer");
}

TEST_F(PlainStream, hears_what_a_peer_says_before_it_refuses_to_read_on) {
  connect_both();
  server_->on_bytes = [](Peer& p) {
    p.stop_reading();
    p.say("too large");
    p.hang_up();  // with bytes unread, which resets the connection
  };
  const std::vector<std::string> pieces = {pattern(16 << 20)};
  write(pieces);
  EXPECT_NE(wait_closed(), "not closed");
  EXPECT_EQ(received_, "too large");
  EXPECT_EQ(written_, 0);
}

TEST_F(PlainStream, may_be_destroyed_in_each_of_its_callbacks) {
  when_connected_ = [this] { stream_.reset(); };
  EXPECT_EQ(connect(address()), "ok");

  renew();
  when_connected_ = nullptr;
  when_data_ = [this] { stream_.reset(); };
  server_->on_connect = [](Peer& p) { p.say("bytes"); };
  ASSERT_EQ(connect(address()), "ok");
  EXPECT_TRUE(run([this] { return received_ == "bytes"; }));

  renew();
  when_data_ = nullptr;
  when_closed_ = [this] { stream_.reset(); };
  server_->on_connect = [](Peer& p) { p.hang_up(); };
  ASSERT_EQ(connect(address()), "ok");
  EXPECT_EQ(wait_closed(), "ok");

  renew();
  server_->on_connect = nullptr;
  ASSERT_EQ(connect(address()), "ok");
  static char byte = 'x';
  uv_buf_t buffer = uv_buf_init(&byte, 1);
  stream_->write({&buffer, 1}, [this] { stream_.reset(); });
  EXPECT_TRUE(run([this] { return !stream_; }));
}

TEST_F(PlainStream, may_be_destroyed_with_a_write_under_way) {
  connect_both();
  peer().stop_reading();
  const std::vector<std::string> pieces = {pattern(8 << 20)};
  write(pieces);
  stream_.reset();
  ASSERT_TRUE(run([this] { return !server_->peer(0).ended; }));
  EXPECT_EQ(written_, 0);
}

TEST_F(PlainStream, may_be_destroyed_while_it_connects) {
  stream_->connect(address(), Milliseconds{10'000});
  renew();
  stream_->connect({"localhost", server_->port()}, Milliseconds{10'000});
  stream_.reset();
  EXPECT_FALSE(connected_);
}

}  // namespace
}  // namespace leat::testing
