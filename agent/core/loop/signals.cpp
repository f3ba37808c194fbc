#include "loop/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

sigset_t answered() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGHUP, SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set, number);
  return set;
}

}  // namespace

void hold_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGUSR2, SIG_IGN);
  sigset_t set = answered();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void release_signals() {
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGUSR2, SIG_DFL);
  sigset_t set = answered();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Signals::Signals(Loop& loop, std::function<void(int)> callback) : callback_(std::move(callback)) {
  sigset_t set = answered();
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  Result<std::unique_ptr<Poll>> poll = fail_errno("signalfd", errno);
  if (fd_ >= 0) poll = Poll::make(loop, fd_, [this] { read_all(); });
  if (!poll) {  // out of descriptors before anything has begun
    log::error("leat", poll.error().message());
    std::abort();
  }
  poll_ = std::move(*poll);
  poll_->start(UV_READABLE);
}

Signals::~Signals() {
  poll_.reset();
  ::close(fd_);
}

void Signals::read_all() {
  signalfd_siginfo info;
  while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    callback_(static_cast<int>(info.ssi_signo));
}

}  // namespace leat
