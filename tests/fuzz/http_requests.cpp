// Any bytes as what a client sends to the server; the second byte says in which pieces they arrive.
// Promises: no more is held than the bounds say, a path leads nowhere else, a refusal has a reason,
// and it does not matter in which pieces the bytes arrive.
#include "fuzz_support.h"
#include "protocols/http/server_request.h"

namespace leat::fuzz {
namespace {

using http::RequestParser;
using http::ServerRequest;
using State = RequestParser::State;

constexpr size_t kLongestBody = 64;

void check(const ServerRequest& request) {
  expect(request.body.size() <= kLongestBody, "a body is no longer than allowed");
  expect(request.path.starts_with('/'), "a path begins with a slash");
  expect(request.path.find('\0') == std::string::npos, "a path has no end within it");
  std::string_view rest = request.path;
  if (rest == "/") return;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size());
    expect(part != "." && part != "..", "a path leads nowhere else");
  }
}

// A line for each request; "!" and the status at the end when the rest is refused.
std::string read(std::string_view bytes, size_t piece) {
  RequestParser parser(kLongestBody);
  std::string out;
  while (!bytes.empty()) {
    Bytes exact(bytes.substr(0, piece));
    bytes.remove_prefix(exact.size());
    std::span<const char> left(exact.data(), exact.size());
    while (!left.empty()) {
      const State state = parser.feed(left);
      if (state == State::kMore) break;
      if (state == State::kRefused) {
        expect(parser.refusal().status >= 400 && !parser.refusal().reason.empty(),
               "a refusal says why");
        return out + "!" + std::to_string(parser.refusal().status);
      }
      if (state != State::kComplete) continue;
      const ServerRequest& request = parser.request();
      check(request);
      (out += request.method + " " + request.path + " " + request.body) += '\n';
      parser.reset();
    }
  }
  return out;
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat::fuzz;
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string whole = read(bytes, bytes.size());
  expect(read(bytes, 1 + data[1] % 16) == whole, "pieces make no difference");
  return 0;
}
