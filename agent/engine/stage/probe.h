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
class Probe {
 public:
  virtual ~Probe() = default;
};

// Called once, from the loop: with what was found, in words ("subscribed to 2 topics"), or why not.
using Probed = std::function<void(Result<std::string>)>;

}  // namespace leat
