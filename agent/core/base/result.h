// The one error idiom: functions that can fail return Result<T> or Status.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace leat {

// What the caller can do about an error.
enum class ErrorKind {
  kUsage,        // the configuration or the command line is wrong: a person must change it
  kUnavailable,  // a peer, file or device is away or busy: the same call may succeed later
  kData,         // this record or batch is bad: retrying it cannot help, others may be fine
  kFatal,        // nothing sensible is left to do: stop the pipeline
};

class Problems;  // options/problems.h

// What copies and destroys it is in one place: there are some thousand Results.
class Error {
 public:
  Error(ErrorKind kind, std::string message,
        std::shared_ptr<const Problems> problems = nullptr) noexcept;
  Error(const Error& other);
  Error(Error&& other) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&& other) noexcept;
  ~Error();

  ErrorKind kind() const { return kind_; }
  // One line, no trailing full stop, with the context a person needs:
  // "open /dev/ttyUSB0: permission denied". Only OptionErrors make several lines, a problem each.
  const std::string& message() const { return message_; }
  // What is wrong with options, as data; null for all other errors.
  const Problems* problems() const { return problems_.get(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::shared_ptr<const Problems> problems_;
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(const Result&) = default;
  Result(Result&&) = default;
  ~Result() = default;
  // Without exceptions, in which Release is built, tl::expected copies where it should move.
  Result& operator=(Result other) noexcept {
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
  }
};

using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error(kind, std::move(message)));
}

inline tl::unexpected<Error> fail(const Error& error) {
  return tl::unexpected<Error>(error);
}

// "open /var/x: permission denied" from an errno value. `what` names the operation and its object.
tl::unexpected<Error> fail_errno(const std::string& what, int error_number);

// The same from a libuv error code (negative, as libuv returns it).
tl::unexpected<Error> fail_uv(const std::string& what, int uv_code);

}  // namespace leat
