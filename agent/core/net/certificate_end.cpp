#include "net/certificate_end.h"

#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <chrono>

#include "net/tls_files.h"

namespace leat {
namespace {

int64_t unix_us(const mbedtls_x509_time& time) {
  using std::chrono::sys_days;
  const std::chrono::year_month_day date(std::chrono::year(time.year),
                                         std::chrono::month(static_cast<unsigned>(time.mon)),
                                         std::chrono::day(static_cast<unsigned>(time.day)));
  const int64_t days = sys_days(date).time_since_epoch().count();
  return (((days * 24 + time.hour) * 60 + time.min) * 60 + time.sec) * 1'000'000;
}

}  // namespace

int64_t certificate_end_us(const std::string& path, bool last) {
  mbedtls_x509_crt chain;
  mbedtls_x509_crt_init(&chain);
  std::string digest;
  int64_t end = 0;
  if (load_certificates(chain, "", path, digest)) {
    for (const mbedtls_x509_crt* one = &chain; one != nullptr; one = one->next) {
      const int64_t its = unix_us(one->valid_to);
      end = end == 0 ? its : last ? std::max(end, its) : std::min(end, its);
    }
  }
  mbedtls_x509_crt_free(&chain);
  return end;
}

}  // namespace leat
