// What the source asks of the broker before it reads: that the queue is there (declared, or asked
// for), its bindings, the prefetch count, and to be its consumer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/amqp/connection_options.h"
#include "options/options.h"

namespace leat::amqp {

class Queue {
 public:
  // Errors are of OptionErrors.
  static Result<Queue> from(const Options& options);

  const std::string& name() const { return name_; }
  bool is_stream() const { return stream_; }
  bool declares() const { return declares_; }

  // Appends all of it. The broker answers in this order, or closes the channel at what it refuses.
  // Of a stream, where to begin: at `offset`, or at `since` (Unix seconds; RabbitMQ begins with the
  // chunk that was written then), or as the option says. False: an argument is too large.
  struct From {
    std::optional<uint64_t> offset;
    std::optional<int64_t> since;
  };
  bool append_all(std::string& out, uint16_t prefetch, const From& from) const;
  // The time that the option means when a stream is begun at `now` (Unix seconds); nothing when it
  // means the same later.
  std::optional<int64_t> since(int64_t now) const;
  // Asks whether the queue is there, and no more.
  bool append_question(std::string& out) const;
  // The number of answers, of which the last is basic.consume-ok.
  size_t answers() const { return 3 + bindings_.size(); }
  // What was asked when the answer was to come after so many, for messages.
  std::string step(size_t answered) const;

 private:
  struct Binding {
    std::string exchange;
    std::string routing_key;
    Arguments arguments;
  };
  bool append_declare(std::string& out, bool passive) const;
  bool append_consume(std::string& out, const From& from) const;

  std::string name_;
  bool declares_ = false;
  bool stream_ = false;
  bool durable_ = true;
  bool exclusive_ = false;
  bool auto_delete_ = false;
  Arguments arguments_;
  std::vector<Binding> bindings_;
  bool exclusive_consumer_ = false;
  std::optional<int64_t> priority_;
  std::string offset_;  // "" when it is no stream
  std::optional<int64_t> offset_time_;
};

}  // namespace leat::amqp
