// Reads records from standard input, until it ends. Pipes, terminals and sockets are read without
// blocking when there is something; files, which cannot be waited for, on libuv's thread pool.
//
// What has been read cannot be read again: it is held in memory until it is delivered or spooled.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "base/log.h"
#include "loop/handles.h"
#include "loop/pool.h"
#include "memory/budget.h"
#include "stage/record_limit.h"
#include "stage/source.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {
    {.name = "maxRecord",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help =
         "A record longer than this becomes a dead letter (its first 1 KiB is kept) and reading "
         "goes on behind it.",
     .min = 1024,
     .max = 64 * 1024 * 1024}};

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class StdinSource final : public Source {
 public:
  explicit StdinSource(const Options& options)
      : max_record_(static_cast<size_t>(options.bytes("maxRecord"))) {}
  ~StdinSource() override { release(); }

  Status open(SourceContext& context) override {
    context_ = &context;
    charge_.emplace(context.budget());
    idle_.emplace(context.loop(), [this] { read_pooled(); });
    uv_handle_type type = uv_guess_handle(STDIN_FILENO);
    if (type == UV_UNKNOWN_HANDLE) return fail(ErrorKind::kUsage, "stdin: is closed");
    if (type == UV_FILE) {
      idle_->start();
      return {};
    }
    // Non-blocking is a property of the open file, which the shell and other programs share: an
    // open file of our own, where the system gives us one, keeps it from them.
    int own = ::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own >= 0) {
      fd_ = own;
    } else {
      flags_before_ = fcntl(STDIN_FILENO, F_GETFL);
    }
    Result<std::unique_ptr<Poll>> poll = Poll::make(context.loop(), fd_, [this] { read_polled(); });
    if (!poll) return fail(ErrorKind::kUsage, "stdin: " + poll.error().message());
    poll_ = std::move(*poll);
    poll_->start(UV_READABLE);
    return {};
  }

  void resume() override {
    if (stopped_ || ended_ || !std::exchange(out_of_credit_, false)) return;
    if (more_) hand_on();
    if (stopped_ || at_end_ || out_of_credit_) return;
    if (poll_) {
      poll_->start(UV_READABLE);
    } else if (!in_pool_) {
      idle_->start();
    }
  }

  void stop(std::function<void()> closed) override {
    stopped_ = true;
    if (in_pool_) {
      closed_ = std::move(closed);  // the pool writes into the buffer until it is done
      return;
    }
    release();
    closed();
  }

  SavedPosition saved_position(const Position& /*position*/) override { return {}; }
  std::string describe(const Position& position) override {
    return "stdin:" + std::to_string(context_->framing()->line_before(position));
  }

 private:
  struct ReadBytes {
    ssize_t count = 0;
    int error_number = 0;
  };

  // A batch, and room behind what is in the buffer. False: not before resume().
  bool prepare() {
    if (!batch_) batch_ = context_->new_batch(Content::kBytes);
    if (!batch_) {
      out_of_credit_ = true;
      if (poll_) poll_->stop();
      return false;
    }
    bytes_.resize(kept_ + context_->batch_bytes());
    charge_->set(bytes_.size());
    return true;
  }

  void read_polled() {
    if (!prepare()) return;
    ssize_t n = ::read(fd_, bytes_.data() + kept_, bytes_.size() - kept_);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    have(n, errno);
  }

  void read_pooled() {
    idle_->stop();
    if (!prepare()) return;
    in_pool_ = true;
    run_in_pool(
        context_->loop(), lifetime_,
        [room = std::span(bytes_).subspan(kept_)] {
          ReadBytes out;
          do {
            out.count = ::read(STDIN_FILENO, room.data(), room.size());
            out.error_number = errno;
          } while (out.count < 0 && out.error_number == EINTR);
          return out;
        },
        [this](ReadBytes read) {
          in_pool_ = false;
          if (stopped_) {
            release();
            return std::exchange(closed_, nullptr)();
          }
          have(read.count, read.error_number);
          if (!stopped_ && !ended_ && !out_of_credit_) idle_->start();
        });
  }

  void have(ssize_t n, int error_number) {
    at_end_ = n <= 0;
    if (n < 0) status_ = fail_errno("read stdin", error_number);
    if (at_end_ && poll_) poll_->stop();
    kept_ += static_cast<size_t>(std::max<ssize_t>(n, 0));
    hand_on();
  }

  void hand_on() {
    for (more_ = true; more_ && !stopped_;) {
      if (!batch_) batch_ = context_->new_batch(Content::kBytes);
      if (!batch_) {
        out_of_credit_ = true;
        if (poll_) poll_->stop();
        return;
      }
      more_ = cut(at_end_);
    }
    if (!at_end_ || stopped_) return;
    ended_ = true;
    if (!status_) log::error(context_->pipeline(), status_.error().message());
    context_->finished(std::move(status_));
  }

  std::string_view kept() const { return {bytes_.data(), kept_}; }
  void drop(size_t n) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(n));
    kept_ -= n;
    offset_ += n;
  }

  // Hands on the whole records that there are; with `end`, the last one, too. True: there is more
  // behind one that was too long.
  bool cut(bool end) {
    if (at_start_ && (kept_ >= kByteOrderMark.size() || end)) {
      at_start_ = false;
      if (kept().starts_with(kByteOrderMark)) drop(kByteOrderMark.size());
    }
    const Framing& framing = *context_->framing();
    if (given_up_.going_on) drop(framing.behind_given_up(kept(), 0, given_up_));
    size_t whole = framing.complete_prefix(kept());
    size_t behind = whole;
    std::string_view terminator;
    const TooLong too_long = find_too_long(kept(), whole, framing, max_record_, given_up_);
    if (too_long.size > 0) {
      whole = too_long.begin;
      behind = whole + too_long.size;
      batch_->rejected.push_back(
          too_long_letter(*batch_, kept().substr(whole, too_long.size), max_record_));
    } else if (end && !given_up_.going_on && whole < kept_) {
      terminator = framing.terminator();
      behind = whole = kept_;
    }
    if (behind == 0) return false;
    if (whole > 0) {
      char* copy = batch_->arena.array<char>(whole + terminator.size());
      kept().copy(copy, whole);
      terminator.copy(copy + whole, terminator.size());
      batch_->bytes = {copy, whole + terminator.size()};
    }
    batch_->end.last = end && behind == kept_;
    emit(behind);
    return too_long.size > 0 && kept_ > 0;
  }

  void emit(size_t bytes) {
    batch_->begin.offset = given_;
    drop(bytes);
    batch_->end.offset = given_ = offset_;
    batch_->arrival_us = context_->loop().clock().unix_us();
    context_->progress(offset_, std::nullopt);
    context_->emit(std::exchange(batch_, {}));
  }

  void release() {
    batch_.reset();
    poll_.reset();
    idle_.reset();
    charge_.reset();
    if (flags_before_ >= 0) fcntl(STDIN_FILENO, F_SETFL, std::exchange(flags_before_, -1));
    if (fd_ != STDIN_FILENO) ::close(std::exchange(fd_, STDIN_FILENO));
  }

  const size_t max_record_;
  SourceContext* context_ = nullptr;
  int fd_ = STDIN_FILENO;
  int flags_before_ = -1;         // to put back; -1: nothing was changed
  std::unique_ptr<Poll> poll_;    // null when stdin is a file
  std::optional<Idle> idle_;      // while a file is to be read
  std::optional<Charge> charge_;  // bytes_
  BatchRef batch_;                // credit for what comes next
  std::vector<char> bytes_;       // read, and room for more
  size_t kept_ = 0;               // of them, read and not handed on
  uint64_t offset_ = 0;           // of the first of them
  uint64_t given_ = 0;            // the end of the last batch
  bool at_start_ = true;
  GivenUp given_up_;     // the record that was too long
  bool more_ = false;    // to be handed on, when there is credit
  bool at_end_ = false;  // nothing more is read; status_ says how
  Status status_;
  bool out_of_credit_ = false;
  bool ended_ = false;
  bool stopped_ = false;
  bool in_pool_ = false;
  std::function<void()> closed_;
  Lifetime lifetime_;
};

Result<std::unique_ptr<Source>> make(const Options& options) {
  return std::make_unique<StdinSource>(options);
}

}  // namespace

extern constexpr SourceType kStdinSource{
    .name = "stdin",
    .help = "Reads records from standard input, until it ends.",
    .produces = Produces::kBytes,
    .replay = replays<Replay::kNone>,
    .options = kOptions,
    .default_format = "json",
    .bounded = [](const Options&) { return true; },
    .read_once = true,
    .make = make};

}  // namespace leat
