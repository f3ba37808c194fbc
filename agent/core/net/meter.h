// Counts what goes over the network, in both directions, as it is on the wire: behind compression
// and TLS, without the headers of TCP and IP, and without names being looked up. For who pays by
// the byte (control/network_budget.h).
//
// There is one, since all connections of the process share what they are counted against. Nothing
// is counted before start(), and it costs a load for each read and write then. Any thread, but for
// start() and stop(), which are one thread's.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace leat {

class Meter {
 public:
  // Whether a connection counts, as it was found to be; it is looked at again when that may be
  // different. One for each connection.
  struct Seen {
    uint32_t start = 0;
    bool counts = false;
  };

  static Meter& of_process();

  // Counts connections whose own address belongs to one of these interfaces; when there are none,
  // all that leave this machine. `reached`, from any thread, each time that the total passes what
  // call_at() said. Again: with others, from now on.
  void start(std::vector<std::string> interfaces, std::function<void()> reached);
  void stop();
  void call_at(uint64_t total) { call_at_ = total; }

  uint64_t total() const { return total_; }
  void count(const uv_stream_t* connection, Seen& seen, size_t bytes) {
    const uint32_t start = start_.load(std::memory_order_relaxed);
    if (start == 0) return;
    if (seen.start != start) look(connection, seen);
    if (seen.counts) add(bytes);
  }
  // Bytes of a connection that counts.
  void add(size_t bytes);

 private:
  void look(const uv_stream_t* connection, Seen& seen);

  std::atomic<uint32_t> start_{0};  // number of the last; 0: stopped
  std::atomic<uint64_t> total_{0};
  std::atomic<uint64_t> call_at_{UINT64_MAX};
  uint32_t last_start_ = 0;
  std::mutex mutex_;  // of these two
  std::vector<std::string> interfaces_;
  std::function<void()> reached_;
};

}  // namespace leat
