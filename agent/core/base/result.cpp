#include "base/result.h"

#include <uv.h>

#include <cctype>
#include <cstring>

namespace leat {
namespace {

// What trying again can do about an errno value.
ErrorKind kind_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::kUsage;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

Error::Error(ErrorKind kind, std::string message, std::shared_ptr<const Problems> problems) noexcept
    : kind_(kind), message_(std::move(message)), problems_(std::move(problems)) {}
Error::Error(const Error& other) = default;
Error::Error(Error&& other) noexcept = default;
Error& Error::operator=(const Error& other) = default;
Error& Error::operator=(Error&& other) noexcept = default;
Error::~Error() = default;

tl::unexpected<Error> fail_errno(const std::string& what, int error_number) {
  char buffer[128];
  // The GNU strerror_r returns the text, which need not be in the buffer.
  std::string text = strerror_r(error_number, buffer, sizeof buffer);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return fail(kind_of_errno(error_number), what + ": " + text);
}

tl::unexpected<Error> fail_uv(const std::string& what, int uv_code) {
  char buffer[128];
  uv_strerror_r(uv_code, buffer, sizeof buffer);
  return fail(kind_of_errno(-uv_code), what + ": " + buffer);
}

}  // namespace leat
