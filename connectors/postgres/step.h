// How the parts of a writer say that a step of theirs is done.
#pragma once

#include <functional>
#include <optional>

#include "stage/sink.h"

namespace leat::postgres {

// nullopt: what is still missing is to be looked at anew. An answer: there is no more to do. A step
// that the server refuses, or that loses the connection, does not end: Session's listener is told.
using StepEnd = std::function<void(std::optional<Answer>)>;

}  // namespace leat::postgres
