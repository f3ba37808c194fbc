// In the place of observer.cpp in builds without it (LEAT_NOTIFY): nobody is told of events there.
#include "control/events/observer.h"

namespace leat {

Observer::Machine Observer::real_machine(Loop& /*loop*/) {
  return {};
}

Observer::Observer(Supervisor& supervisor, std::string data_dir, Machine machine)
    : supervisor_(supervisor),
      data_dir_(std::move(data_dir)),
      machine_(std::move(machine)),
      offset_us_(0),
      slow_(supervisor.loop()),
      certificates_timer_(supervisor.loop()),
      soon_(supervisor.loop()) {}

void Observer::changed() {}
void Observer::ended(const PipelineEnd& /*end*/) {}
void Observer::configured(const AgentConfig& /*config*/) {}

}  // namespace leat
