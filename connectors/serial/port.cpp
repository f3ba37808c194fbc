#include "connectors/serial/port.h"

#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "connectors/serial/line.h"

namespace leat::serial {
namespace {

std::optional<uint64_t> count_overruns(int fd) {
  serial_icounter_struct counts{};
  if (::ioctl(fd, TIOCGICOUNT, &counts) != 0) return std::nullopt;
  return static_cast<uint64_t>(counts.overrun) + static_cast<uint64_t>(counts.buf_overrun);
}

tl::unexpected<Error> cannot_open(const std::string& path, int error) {
  if (error == ENOENT || error == ENXIO || error == ENODEV || error == ENOTDIR)
    return fail(ErrorKind::kUnavailable, path + " is not there");
  if (error == EACCES || error == EPERM)
    return fail(ErrorKind::kUsage, "open " + path +
                                       ": permission denied: the user leat runs as must be in the "
                                       "port's group, on Debian: usermod -aG dialout USER");
  if (error == EBUSY || error == EWOULDBLOCK)
    return fail(ErrorKind::kUsage, "open " + path + ": another program has it open");
  std::string message = fail_errno("open " + path, error).value().message();
  return fail(ErrorKind::kUsage, std::move(message));
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const std::string& path, const LineSettings& settings) {
  int fd = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return cannot_open(path, errno);
  std::unique_ptr<Port> port(new Port(fd));
  // First of all: the settings of a port that another has open are left alone. TIOCEXCL keeps other
  // programs out, the lock keeps out a second leat of root's, for whom that flag does not count.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return cannot_open(path, errno);
  port->exclusive_ = ::ioctl(fd, TIOCEXCL) == 0;
  Result<std::string> not_taken = set_line(fd, path, settings);
  if (!not_taken) return fail(not_taken.error());
  port->not_taken_ = *std::move(not_taken);
  port->flow_control_ = settings.flow_control;
  port->overruns_before_ = count_overruns(fd).value_or(0);
  port->hold(false);
  return port;
}

Port::~Port() {
  if (exclusive_) ::ioctl(fd_, TIOCNXCL);
  ::close(fd_);
}

Result<size_t> Port::read(std::span<char> into) {
  ssize_t size = ::read(fd_, into.data(), into.size());
  if (size > 0) return static_cast<size_t>(size);
  if (size == 0) return fail(ErrorKind::kUnavailable, "it hung up");
  if (errno != EAGAIN && errno != EINTR) return fail_errno("read", errno);
  // libuv stops watching a descriptor that is broken, so this may be the last call.
  pollfd state{fd_, POLLIN, 0};
  if (::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 &&
      (state.revents & POLLIN) == 0)
    return fail(ErrorKind::kUnavailable, "it hung up");
  return size_t{0};
}

Result<size_t> Port::write(std::string_view bytes) {
  ssize_t size = ::write(fd_, bytes.data(), bytes.size());
  if (size >= 0) return static_cast<size_t>(size);
  if (errno == EAGAIN || errno == EINTR) return size_t{0};
  return fail_errno("write", errno);
}

void Port::discard_output() {
  ::tcflush(fd_, TCOFLUSH);
}

// Where there are no control lines (pseudo-terminals) these do nothing.
void Port::hold(bool pause) {
  if (flow_control_ != FlowControl::kDtrDsr) return;
  int dtr = TIOCM_DTR;
  ::ioctl(fd_, pause ? TIOCMBIC : TIOCMBIS, &dtr);
}

bool Port::held_by_device() const {
  int lines = 0;
  return flow_control_ == FlowControl::kDtrDsr && ::ioctl(fd_, TIOCMGET, &lines) == 0 &&
         (lines & TIOCM_DSR) == 0;
}

std::optional<uint64_t> Port::overruns() const {
  std::optional<uint64_t> now = count_overruns(fd_);
  // The kernel counts in 32 bits, and anew when the driver was reset.
  if (now) *now = *now >= overruns_before_ ? *now - overruns_before_ : 0;
  return now;
}

}  // namespace leat::serial
