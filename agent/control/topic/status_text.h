// `leat/<id>/status`: how the agent does, for whoever looks at many. It has nothing in it that
// changes by itself, so that it is published only when something has happened. Pure. Any thread.
#pragma once

#include <string>
#include <vector>

#include "control/snapshot.h"

namespace leat::control {

// {"online":true,"id","version","groups":[…],"sealTo"?,"config":{"version","origin","state"},
// "pipelines":[{"name","state","trouble","reason"?}]}. `public_key`: to which secrets are sealed.
std::string status_text(const Snapshot& snapshot, const std::vector<std::string>& groups,
                        const std::string& public_key);
// {"online":false,"id":…}
std::string offline_text(const std::string& id);

}  // namespace leat::control
