#include "protocols/amqp/codec.h"

#include <algorithm>

#include "base/big_endian.h"
#include "protocols/amqp/table.h"

namespace leat::amqp {
namespace {

// Pages that a pool keeps: more than messages of any sense need.
constexpr int kKeptPages = 16;
// Methods that have a table, and where in their arguments it begins.
constexpr size_t kTableOfStart = 2;  // behind version-major and version-minor

void append_head(std::string& out, uint8_t type, uint16_t channel, size_t size) {
  const auto length = static_cast<uint32_t>(size);
  const char head[] = {static_cast<char>(type),         static_cast<char>(channel >> 8),
                       static_cast<char>(channel),      static_cast<char>(length >> 24),
                       static_cast<char>(length >> 16), static_cast<char>(length >> 8),
                       static_cast<char>(length)};
  out.append(head, sizeof head);
}

void put_integer(char* at, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<char>(number >> (8 * (bytes - 1 - i)));
}

// A frame of what `encode` (amqp_bytes_t → bytes written, or an error) writes behind `prefix`.
template <typename Encode>
bool append_frame(std::string& out, uint8_t type, uint16_t channel, size_t prefix, size_t room,
                  const Encode& encode) {
  const size_t start = out.size();
  append_head(out, type, channel, 0);
  out.resize(start + kFrameHead + prefix + room);
  char* payload = out.data() + start + kFrameHead;
  const int size = encode(payload, amqp_bytes_t{room, payload + prefix});
  if (size < 0) {
    out.resize(start);
    return false;
  }
  const size_t length = prefix + static_cast<size_t>(size);
  put_integer(out.data() + start + 3, length, 4);
  out.resize(start + kFrameHead + length);
  out.push_back(kFrameEnd);
  return true;
}

}  // namespace

void Pool::recycle() {
  if (pool_.pages.num_blocks > kKeptPages) {
    empty_amqp_pool(&pool_);
    init_amqp_pool(&pool_, kPage);
  } else {
    recycle_amqp_pool(&pool_);
  }
}

std::string method_name(uint32_t id) {
  const char* name = amqp_method_name(id);  // AMQP_BASIC_DELIVER_METHOD
  if (name == nullptr)
    return "method " + std::to_string(id >> 16) + "." + std::to_string(id & 0xFFFF);
  std::string out(name);
  if (out.starts_with("AMQP_")) out.erase(0, 5);
  if (out.ends_with("_METHOD")) out.resize(out.size() - 7);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c == '_' ? '-' : c;
  });
  if (size_t dash = out.find('-'); dash != std::string::npos) out[dash] = '.';
  return out;
}

Result<Method> decode_method(std::string_view payload, Pool& pool) {
  if (payload.size() < 4) return fail(ErrorKind::kData, "a method without its number");
  Method out{.id = read_big_endian<uint32_t>(payload.data())};
  const std::string_view arguments = payload.substr(4);
  // The library goes into tables by recursion; only this method brings a client one.
  if (out.id == AMQP_CONNECTION_START_METHOD &&
      (arguments.size() < kTableOfStart || !is_shallow_table(arguments.substr(kTableOfStart))))
    return fail(ErrorKind::kData, "a table that is broken, or nested too deeply");
  void* decoded = nullptr;
  const int code = amqp_decode_method(out.id, pool.get(), bytes_of(arguments), &decoded);
  if (code < 0) return fail(ErrorKind::kData, "a malformed " + method_name(out.id));
  out.decoded = decoded;
  return out;
}

Result<const amqp_basic_properties_t*> decode_properties(std::string_view encoded, Pool& pool) {
  if (!has_shallow_headers(encoded))
    return fail(ErrorKind::kData, "properties that are broken, or headers nested too deeply");
  void* decoded = nullptr;
  if (amqp_decode_properties(kBasicClass, pool.get(), bytes_of(encoded), &decoded) < 0)
    return fail(ErrorKind::kData, "malformed properties");
  return static_cast<const amqp_basic_properties_t*>(decoded);
}

bool append_method(std::string& out, uint16_t channel, uint32_t id, const void* arguments) {
  const auto encode = [id, arguments](char* payload, amqp_bytes_t room) {
    put_integer(payload, id, 4);
    return amqp_encode_method(id, const_cast<void*>(arguments), room);
  };
  // Nearly all are small; what is not is written again.
  for (size_t room : {size_t{640}, size_t{kLeastFrame} - kFrameOverhead - 4})
    if (append_frame(out, AMQP_FRAME_METHOD, channel, 4, room, encode)) return true;
  return false;
}

bool append_content(std::string& out, uint16_t channel, const amqp_basic_properties_t& properties,
                    std::string_view body, size_t largest_frame) {
  constexpr size_t kHead = 12;  // class, weight, size of the body [AMQP §4.2.6.1]
  const auto encode = [&](char* payload, amqp_bytes_t room) {
    put_integer(payload, kBasicClass, 2);
    put_integer(payload + 2, 0, 2);
    put_integer(payload + 4, body.size(), 8);
    return amqp_encode_properties(kBasicClass, const_cast<amqp_basic_properties_t*>(&properties),
                                  room);
  };
  bool done = false;
  for (size_t room : {size_t{1024}, largest_frame - kFrameOverhead - kHead}) {
    done = append_frame(out, AMQP_FRAME_HEADER, channel, kHead, room, encode);
    if (done) break;
  }
  if (!done) return false;
  const size_t piece = largest_frame - kFrameOverhead;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    const std::string_view now = body.substr(0, piece);
    append_head(out, AMQP_FRAME_BODY, channel, now.size());
    out.append(now);
    out.push_back(kFrameEnd);
  }
  return true;
}

void append_heartbeat(std::string& out) {
  append_head(out, AMQP_FRAME_HEARTBEAT, 0, 0);
  out.push_back(kFrameEnd);
}

}  // namespace leat::amqp
