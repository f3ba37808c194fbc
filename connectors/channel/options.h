// What both ends of a channel have.
#pragma once

#include "options/options.h"

namespace leat::channel {

constexpr Option name_option(const char* example) {
  return {.name = "name",
          .required = true,
          .help =
              "Of the channel. What the sinks of this name are given, each source of this name "
              "gives.",
          .example = example};
}

}  // namespace leat::channel
