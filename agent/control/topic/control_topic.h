// Commands from afar: signed messages on a topic become commands of the table, and answers, states,
// the agent's status and what happens to it are published (CONTROL_TOPIC.md).
//
// A command is admitted (control/auth), put into the journal together with its counter, told the
// broker for taken, and then carried out: so it acts at most once, and what the end of the agent
// cuts short is told of at the next start. Nothing of this waits for the connection: while it is
// away answers wait in a bounded queue, and pipelines do not notice.
//
// Thread: the main loop's. Lifetime: shorter than the supervisor's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "control/auth/authority.h"
#include "control/commands/command.h"
#include "control/snapshot.h"
#include "control/topic/link.h"
#include "control/topic/out_queue.h"
#include "control/topic/taken_commands.h"
#include "loop/timer.h"
#include "plan/pipeline_config.h"

namespace leat::control {

// Where what comes by it comes from, in the history of configurations.
inline constexpr std::string_view kOverControl = "over agent.control";

struct ControlTopicSetup {
  const Targets& targets;
  MakeLink make_link;
  std::function<bool()> clock_is_right;
  // The public key of this agent in PEM format, which it may make for that; on the thread pool.
  std::function<Result<std::string>()> public_key = nullptr;
  // A command signed with this key was admitted.
  std::function<void(const std::string& key)> on_command = [](const std::string&) {};
};

class ControlTopic final : private LinkUser {
 public:
  explicit ControlTopic(ControlTopicSetup setup);
  ~ControlTopic() override;

  // After the first configuration runs: what is in the journal is read, and then it connects.
  void begin(const std::string& agent, const ControlConfig* config);
  // As it is configured from now on; null: not at all. When the new one cannot be, the old one goes
  // on.
  Status set(const std::string& agent, const ControlConfig* config);
  bool is(const std::string& agent, const ControlConfig* config) const {
    return agent == agent_ && (config == nullptr ? !config_ : config_ && *config_ == *config);
  }
  bool connected() const { return link_ != nullptr && link_->up(); }
  // The state of something may be different now.
  void changed();
  // Says that it goes, and goes; `closed` comes from the loop, within seconds.
  void close(std::function<void()> closed);

 private:
  void on_link_up() override;
  bool on_message(const InMessage& message) override;

  std::string base() const;
  std::string topic(std::string_view last) const;
  std::vector<std::string> filters() const;
  Status link_anew(const std::string& agent, const ControlConfig* config);
  Status connect(const ControlConfig& config);
  void let_go(std::unique_ptr<Link> link, OutMessage last, std::function<void()> closed);
  static OutMessage goodbye(const ControlConfig& config, const std::string& agent);
  void go_on();
  void take(SignedCommand command, const InMessage& message);
  void act(const SignedCommand& command);
  void answered(const std::string& correlation, const Answer& answer, bool lines);
  void count(const std::string& command, const Answer& answer);
  void restore(const std::vector<SavedPosition>& saved);
  void find_public_key();
  void resolve();
  void publish(OutMessage message);
  void publish_state(const TakenCommand& command);
  void publish_answer(const TakenCommand& command, const Answer& answer, bool lines = false);
  void publish_event(const AgentEvent& event);
  void publish_status();
  std::optional<ControlStatus> status() const;
  void keep(std::vector<SavedPosition> positions);

  const ControlTopicSetup setup_;
  Loop& loop_;
  Authority authority_;
  TakenCommands taken_;
  OutQueue queue_;
  std::string agent_;
  std::optional<ControlConfig> config_;
  size_t max_reply_ = 256 * 1024;
  std::string subscribed_;  // as Subscriptions remembers it
  std::unique_ptr<Link> link_;
  std::map<uint64_t, std::unique_ptr<Link>> leaving_;  // say goodbye
  uint64_t last_leaving_ = 0;
  std::map<std::pair<std::string, std::string_view>, uint64_t> ended_;  // by command and state
  bool loaded_ = false;
  bool busy_ = false;  // a command is being put into the journal, over whichever link it came
  Timer wait_timer_;   // while the next message is not looked at
  std::string public_key_;
  bool asked_for_key_ = false;
  std::string status_;   // as published last
  bool asking_ = false;  // how the pipelines do
  Timer status_timer_;   // until that may be published again
  bool status_due_ = false;
  Timer look_timer_;                   // while something changes without a word
  std::optional<uint64_t> listening_;  // to what happens
  Lifetime lifetime_;
};

}  // namespace leat::control
