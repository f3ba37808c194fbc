// What the kernel tells of its links and addresses (rtnetlink(7)), and what of it is news to
// somebody who waits for the network: a link that has a carrier now, an address that was not there.
// Nothing is known at first, so what was there before is news when it is told for the first time.
// Links and addresses that are told again (the renewal of a lease, a change of no matter) are none.
//
// Knows no socket. Thread: one at a time.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

namespace leat {

class NetworkNews {
 public:
  // Messages as one read of the socket gives them; true when one of them is news. What is cut short
  // or of another kind is passed over.
  bool take(std::span<const char> messages);

 private:
  bool take_link(std::span<const char> payload, bool gone);
  bool take_address(std::span<const char> payload, bool gone);

  std::map<int, bool> carrier_;      // of links, by their index
  std::set<std::string> addresses_;  // with the index of their link
};

}  // namespace leat
