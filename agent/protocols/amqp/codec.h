// Frames, methods and content of AMQP 0-9-1, with librabbitmq's codec: amqp_encode_method() and its
// like. What it decodes points into the bytes it was given, and into a pool.
//
// Frames by hand [AMQP §2.3.5]: amqp_handle_input() is linked together with the library's sockets,
// and copies each body once more.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::amqp {

inline constexpr size_t kFrameHead = 7;
inline constexpr size_t kFrameOverhead = kFrameHead + 1;
inline constexpr char kFrameEnd = static_cast<char>(0xCE);
inline constexpr uint32_t kLeastFrame = 4096;          // [AMQP §4.2.3]: that must be taken
inline constexpr uint32_t kLargestFrame = 128 * 1024;  // that leat takes; RabbitMQ's own default
inline constexpr uint16_t kBasicClass = 60;
inline constexpr size_t kLongestShortText = 255;

inline amqp_bytes_t bytes_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // the codec only reads it
}
inline std::string_view text_of(const amqp_bytes_t& bytes) {
  return bytes.len == 0 ? std::string_view()
                        : std::string_view(static_cast<const char*>(bytes.bytes), bytes.len);
}

// Memory of what was decoded, until recycle().
class Pool {
 public:
  Pool() { init_amqp_pool(&pool_, kPage); }
  ~Pool() { empty_amqp_pool(&pool_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // What was decoded is gone. Keeps a little memory for what comes next.
  void recycle();
  amqp_pool_t* get() { return &pool_; }

 private:
  static constexpr size_t kPage = 4096;
  amqp_pool_t pool_;
};

// A method that has come: `decoded` is of the type of `id` (amqp_basic_deliver_t, …).
struct Method {
  uint32_t id = 0;
  const void* decoded = nullptr;

  template <typename T>
  const T& as() const {
    return *static_cast<const T*>(decoded);
  }
};

// "basic.deliver", for messages.
std::string method_name(uint32_t id);

// The payload of a method's frame. Errors are kData.
Result<Method> decode_method(std::string_view payload, Pool& pool);
// The properties of a message of the class basic, with their flags before them.
Result<const amqp_basic_properties_t*> decode_properties(std::string_view encoded, Pool& pool);

// Appends a whole frame. `arguments` is of the type of `id`. False when it does not fit into a
// frame that every peer takes, which can only be for a table in it.
bool append_method(std::string& out, uint16_t channel, uint32_t id, const void* arguments);

// The frames of a message: its header, and its body in pieces of `largest_frame`.
bool append_content(std::string& out, uint16_t channel, const amqp_basic_properties_t& properties,
                    std::string_view body, size_t largest_frame);
void append_heartbeat(std::string& out);

}  // namespace leat::amqp
