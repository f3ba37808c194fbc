#include "crypto/same_secret.h"

namespace leat {

bool same_secret(std::string_view secret, std::string_view given) {
  if (secret.empty()) return given.empty();
  volatile unsigned char differs = secret.size() == given.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i)
    differs = static_cast<unsigned char>(differs |
                                         (static_cast<unsigned char>(given[i]) ^
                                          static_cast<unsigned char>(secret[i % secret.size()])));
  return differs == 0;
}

}  // namespace leat
