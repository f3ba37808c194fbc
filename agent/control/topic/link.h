// The connection to the broker of the control topic, as the logic sees it. In earnest it is an MQTT
// session (mqtt_link.h); a test puts another in its place.
//
// Thread: the main loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/topic/out_queue.h"
#include "options/options.h"

namespace leat::control {

// A message as it came; views that are valid during the call.
struct InMessage {
  std::string_view payload;
  std::string_view response_topic = {};  // "": the sender wants its answer where it always goes
  std::string_view correlation_data = {};
  bool cut = false;  // it was larger than a command may be, and was not read
  // To be called when it was taken, and is on the disk or of no account; not from inside
  // on_message(). The broker is told then, when the connection is still the one by which it came.
  std::function<void()> settled = nullptr;
};

class LinkUser {
 public:
  virtual ~LinkUser() = default;
  virtual void on_link_up() = 0;
  // True: it is taken. No other comes until it is settled, or over another connection. False: not
  // now; the same comes again after Link::go_on().
  virtual bool on_message(const InMessage& message) = 0;
};

class Link {
 public:
  virtual ~Link() = default;

  virtual bool up() const = 0;
  // Bytes of a packet that the broker takes.
  virtual size_t largest_packet() const = 0;
  // Something was added to the queue.
  virtual void send() = 0;
  // What on_message() did not take may come again. Not from inside it.
  virtual void go_on() = 0;
  // Says goodbye, with a last message, for which nobody waits. `closed` comes from the loop; the
  // link is then to be destroyed. The user is not called any more.
  virtual void close(OutMessage last, std::function<void()> closed) = 0;
};

// What a link is to be.
struct LinkWish {
  const Options& connection;  // `agent.control`
  std::string client_id;      // where none was given
  OutMessage will;
  std::vector<std::string> topics;  // to subscribe to
  // What an earlier process had subscribed, and what is to be remembered for the next one.
  std::string subscribed;
  std::function<void(std::string)> on_subscribed;
};

// Connects, and does so again as often as needed. Errors: the options, or their files.
using MakeLink =
    std::function<Result<std::unique_ptr<Link>>(LinkWish wish, OutQueue& queue, LinkUser& user)>;

}  // namespace leat::control
