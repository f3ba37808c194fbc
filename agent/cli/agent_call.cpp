#include "cli/agent_call.h"

#include <unistd.h>
#include <uv.h>

#include <optional>

#include "control/socket.h"
#include "loop/loop.h"
#include "protocols/http/client.h"

namespace leat {
namespace {

constexpr size_t kLongestAnswer = 64 << 20;  // thousands of pipelines, in full

}  // namespace

Result<AgentAnswer> ask_agent(const Clock& clock, const std::string& data_dir,
                              std::string_view method, std::string_view target,
                              std::string_view body, Milliseconds patience) {
  const std::string path = socket_path(data_dir);
  if (access(path.c_str(), F_OK) != 0)
    return fail(ErrorKind::kUnavailable, "no agent runs with the data folder " + data_dir);
  if (access(path.c_str(), R_OK | W_OK) != 0) return fail_errno("open " + path, errno);

  std::string message = std::string(method) + " " + std::string(target) +
                        " HTTP/1.1\r\nHost: leat\r\nConnection: close\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
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
  if (!answer || !*answer)
    return fail(ErrorKind::kUnavailable,
                "the agent at " + path + " does not answer" +
                    (answer ? ": " + answer->error().message() : std::string()));
  return AgentAnswer{(*answer)->status, std::move((*answer)->body_start)};
}

}  // namespace leat
