#include "crypto/random_bytes.h"

#include <mbedtls/entropy.h>
#include <uv.h>

namespace leat {

int fill_random(void*, unsigned char* out, size_t count) {
  return uv_random(nullptr, nullptr, out, count, 0, nullptr) == 0
             ? 0
             : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

Result<std::string> random_bytes(size_t count) {
  std::string out(count, '\0');
  if (fill_random(nullptr, reinterpret_cast<unsigned char*>(out.data()), count) != 0)
    return fail(ErrorKind::kFatal, "the system gives no random numbers");
  return out;
}

}  // namespace leat
