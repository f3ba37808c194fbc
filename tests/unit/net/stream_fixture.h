// A loop, and a Stream on it that notes what it is told. Fixtures built on it destroy the Stream,
// and their peers on the same loop, in their own destructors: this one runs the loop to its end.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/stream.h"
#include "support/hand_loop.h"

namespace leat::testing {

class StreamTest : public ::testing::Test, public StreamListener {
 protected:
  StreamTest() {
    std::signal(SIGPIPE, SIG_IGN);
    stream_ = std::make_unique<Stream>(loop_, *this);
  }
  ~StreamTest() override {
    stream_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  void on_connected(Status status) override {
    ASSERT_TRUE(stream_) << "called after destruction";
    connected_ = std::move(status);
    if (when_connected_) when_connected_();
  }
  void on_data(std::span<const char> bytes) override {
    ASSERT_TRUE(stream_) << "called after destruction";
    received_.append(bytes.data(), bytes.size());
    if (when_data_) when_data_();
  }
  void on_closed(Status status) override {
    ASSERT_TRUE(stream_) << "called after destruction";
    ASSERT_FALSE(closed_) << "called twice";
    closed_ = std::move(status);
    if (when_closed_) when_closed_();
  }

  // A second connection from the same test.
  void renew() {
    stream_ = std::make_unique<Stream>(loop_, *this);
    connected_.reset();
    closed_.reset();
    received_.clear();
  }

  // The end of the handshake or its error message.
  std::string connect(const Address& address, TlsContext* tls = nullptr) {
    stream_->connect(address, Milliseconds{10'000}, tls);
    return wait_connected();
  }
  // The same, and time goes on meanwhile.
  std::string connect_in_vain(const Address& address, TlsContext* tls = nullptr) {
    stream_->connect(address, Milliseconds{10'000}, tls);
    run_on([this] { return connected_.has_value(); });
    return wait_connected();
  }
  std::string wait_connected() {
    if (!run([this] { return connected_.has_value(); })) return "no answer";
    return *connected_ ? "ok" : connected_->error().message();
  }
  std::string wait_closed() {
    if (!run([this] { return closed_.has_value(); })) return "not closed";
    return *closed_ ? "ok" : closed_->error().message();
  }
  // The bytes must live until the write is done.
  void write(const std::vector<std::string>& pieces) {
    std::vector<uv_buf_t> buffers;
    for (const std::string& piece : pieces)
      buffers.push_back(
          uv_buf_init(const_cast<char*>(piece.data()), static_cast<unsigned>(piece.size())));
    stream_->write(buffers, [this] { ++written_; });
  }
  // No time passes, but for what happens on the network.
  bool run(const std::function<bool()>& condition) { return run_until(loop_, condition); }
  // Time goes on: for what happens after a while.
  bool run_on(const std::function<bool()>& condition) {
    return run_until(loop_, condition, Milliseconds{20'000});
  }

  HandLoop loop_;
  std::unique_ptr<Stream> stream_;
  std::optional<Status> connected_;
  std::optional<Status> closed_;
  std::string received_;
  int written_ = 0;
  std::function<void()> when_connected_;
  std::function<void()> when_data_;
  std::function<void()> when_closed_;
};

// Bytes in which a piece lost, doubled or misplaced shows.
inline std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 251) & 0xFF);
  return bytes;
}

}  // namespace leat::testing
