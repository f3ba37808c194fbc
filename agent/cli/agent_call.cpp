#include "cli/agent_call.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <utility>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/sigpipe.h"
#include "control/agent.h"
#include "control/socket.h"
#include "loop/loop.h"
#include "net/authority.h"
#include "net/stream.h"
#include "protocols/http/client.h"

namespace leat {
namespace {

constexpr size_t kLongestAnswer = 64 << 20;  // thousands of pipelines, in full

// What somebody answers at goes with it: a socket on which nobody listens is left of one that was
// killed. One that has no room for another (EAGAIN) is there.
bool nobody_listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;  // as connecting to it will say
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int failed = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool refused = failed != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

Status check_socket(const std::string& path, const std::string& data_dir) {
  const int there = ::access(path.c_str(), F_OK);
  if (there != 0 && errno != ENOENT && errno != ENOTDIR) return fail_errno("open " + path, errno);
  if (there == 0 && ::access(path.c_str(), R_OK | W_OK) != 0)
    return fail_errno("open " + path, errno);
  if (there == 0 && !nobody_listens(path)) return {};
  return fail(ErrorKind::kUnavailable, "no agent runs with the data folder " + data_dir);
}

// One that ends meanwhile is said so, too.
Error no_answer(const std::string& path, const std::string& why) {
  return {ErrorKind::kFatal,
          "the agent at " + path + " does not answer" + (why.empty() ? "" : ": " + why)};
}

// One answer, as it comes. As to HTTP/1.0, so that its body is not in chunks.
class Listening final : public StreamListener {
 public:
  Listening(Loop& loop, const std::string& path, std::string_view target,
            const std::function<bool(std::string_view)>& take)
      : take_(take),
        request_("GET " + std::string(target) + " HTTP/1.0\r\nHost: leat\r\n\r\n"),
        stream_(loop, *this) {
    stream_.connect({.host = "", .path = path}, Milliseconds{10'000});
  }

  bool over() const { return over_; }
  const Status& status() const { return status_; }
  AgentAnswer& answer() { return answer_; }

  void on_connected(Status status) override {
    if (!status) return end(std::move(status));
    uv_buf_t bytes = uv_buf_init(request_.data(), static_cast<unsigned>(request_.size()));
    stream_.write({&bytes, 1}, [] {});
  }
  void on_data(std::span<const char> bytes) override {
    std::string_view text(bytes.data(), bytes.size());
    if (answer_.status == 0) {
      head_ += text;
      const size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      answer_.status = head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
      text = std::string_view(head_).substr(end + 4);
    }
    if (answer_.status != 200) {
      answer_.body += text;
    } else if (!take_(text)) {
      over_ = true;
    }
  }
  void on_closed(Status status) override { end(std::move(status)); }

 private:
  void end(Status status) {
    status_ = std::move(status);
    over_ = true;
  }

  const std::function<bool(std::string_view)>& take_;
  std::string request_;
  std::string head_;
  AgentAnswer answer_;
  Status status_;
  bool over_ = false;
  Stream stream_;
};

}  // namespace

int exit_code_of(const Error& error) {
  if (error.kind() == ErrorKind::kUnavailable) return kExitNotRunning;
  return error.kind() == ErrorKind::kFatal ? kExitFailed : kExitUsage;
}

int ask_or_complain(const Clock& clock, const std::string& data_dir, std::string_view method,
                    const std::string& target, std::string& body) {
  Result<AgentAnswer> answer = ask_agent(clock, data_dir, method, target);
  if (!answer) {
    complain("leat: " + answer.error().message());
    return exit_code_of(answer.error());
  }
  if (answer->status >= 300) {
    std::fprintf(stderr, "leat: %s", answer->body.c_str());
    return kExitUsage;
  }
  body = std::move(answer->body);
  return 0;
}

Result<AgentAnswer> stream_from_agent(const Clock& clock, const std::string& data_dir,
                                      std::string_view target,
                                      const std::function<bool(std::string_view)>& take) {
  const std::string path = socket_path(data_dir);
  if (Status there = check_socket(path, data_dir); !there) return fail(there.error());
  Loop loop(clock);
  Listening listening(loop, path, target, take);
  while (!listening.over() && uv_run(loop.uv(), UV_RUN_ONCE) != 0) {
  }
  if (listening.answer().status == 0 || !listening.status())
    return fail(no_answer(path, listening.status() ? "" : listening.status().error().message()));
  return std::move(listening.answer());
}

Result<AgentAnswer> ask_agent(const Clock& clock, const std::string& data_dir,
                              std::string_view method, std::string_view target,
                              std::string_view body, Milliseconds patience) {
  const std::string path = socket_path(data_dir);
  if (Status there = check_socket(path, data_dir); !there) return fail(there.error());

  std::string message = std::string(method) + " " + std::string(target) +
                        " HTTP/1.1\r\nHost: leat\r\nConnection: close\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  WithoutSigpipe without_sigpipe;
  Loop loop(clock);
  std::optional<Result<http::Response>> answer;
  {
    http::Client client({.loop = loop,
                         .address = {.host = "", .path = path},
                         .connect_timeout = patience,
                         .timeout = patience,
                         .keep_body = kLongestAnswer});
    client.send({uv_buf_init(message.data(), static_cast<unsigned>(message.size()))},
                [&answer](http::Exchanged exchanged) { answer = std::move(exchanged.response); });
    while (!answer && uv_run(loop.uv(), UV_RUN_ONCE) != 0) {
    }
  }
  if (!answer || !*answer) return fail(no_answer(path, answer ? answer->error().message() : ""));
  return AgentAnswer{(*answer)->status, std::move((*answer)->body_start)};
}

std::optional<Result<std::string>> ask_api(const Clock& clock, const std::string& data_dir,
                                           std::string_view method, std::string_view path,
                                           const ApiParameters& parameters, std::string_view body,
                                           Milliseconds patience) {
  std::string target = "/api/v1/" + std::string(path);
  char before = '?';
  for (const auto& [name, value] : parameters)
    target += std::exchange(before, '&') + name + "=" + percent_encoded(value);
  Result<AgentAnswer> answer = ask_agent(clock, data_dir, method, target, body, patience);
  if (!answer && answer.error().kind() == ErrorKind::kUnavailable) return std::nullopt;
  if (!answer) return Result<std::string>(fail(answer.error()));
  if (answer->status < 300) return Result<std::string>(std::move(answer->body));
  std::string why = answer->body.substr(0, answer->body.find('\n'));
  return Result<std::string>(
      fail(answer->status < 500 ? ErrorKind::kUsage : ErrorKind::kUnavailable, std::move(why)));
}

}  // namespace leat
