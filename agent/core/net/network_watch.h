// Tells those that wait for the network when trying again is worth while: a link or an address has
// come (network_news.h), or a name was found that could not be found before.
//
// All of a loop share one netlink socket, which is open while anybody watches, and costs nothing
// while nothing changes. Where the kernel gives none, nobody is told of links and addresses: they
// try again in their own time.
//
// Thread: the loop's thread, except tell_all(). Lifetime: shorter than the loop's; `changed` may
// destroy it.
#pragma once

#include <functional>
#include <memory>

#include "loop/loop.h"

namespace leat {

class NetworkWatch {
 public:
  NetworkWatch(Loop& loop, std::function<void()> changed);
  ~NetworkWatch();
  NetworkWatch(const NetworkWatch&) = delete;
  NetworkWatch& operator=(const NetworkWatch&) = delete;

  // All that watch are told, on their loops. Any thread.
  static void tell_all();

 private:
  class Shared;
  struct Registry;
  static Registry& registry();

  const std::function<void()> changed_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace leat
