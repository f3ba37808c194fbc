// All channels of an agent, by name.
//
// Thread: the main loop's. Lifetime: the agent's; channels live as long as somebody has an end of
// them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "channel/channel.h"

namespace leat {

class Channels {
 public:
  // Made when there is none of that name.
  std::shared_ptr<Channel> find(const std::string& name);

  // Names of pipelines (Channel::expect), by the channel.
  using Ends = std::map<std::string, std::set<std::string>>;
  // Of all channels: what is not in it has none.
  void expect(const Ends& writers, const Ends& readers, const std::set<std::string>& ending = {});

 private:
  std::map<std::string, std::shared_ptr<Channel>> channels_;
};

}  // namespace leat
