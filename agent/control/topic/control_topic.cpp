#include "control/topic/control_topic.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "control/commands/functions.h"
#include "control/config_manager.h"
#include "control/json_text.h"
#include "control/progress.h"
#include "control/supervisor.h"
#include "control/topic/answer_text.h"
#include "control/topic/status_text.h"
#include "loop/pool.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/mqtt/topic.h"

namespace leat::control {
namespace {

const std::string kAgent;  // the pipeline of the agent's own positions
constexpr const char* kSubscribed = "control:topics";
constexpr size_t kMostUnderWay = 16;  // commands
constexpr size_t kMostData = 1024;    // correlation data of MQTT 5, bytes
constexpr Milliseconds kStatusPeriod{1'000};
constexpr Milliseconds kTroublePeriod{10'000};
constexpr size_t kAroundAnswer = 512;  // bytes of its packet, beside topic and correlation data

// In the history of configurations, by which a command is found again after a restart.
std::string author_of(const std::string& key, const std::string& correlation) {
  return std::string(kOverControl) + ", key " + key + ", command " + correlation;
}

bool is_author(const std::string& author, const std::string& correlation) {
  const std::string mark = ", command " + correlation;
  const size_t at = author.find(mark);
  if (!author.starts_with(kOverControl) || at == std::string::npos) return false;
  const size_t end = at + mark.size();
  return end == author.size() || author[end] == ',';
}

// As text, as commands have them.
std::map<std::string, std::string, std::less<>> arguments_of(const cJSON* object) {
  std::map<std::string, std::string, std::less<>> out;
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, object) {
    if (cJSON_IsString(one) != 0)
      out[one->string] = one->valuestring;
    else if (cJSON_IsNull(one) == 0)
      out[one->string] = printed(one);
  }
  return out;
}

// After how long something may be different without a word; 0: it tells.
Milliseconds changes_in(const Snapshot& snapshot) {
  Milliseconds out{0};
  for (const PipelineSnapshot& one : snapshot.pipelines) {
    const bool passes =
        one.state == PipelineState::kStarting || one.state == PipelineState::kDraining;
    if (passes && one.reason.empty()) return kStatusPeriod;
    if (passes || !trouble_line(one).empty()) out = kTroublePeriod;
  }
  return out;
}

// Whether the same connection does for both: other keys and limits make no other one.
bool linked_alike(const ControlConfig& a, const ControlConfig& b) {
  return a.options == b.options && a.prefix == b.prefix && a.groups == b.groups;
}

Answer state_of(const TakenCommand& command) {
  Answer out{.text = command.text};
  if (command.state == "failed") return failed(Fault::kConflict, command.text);
  for (auto state :
       {Answer::State::kRunning, Answer::State::kRolledBack, Answer::State::kInterrupted})
    if (name_of(state) == command.state) out.state = state;
  if (command.state == "accepted") out.state = Answer::State::kRunning;
  return out;
}

}  // namespace

ControlTopic::ControlTopic(ControlTopicSetup setup)
    : setup_(std::move(setup)),
      loop_(setup_.targets.supervisor.loop()),
      authority_({.clock = loop_.clock(),
                  .journal = setup_.targets.supervisor.journal(),
                  .clock_is_right = setup_.clock_is_right,
                  .seen =
                      [this](const std::string& correlation) {
                        return taken_.find(correlation) != nullptr;
                      },
                  .on_refused =
                      [this](const std::string& what) {
                        setup_.targets.supervisor.events().add(EventKind::kCommandRefused, "",
                                                               what);
                      }}),
      wait_timer_(loop_),
      status_timer_(loop_),
      look_timer_(loop_) {
  setup_.targets.supervisor.ask_control([this] { return status(); });
}

ControlTopic::~ControlTopic() {
  setup_.targets.supervisor.ask_control(nullptr);
  if (listening_) setup_.targets.supervisor.events().unlisten(*listening_);
}

// --- how it is configured -----------------------------------------------------------------------

void ControlTopic::begin(const std::string& agent, const ControlConfig* config) {
  agent_ = agent;
  if (config != nullptr) config_ = *config;
  JournalClient& journal = setup_.targets.supervisor.journal();
  journal.load(kAgent, lifetime_.guard([this](const Result<std::vector<SavedPosition>>& saved) {
    if (saved)
      restore(*saved);
    else
      log::error("control", "no command from afar is taken, since those before it are not known: " +
                                saved.error().message());
    loaded_ = true;
    resolve();
    const std::optional<ControlConfig> wanted = std::exchange(config_, std::nullopt);
    const std::string id = std::exchange(agent_, "");
    if (Status good = set(id, wanted ? &*wanted : nullptr); !good)
      log::error("control", "this agent cannot be commanded from afar: " + good.error().message());
  }));
}

void ControlTopic::restore(const std::vector<SavedPosition>& saved) {
  taken_.restore(saved);
  authority_.restore(saved);
  for (const SavedPosition& one : saved)
    if (one.partition == kSubscribed) subscribed_ = one.value;
}

std::string ControlTopic::base() const {
  return config_->prefix + "/" + agent_;
}

std::string ControlTopic::topic(std::string_view last) const {
  return base() + "/" + std::string(last);
}

std::vector<std::string> ControlTopic::filters() const {
  std::vector<std::string> out = {topic("cmd")};
  for (const std::string& group : config_->groups)
    out.push_back(config_->prefix + "/" + group + "/cmd");
  return out;
}

Status ControlTopic::set(const std::string& agent, const ControlConfig* config) {
  if (!loaded_) {  // begin() goes on with it
    agent_ = agent;
    config_ = config == nullptr ? std::nullopt : std::optional(*config);
    return {};
  }
  if (is(agent, config)) return {};
  if (link_ != nullptr && config != nullptr && agent == agent_ && linked_alike(*config_, *config))
    config_ = *config;
  else if (Status linked = link_anew(agent, config); !linked)
    return linked;
  if (config_) find_public_key();
  if (config_) max_reply_ = static_cast<size_t>(config_->max_reply);
  authority_.set(agent_, config_ ? config_->groups : std::vector<std::string>(),
                 config_ ? config_->keys : std::vector<ControlKey>());
  EventFeed& events = setup_.targets.supervisor.events();
  if (config_ && !listening_)
    listening_ = events.listen([this](const AgentEvent& event) { publish_event(event); });
  if (!config_ && listening_) events.unlisten(*std::exchange(listening_, std::nullopt));
  return {};
}

// An agent that nobody configures from afar needs none, and makes none.
void ControlTopic::find_public_key() {
  if (setup_.public_key == nullptr || std::exchange(asked_for_key_, true)) return;
  run_in_pool(loop_, lifetime_, setup_.public_key, [this](const Result<std::string>& key) {
    if (!key)
      return log::warn("control",
                       "no secret can be sealed for this agent: " + key.error().message());
    public_key_ = *key;
    changed();
  });
}

// What was published over the former link may come twice: it cannot know what the broker has.
Status ControlTopic::link_anew(const std::string& agent, const ControlConfig* config) {
  std::unique_ptr<Link> former = std::move(link_);
  const std::optional<ControlConfig> former_config = config_;
  const std::string former_agent = std::exchange(agent_, agent);
  config_ = config == nullptr ? std::nullopt : std::optional(*config);
  Status good = config_ ? connect(*config_) : Status();
  if (!good) {
    link_ = std::move(former);
    config_ = former_config;
    agent_ = former_agent;
    return good;
  }
  if (former != nullptr) let_go(std::move(former), goodbye(*former_config, former_agent), [] {});
  return {};
}

Status ControlTopic::connect(const ControlConfig& config) {
  Result<std::unique_ptr<Link>> link =
      setup_.make_link({.connection = config.options,
                        .client_id = mqtt::default_client_id(agent_, "control"),
                        .will = goodbye(config, agent_),
                        .topics = filters(),
                        .subscribed = subscribed_,
                        .on_subscribed =
                            [this](std::string text) {
                              if (text == subscribed_) return;
                              subscribed_ = text;
                              keep({{kSubscribed, std::move(text)}});
                            }},
                       queue_, *this);
  if (!link) return fail(link.error());
  link_ = std::move(*link);
  return {};
}

OutMessage ControlTopic::goodbye(const ControlConfig& config, const std::string& agent) {
  return {.topic = config.prefix + "/" + agent + "/status",
          .payload = offline_text(agent),
          .retain = true};
}

void ControlTopic::let_go(std::unique_ptr<Link> link, OutMessage last,
                          std::function<void()> closed) {
  const uint64_t id = ++last_leaving_;
  Link& leaving = *(leaving_[id] = std::move(link));
  leaving.close(std::move(last), lifetime_.guard([this, id, closed = std::move(closed)] {
    leaving_.erase(id);
    closed();
  }));
}

void ControlTopic::close(std::function<void()> closed) {
  wait_timer_.stop();
  status_timer_.stop();
  look_timer_.stop();
  if (link_ == nullptr) return closed();
  let_go(std::move(link_), goodbye(*config_, agent_), std::move(closed));
}

// --- what comes ---------------------------------------------------------------------------------

bool ControlTopic::on_message(const InMessage& message) {
  if (busy_ || wait_timer_.active()) return false;
  // A turn later: the link is in the middle of reading it.
  auto settle = [this, &message] { loop_.post(lifetime_.guard(message.settled)); };
  if (message.cut) {
    authority_.refuse(Refusal::kOversized);
    settle();
    return true;
  }
  Verdict verdict = authority_.admit(message.payload);
  if (verdict.later.count() > 0) {  // the broker keeps it for us, and what comes behind it
    wait_timer_.start(verdict.later, [this] { go_on(); });
    return false;
  }
  if (verdict.command && !verdict.refusal && !verdict.seen) {
    take(std::move(*verdict.command), message);
    return true;
  }
  if (verdict.command) {
    TakenCommand told{.correlation = verdict.command->correlation,
                      .command = verdict.command->command,
                      .base = base()};
    const TakenCommand* before = verdict.seen ? taken_.find(told.correlation) : nullptr;
    if (before != nullptr) told = *before;
    publish_answer(told, before != nullptr ? state_of(*before)
                                           : failed(*verdict.refusal == Refusal::kUnavailable
                                                        ? Fault::kUnavailable
                                                        : Fault::kForbidden,
                                                    std::string(reason_of(*verdict.refusal))));
  }
  settle();
  return true;
}

void ControlTopic::go_on() {
  if (link_ != nullptr) link_->go_on();
}

void ControlTopic::take(SignedCommand command, const InMessage& message) {
  setup_.on_command(command.key);
  const Command* known = find_command(command.command);
  TakenCommand taken{
      .correlation = command.correlation,
      .command = command.command,
      .changes = known != nullptr && known->role != Role::kRead && may(command.role, known->role),
      .base = base()};
  const bool answers_there = !message.response_topic.empty() &&
                             mqtt::check_topic(message.response_topic) &&
                             message.correlation_data.size() <= kMostData;
  if (answers_there) {
    taken.answer_to = message.response_topic;
    taken.answer_data = message.correlation_data;
  }
  const bool changes = taken.changes;
  if (changes) publish_state(taken);
  std::vector<SavedPosition> with = taken_.add(std::move(taken));
  busy_ = true;
  auto shared = std::make_shared<SignedCommand>(std::move(command));
  authority_.consume(*shared, changes, std::move(with),
                     lifetime_.guard([this, shared, settled = message.settled](const Status& kept) {
                       busy_ = false;
                       settled();
                       go_on();  // by now it may be another link that waits
                       if (kept) return act(*shared);
                       answered(shared->correlation,
                                failed(Fault::kUnavailable, "it cannot be kept in the journal: " +
                                                                kept.error().message()),
                                false);
                       taken_.remove(shared->correlation);
                     }));
}

void ControlTopic::act(const SignedCommand& command) {
  const std::string correlation = command.correlation;
  const Command* known = find_command(command.command);
  if (known == nullptr)
    return answered(correlation,
                    failed(Fault::kUnknown, "there is no command \"" + command.command + "\""),
                    false);
  if (taken_.under_way() > kMostUnderWay)
    return answered(correlation, failed(Fault::kUnavailable, "too many commands are under way"),
                    false);
  const bool allowed = may(command.role, known->role);
  if (!allowed) authority_.refuse(Refusal::kRole);
  if (allowed && known->role != Role::kRead)
    log::info("control", "command " + correlation + " of key " + command.key + ": " +
                             std::string(known->name));
  carry_out(setup_.targets,
            {.command = *known,
             .caller = {.who = author_of(command.key, correlation), .role = command.role},
             .arguments = arguments_of(command.arguments.get())},
            lifetime_.guard([this, correlation, lines = known->lines](const Answer& answer) {
              answered(correlation, answer, lines);
            }));
}

void ControlTopic::answered(const std::string& correlation, const Answer& answer, bool lines) {
  TakenCommand* command = taken_.find(correlation);
  if (command == nullptr) return;
  count(command->command, answer);
  command->state = name_of(answer.state);
  command->text = answer.text;
  if (command->changes) {
    publish_state(*command);
    keep({TakenCommands::saved(*command)});
  }
  publish_answer(*command, answer, lines);
}

// What was refused is counted by Refusals.
void ControlTopic::count(const std::string& command, const Answer& answer) {
  const bool refused = answer.state == Answer::State::kFailed && answer.fault == Fault::kForbidden;
  if (refused || answer.state == Answer::State::kRunning) return;
  ++ended_[{find_command(command) == nullptr ? "other" : command, name_of(answer.state)}];
}

std::optional<ControlStatus> ControlTopic::status() const {
  if (!config_) return std::nullopt;
  ControlStatus out{.connected = connected(), .seal_to = public_key_};
  for (const auto& [key, count] : ended_) out.ended.push_back({key.first, key.second, count});
  const Refusals::Counts& counts = authority_.refusals().counts();
  for (size_t i = 0; i < counts.size(); ++i)
    out.refused.push_back({name_of(static_cast<Refusal>(i)), counts[i]});
  return out;
}

// What the end of the agent cut short: a configuration that was taken over has its state in the
// history of configurations, and one that is on probation still comes to its end now.
void ControlTopic::resolve() {
  std::vector<std::string> cut_short;
  for (const auto& [correlation, command] : taken_.all())
    if (command.under_way()) cut_short.push_back(correlation);
  const ConfigManager& configs = setup_.targets.configs;
  for (const std::string& correlation : cut_short) {
    TakenCommand& command = *taken_.find(correlation);
    if (!command.changes) {  // it was answered, or is worth nothing any more
      command.state = name_of(Answer::State::kInterrupted);
      continue;
    }
    uint64_t version =
        is_author(configs.running().author, correlation) ? configs.running().number : 0;
    for (const auto& [number, one] : configs.versions().all())
      if (is_author(one.author, correlation)) version = number;
    if (version != 0) {
      setup_.targets.configs.when_settled(
          version, lifetime_.guard([this, correlation](const ConfigVersion& settled) {
            answered(correlation, end_of(settled, setup_.targets.configs), false);
          }));
    } else if (command.command == "restart" || command.command == "shutdown") {
      answered(correlation, done("the agent has started"), false);
    } else {
      answered(correlation,
               {.state = Answer::State::kInterrupted,
                .text = "the agent ended before it was done: look, and ask again"},
               false);
    }
  }
}

// --- what is published --------------------------------------------------------------------------

void ControlTopic::publish(OutMessage message) {
  queue_.add(std::move(message));
  if (link_ != nullptr) link_->send();
}

// Where it was taken, which may be elsewhere by now.
void ControlTopic::publish_state(const TakenCommand& command) {
  std::string text = "{\"correlation\":" + json_quoted(command.correlation) +
                     ",\"command\":" + json_quoted(command.command) +
                     ",\"state\":" + json_quoted(command.state);
  if (!command.text.empty()) text += ",\"text\":" + json_quoted(command.text);
  text += ",\"time\":" + json_quoted(rfc3339(loop_.clock().unix_us() / 1000 * 1000)) + "}";
  publish({.topic = command.base + "/cmd/" + command.correlation + "/state",
           .payload = std::move(text),
           .retain = true});
}

void ControlTopic::publish_answer(const TakenCommand& command, const Answer& answer, bool lines) {
  const std::string to = command.answer_to.empty() ? command.base + "/reply" : command.answer_to;
  size_t limit = max_reply_;
  if (link_ != nullptr && link_->up()) {
    const size_t around = kAroundAnswer + to.size() + command.answer_data.size();
    const size_t largest = link_->largest_packet();
    limit = std::min(limit, largest > around ? largest - around : 1);
  }
  for (std::string& part :
       in_parts(command.correlation,
                answer_text(command.correlation, command.command, answer, lines), limit))
    publish({.topic = to, .payload = std::move(part), .correlation_data = command.answer_data});
}

void ControlTopic::publish_event(const AgentEvent& event) {
  if (!config_) return;
  std::string text = "{\"time\":" + json_quoted(rfc3339(event.time_us / 1000 * 1000)) +
                     ",\"event\":" + json_quoted(name_of(event.kind));
  if (!event.pipeline.empty()) text += ",\"pipeline\":" + json_quoted(event.pipeline);
  publish(
      {.topic = topic("events"), .payload = text + ",\"text\":" + json_quoted(event.text) + "}"});
  changed();
}

void ControlTopic::on_link_up() {
  status_.clear();  // the broker has the will, or what was before
  status_timer_.stop();
  changed();
}

// At most once in a while, however much happens.
void ControlTopic::changed() {
  if (!connected() || asking_) {
    status_due_ = asking_;
    return;
  }
  if (status_timer_.active()) {
    status_due_ = true;
    return;
  }
  publish_status();
}

void ControlTopic::publish_status() {
  asking_ = true;
  status_due_ = false;
  look_timer_.stop();
  setup_.targets.supervisor.snapshot(lifetime_.guard([this](const Snapshot& snapshot) {
    asking_ = false;
    if (!config_ || !connected()) return;
    std::string text = status_text(snapshot, config_->groups, public_key_);
    if (text != status_) {
      status_ = text;
      publish({.topic = topic("status"), .payload = std::move(text), .retain = true});
    }
    status_timer_.start(kStatusPeriod, [this] {
      if (std::exchange(status_due_, false)) publish_status();
    });
    if (const Milliseconds again = changes_in(snapshot); again.count() > 0)
      look_timer_.start(again, [this] { changed(); });
  }));
}

// Without it a command that comes again after a restart may be told of as interrupted: no reason to
// stop.
void ControlTopic::keep(std::vector<SavedPosition> positions) {
  setup_.targets.supervisor.journal().commit(kAgent, std::move(positions), [](const Status& kept) {
    if (!kept)
      log::warn("control", "what became of a command cannot be kept in the journal: " +
                               kept.error().message());
  });
}

}  // namespace leat::control
