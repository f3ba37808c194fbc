// The control topic's MQTT session: one that subscribes and publishes, persistent, so that the
// broker keeps what is published while the agent is away.
//
// Thread: the main loop's.
#pragma once

#include "control/topic/link.h"
#include "loop/loop.h"

namespace leat::control {

MakeLink mqtt_links(Loop& loop);

}  // namespace leat::control
