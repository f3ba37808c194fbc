#include "net/network_watch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "loop/handles.h"
#include "net/network_news.h"

namespace leat {

// Of one loop, owned by those that watch there.
class NetworkWatch::Shared : public std::enable_shared_from_this<Shared> {
 public:
  explicit Shared(Loop& loop);
  ~Shared();

  void tell();

  Loop& loop_;
  std::vector<NetworkWatch*> watches_;

 private:
  bool open();
  void read();
  void give_up();

  int fd_;
  std::unique_ptr<Poll> poll_;
  NetworkNews news_;
};

// Its mutex guards the list; what stands in it is of its loop's thread.
struct NetworkWatch::Registry {
  std::mutex mutex;
  std::map<Loop*, std::weak_ptr<Shared>> loops;
};

// Never destroyed: at the end of the process a look-up may still find its name.
NetworkWatch::Registry& NetworkWatch::registry() {
  static auto* the_one = new Registry;
  return *the_one;
}

NetworkWatch::Shared::Shared(Loop& loop)
    : loop_(loop),
      fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  if (fd_ < 0 || !open()) give_up();
}

bool NetworkWatch::Shared::open() {
  sockaddr_nl groups = {};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) return false;
  Result<std::unique_ptr<Poll>> poll = Poll::make(loop_, fd_, [this] { read(); });
  if (!poll) return false;
  poll_ = std::move(*poll);
  poll_->start(UV_READABLE);
  return true;
}

NetworkWatch::Shared::~Shared() {
  give_up();
}

void NetworkWatch::Shared::give_up() {
  poll_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void NetworkWatch::Shared::read() {
  alignas(nlmsghdr) char buffer[8192];  // what the kernel puts into one message at most
  bool news = false;
  for (;;) {
    ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      news |= news_.take(std::span(buffer, static_cast<size_t>(got)));
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == ENOBUFS) {
      news = true;  // so much has changed that some of it was lost
    } else {
      if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) give_up();
      break;
    }
  }
  if (news) tell();
}

void NetworkWatch::Shared::tell() {
  std::shared_ptr<Shared> alive = shared_from_this();
  for (NetworkWatch* watch : std::vector(watches_)) {
    if (std::find(watches_.begin(), watches_.end(), watch) == watches_.end()) continue;
    std::function<void()> changed = watch->changed_;  // which may destroy it
    changed();
  }
}

NetworkWatch::NetworkWatch(Loop& loop, std::function<void()> changed)
    : changed_(std::move(changed)) {
  std::lock_guard lock(registry().mutex);
  std::weak_ptr<Shared>& slot = registry().loops[&loop];
  shared_ = slot.lock();
  if (!shared_) slot = shared_ = std::make_shared<Shared>(loop);
  shared_->watches_.push_back(this);
}

NetworkWatch::~NetworkWatch() {
  std::erase(shared_->watches_, this);
  std::lock_guard lock(registry().mutex);
  if (shared_->watches_.empty()) registry().loops.erase(&shared_->loop_);
  shared_.reset();
}

void NetworkWatch::tell_all() {
  std::lock_guard lock(registry().mutex);
  for (auto& [loop, slot] : registry().loops)
    loop->post([slot = slot] {
      if (std::shared_ptr<Shared> shared = slot.lock()) shared->tell();
    });
}

}  // namespace leat
