#include "protocols/amqp/reply.h"

#include "base/text.h"

namespace leat::amqp {

std::string reply_words(uint16_t code, std::string_view text) {
  std::string out = std::to_string(code);
  if (!text.empty()) out += " " + excerpt(text, 300);
  return out;
}

}  // namespace leat::amqp
