#include "channel/channels.h"

namespace leat {

std::shared_ptr<Channel> Channels::find(const std::string& name) {
  std::shared_ptr<Channel>& channel = channels_[name];
  if (channel == nullptr) channel = std::make_shared<Channel>(name);
  return channel;
}

void Channels::expect(const Ends& writers, const Ends& readers,
                      const std::set<std::string>& ending) {
  for (const Ends* ends : {&writers, &readers})
    for (const auto& [name, pipelines] : *ends)
      channels_.try_emplace(name, std::make_shared<Channel>(name));
  const auto of = [](const Ends& ends, const std::string& name) {
    const auto found = ends.find(name);
    return found == ends.end() ? std::set<std::string>() : found->second;
  };
  for (auto& [name, channel] : channels_)
    channel->expect(of(writers, name), of(readers, name), ending.contains(name));
  std::erase_if(channels_, [](auto& one) { return one.second->unused(); });
}

}  // namespace leat
