#include <algorithm>
#include <cstring>
#include <utility>

#include "net/stream_state.h"

namespace leat {
namespace {

// Ciphertext encrypted before it is handed to the kernel, and with it the work done in one go.
constexpr size_t kCipherQuantum = 32 * 1024;
// Plaintext pieces smaller than this are gathered into one TLS record: each record costs 29 bytes
// and a pass of its own through the cipher.
constexpr size_t kWorthARecord = 4 * 1024;

}  // namespace

// Moves TLS on as far as what has arrived and what can be sent allow.
void Stream::State::pump() {
  if (phase_ == Phase::kHandshaking && !pump_handshake()) return;
  if (!pump_reads()) return;
  pump_writes();
}

// Each pump_…() that calls the listener returns false when the Stream may be closed after it.
bool Stream::State::pump_handshake() {
  Result<bool> done = tls_->handshake();
  flush();  // also an alert that tells the peer what was wrong
  if (!done) {
    end_handshake(done.error());
    return false;
  }
  update_reading();
  if (!*done) return false;
  opened();
  return phase_ == Phase::kOpen;
}

void Stream::State::end_handshake(const Error& error) {
  end(fail(error.kind(), "connect " + name_ + ": " + error.message()));
}

bool Stream::State::pump_reads() {
  while (!paused_) {
    Result<std::optional<size_t>> n = tls_->read(plain_);
    if (!n) {
      // What the peer said before it closed tells more than that a write failed: a server of
      // TLS 1.3 judges our certificate when we write already.
      write_error_.reset();
      end(fail(n.error()));
      return false;
    }
    if (!*n) break;
    if (**n == 0) {
      end({});
      return false;
    }
    listener_.on_data({plain_.data(), **n});
    if (phase_ != Phase::kOpen) return false;
  }
  update_reading();
  return true;
}

void Stream::State::pump_writes() {
  while (!outgoing_.empty() && !flushing_ && !write_error_ && cipher_.size() < kCipherQuantum) {
    std::span<const char> plaintext = next_plaintext();
    if (!plaintext.empty()) {
      Result<size_t> taken = tls_->write(plaintext);
      if (!taken) return write_failed(fail(taken.error()));
      if (*taken == 0) break;
      took_plaintext(*taken);
    }
    Outgoing& front = outgoing_.front();
    if (front.first < front.buffers.size()) continue;
    done_when_flushed_.push_back(std::move(front.done));
    outgoing_.pop_front();
  }
  flush();
}

// What goes into the next record: a large buffer as it is, or small ones gathered. The same again
// until took_plaintext(), as TlsSession::write() demands.
std::span<const char> Stream::State::next_plaintext() {
  if (!gathered_.empty()) return gathered_;
  Outgoing& front = outgoing_.front();
  while (front.first < front.buffers.size()) {
    const uv_buf_t& buffer = front.buffers[front.first];
    bool fits = gathered_.size() + buffer.len <= TlsSession::kRecordSize;
    if (buffer.len >= kWorthARecord || !fits) {
      if (gathered_.empty()) return {buffer.base, buffer.len};
      break;
    }
    gathered_.insert(gathered_.end(), buffer.base, buffer.base + buffer.len);
    ++front.first;
  }
  return gathered_;
}

void Stream::State::took_plaintext(size_t bytes) {
  if (!gathered_.empty()) {
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<ptrdiff_t>(bytes));
    return;
  }
  Outgoing& front = outgoing_.front();
  uv_buf_t& buffer = front.buffers[front.first];
  buffer = uv_buf_init(buffer.base + bytes, static_cast<unsigned>(buffer.len - bytes));
  if (buffer.len == 0) ++front.first;
}

void Stream::State::flush() {
  if (flushing_) return;
  if (cipher_.empty()) {
    // Only empty writes were asked for: there is nothing to wait for but the loop.
    if (!done_when_flushed_.empty()) later([this] { flushed(); });
    return;
  }
  flushing_ = true;
  auto write = std::make_unique<Write>();
  write->cipher = std::move(cipher_);
  cipher_.clear();
  write->done = [this] { flushed(); };
  uv_buf_t buffer = uv_buf_init(write->cipher.data(), static_cast<unsigned>(write->cipher.size()));
  submit(std::move(write), {&buffer, 1});
}

void Stream::State::flushed() {
  flushing_ = false;
  std::vector<Done> done = std::exchange(done_when_flushed_, {});
  for (Done& call : done) {
    if (call) call();
    if (phase_ == Phase::kClosed) return;
  }
  pump();
}

int Stream::State::send(std::span<const unsigned char> bytes) {
  if (flushing_) return kBlocked;
  cipher_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return static_cast<int>(bytes.size());
}

int Stream::State::receive(std::span<unsigned char> into) {
  if (unread_.empty()) return kBlocked;
  size_t n = std::min(into.size(), unread_.size());
  std::memcpy(into.data(), unread_.data(), n);
  unread_ = unread_.subspan(n);
  return static_cast<int>(n);
}

}  // namespace leat
