// Any bytes as what a broker sends, cut in two anywhere. Promises: nothing is read out of bounds or
// held without bound, the cut changes nothing, and every table that may be decoded becomes JSON.
#include "fuzz_support.h"
#include "protocols/amqp/codec.h"
#include "protocols/amqp/framer.h"
#include "protocols/amqp/incoming.h"
#include "protocols/amqp/table.h"

namespace leat::fuzz {
namespace {

using amqp::Frame;

constexpr size_t kLargestFuzzed = 4096;
constexpr size_t kLargestBody = 64;

class Reader {
 public:
  std::string read(std::string_view first, std::string_view second) {
    Status status = framer_.feed(first);
    if (status) status = framer_.feed(second);
    if (!status) out_ += "!" + status.error().message();
    expect(framer_.footprint() <= 2 * (first.size() + second.size()) + 64, "no more than came");
    expect(incoming_.footprint() <= 4 * (first.size() + second.size()) + 512, "no more than came");
    return out_;
  }

 private:
  Result<bool> take(const Frame& frame) {
    pool_.recycle();
    if (frame.type != AMQP_FRAME_METHOD) {
      if (frame.type == AMQP_FRAME_HEADER) properties(frame.payload);
      return incoming_.open() ? incoming_.add(frame) : Result<bool>(true);
    }
    Result<amqp::Method> method = amqp::decode_method(frame.payload, pool_);
    if (!method) return fail(method.error());
    out_ += amqp::method_name(method->id) + " ";
    if (method->id == AMQP_BASIC_DELIVER_METHOD)
      incoming_.begin(method->as<amqp_basic_deliver_t>());
    if (method->id == AMQP_BASIC_RETURN_METHOD) incoming_.begin(method->as<amqp_basic_return_t>());
    return true;
  }

  void properties(std::string_view payload) {
    Result<const amqp_basic_properties_t*> read = amqp::decode_properties(payload, pool_);
    if (!read || ((*read)->_flags & AMQP_BASIC_HEADERS_FLAG) == 0) return;
    std::string json;
    amqp::append_json(json, (*read)->headers);
    expect(json.starts_with('{') && json.ends_with('}'), "headers are an object");
    out_ += json;
  }

  std::string out_;
  amqp::Pool pool_;
  amqp::Framer framer_{kLargestFuzzed, [this](const Frame& frame) { return take(frame); }};
  amqp::Incoming incoming_{kLargestBody, [this](const amqp::Message& message) -> Result<bool> {
                             expect(message.body.size() <= kLargestBody, "a body within its bound");
                             out_ += std::string(message.routing_key) + "=" +
                                     std::string(message.body) + " ";
                             return true;
                           }};
};

// Random bytes are hardly ever a frame: those behind the first are made one of their payload.
std::string framed(std::string_view payload, uint8_t type) {
  std::string out{static_cast<char>(type), '\0', '\1'};
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(payload.size() >> shift);
  return out.append(payload) + amqp::kFrameEnd;
}

}  // namespace
}  // namespace leat::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace leat::fuzz;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string all(bytes);
  if ((data[0] & 1) != 0) all = framed(bytes.substr(0, 4000), 1 + (data[0] >> 1) % 3) + all;
  const size_t cut = data[0] % (all.size() + 1);
  const std::string whole = Reader().read(all, {});
  expect(Reader().read(all.substr(0, cut), std::string_view(all).substr(cut)) == whole,
         "the cut changes nothing");
  return 0;
}
