// In the place of admin.cpp in builds without it (LEAT_ADMIN); a configuration that has it is
// refused.
#include "control/admin.h"

namespace leat {

Result<std::unique_ptr<Admin>> Admin::open(Loop& /*loop*/, const AdminConfig& /*config*/,
                                           const control::Targets& /*targets*/) {
  return fail(ErrorKind::kUsage, "agent.admin: is not in this build");
}

Status Admin::listen() {
  return {};
}

}  // namespace leat
