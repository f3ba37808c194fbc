// Comparison of secrets. Any thread.
#pragma once

#include <string_view>

namespace leat {

// Takes as long whatever is right in `given`; how long it is may be seen.
bool same_secret(std::string_view secret, std::string_view given);

}  // namespace leat
