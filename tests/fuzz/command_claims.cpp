// Any bytes as what a signed command says. Promises: what is taken is whole and within its bounds.
#include "control/auth/claims.h"
#include "fuzz_support.h"
#include "plan/control_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat;
  using fuzz::expect;
  if (size < 2) return 0;
  fuzz::Bytes exact({reinterpret_cast<const char*>(data) + 2, size - 2});
  std::optional<control::Claims> claims = control::read_claims({exact.data(), exact.size()});
  if (!claims) return 0;
  expect(is_plain_id(claims->correlation) && is_plain_id(claims->command), "names are plain");
  expect(!claims->addressees.empty(), "it is for somebody");
  expect(claims->counter >= 1 && claims->counter < (uint64_t{1} << 53), "a counter is exact");
  expect(claims->expires > 0 && claims->not_before >= 0, "times are times");
  expect(cJSON_IsObject(claims->arguments.get()) != 0, "arguments are an object");
  return 0;
}
