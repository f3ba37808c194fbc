// Writes records to standard output: in order, whole, and never blocking the loop on a reader that
// is slow or asleep.
//
// Pipes, terminals and sockets are written without blocking when they can take something; files,
// which cannot be waited for but do not make one wait for long, on libuv's thread pool.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "base/lifetime.h"
#include "loop/handles.h"
#include "loop/pool.h"
#include "outgoing.h"
#include "stage/sink.h"

namespace leat {
namespace {

// What is written in one go before the loop has its turn.
constexpr size_t kQuantum = 256 * 1024;

Answer answer_of(int error_number) {
  switch (error_number) {
    case 0:
      return Answer::delivered();
    case EPIPE:
    case ECONNRESET:
      return Answer::failed("stdout: closed by the reader");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case ENOBUFS:
    case ENOMEM:
      return Answer::retry(
          tl::unexpected<Error>(fail_errno("write stdout", error_number)).value().message());
    default:
      return Answer::failed(
          tl::unexpected<Error>(fail_errno("write stdout", error_number)).value().message());
  }
}

class StdoutSink final : public Sink {
 public:
  ~StdoutSink() override { release(); }

  Status open(SinkContext& context) override {
    context_ = &context;
    uv_handle_type type = uv_guess_handle(STDOUT_FILENO);
    if (type == UV_UNKNOWN_HANDLE) return fail(ErrorKind::kUsage, "stdout: is closed");
    if (type == UV_FILE) return {};
    // Non-blocking is a property of the open file, which other processes share: the shell, whoever
    // else writes into the pipe. Where the system gives us an open file of our own, they notice
    // nothing; otherwise the flag is put back in the end.
    int own = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own >= 0) {
      fd_ = own;
    } else {
      flags_before_ = fcntl(STDOUT_FILENO, F_GETFL);
    }
    Result<std::unique_ptr<Poll>> poll =
        Poll::make(context.loop(), fd_, [this] { write_polled(); });
    if (!poll) return fail(ErrorKind::kUsage, "stdout: " + poll.error().message());
    poll_ = std::move(*poll);
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    done_ = std::move(done);
    outgoing_.begin(delivery, context_->wrap().open);
    if (poll_) {
      poll_->start(UV_WRITABLE);
    } else {
      write_pooled();
    }
  }

  void close(std::function<void()> closed) override {
    done_ = nullptr;
    if (in_pool_) {
      closed_ = std::move(closed);  // the pool reads the delivery until it is done
      return;
    }
    release();
    closed();
  }

 private:
  void write_polled() {
    int error_number = outgoing_.write(fd_, kQuantum);
    if (error_number == EAGAIN || (error_number == 0 && !outgoing_.done())) return;
    poll_->stop();
    answer(error_number);
  }

  void write_pooled() {
    in_pool_ = true;
    run_in_pool(
        context_->loop(), lifetime_,
        [&outgoing = outgoing_] {
          int error_number = 0;
          while (error_number == 0 && !outgoing.done())
            error_number = outgoing.write(STDOUT_FILENO, kQuantum);
          return error_number;
        },
        [this](int error_number) {
          in_pool_ = false;
          if (closed_) return std::exchange(closed_, nullptr)();
          answer(error_number);
        });
  }

  void answer(int error_number) {
    outgoing_.end();
    std::exchange(done_, nullptr)(answer_of(error_number));
  }

  void release() {
    poll_.reset();
    if (flags_before_ >= 0) fcntl(STDOUT_FILENO, F_SETFL, std::exchange(flags_before_, -1));
    if (fd_ != STDOUT_FILENO) ::close(std::exchange(fd_, STDOUT_FILENO));
  }

  SinkContext* context_ = nullptr;
  int fd_ = STDOUT_FILENO;
  int flags_before_ = -1;       // to put back; -1: nothing was changed
  std::unique_ptr<Poll> poll_;  // null when stdout is a file
  bool in_pool_ = false;
  standard_output::Outgoing outgoing_;
  Done done_;
  std::function<void()> closed_;
  Lifetime lifetime_;
};

Result<std::unique_ptr<Sink>> make(const Options& /*options*/) {
  return std::make_unique<StdoutSink>();
}

}  // namespace

extern constexpr SinkType kStdoutSink{
    .name = "stdout",
    .help = "Writes records to standard output. Ends the pipeline when the reader goes away.",
    .consumes = Consumes::kSlices,
    .options = {},
    .default_format = "ndjson",
    .appends = true,
    .batch = {.records = 1000,
              .bytes = 256 * 1024,
              .linger = Milliseconds{100},
              .spacing = Milliseconds{3}},
    .make = make};

}  // namespace leat
