// What a stage's peer says to `leat check --connect`: whether it is there, lets us in, and has what
// the stage needs. Nothing is read from it that anybody else would miss, and nothing is changed.
//
// Thread: the loop's thread. Lifetime: made by the type's `probe` → done is called → destroyed; or
// destroyed before, which gives it up.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "loop/loop.h"

namespace leat {

struct ProbeContext {
  Loop& loop;
  std::string agent;  // its id
  std::string pipeline;
  bool exactly_once = false;
};

// One that is under way. Destroying it ends it without calling back; not from inside `done`.
class PeerProbe {
 public:
  virtual ~PeerProbe() = default;
};

// Called once, from the loop: with what was found, in words ("subscribed to 2 topics"), or why not.
using Probed = std::function<void(Result<std::string>)>;

// Of what blocks (a file, a device): `work` is done on the pool and owns what it touches, since it
// cannot be cancelled.
std::unique_ptr<PeerProbe> probe_in_pool(Loop& loop, std::function<Result<std::string>()> work,
                                         Probed done);
// Where it is known already.
std::unique_ptr<PeerProbe> probe_that_failed(Loop& loop, const Error& why, Probed done);

}  // namespace leat
