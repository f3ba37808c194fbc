// What a configuration means once it is checked: plain data, made by config/ from the JSON file,
// used by the planner and the agent. Two that are equal mean the same, however they are written.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time_format.h"
#include "base/units.h"
#include "delivery/delivery_config.h"
#include "options/options.h"
#include "plan/control_key.h"
#include "plan/dead_letter_limit.h"
#include "plan/role.h"
#include "plan/schedule.h"
#include "stage/format.h"
#include "stage/sink.h"
#include "stage/source.h"
#include "stage/transform.h"

namespace leat {

// `time` of a source: which field holds the event time, and how it is written.
struct EventTimeConfig {
  std::string field;
  TimeFormat format;
  bool dead_letter = false;  // a record without a readable time; else it gets that of its arrival
  bool operator==(const EventTimeConfig&) const = default;
};

struct SourceConfig {
  const SourceType* type = nullptr;
  Options options;
  const ReadFormat* format = nullptr;  // null for sources that give records
  Options format_options;
  std::vector<std::pair<std::string, Type>> fields;  // declared types, by name
  std::optional<EventTimeConfig> time;
  bool operator==(const SourceConfig&) const = default;
};

struct TransformConfig {
  const TransformType* type = nullptr;
  Options options;
  bool operator==(const TransformConfig&) const = default;
};

struct SinkConfig {
  const SinkType* type = nullptr;
  Options options;
  const WriteFormat* format = nullptr;      // null for sinks that take records
  const WriteFormat* own_format = nullptr;  // of one that takes records and encodes them itself
  Options format_options;                   // of either
  BatchLimits batch;
  int in_flight = 1;
  // As the type has it, whatever the format.
  Consumes type_takes() const {
    return type->takes != nullptr ? type->takes(options) : type->consumes;
  }
  // The records are packed into slices when they are delivered (stage/packing_sink.h).
  bool packs() const {
    return own_format != nullptr && own_format->packs && type_takes() == Consumes::kSlices;
  }
  Consumes takes() const { return packs() ? Consumes::kRecords : type_takes(); }
  const WriteFormat* written() const { return format != nullptr ? format : own_format; }
  bool operator==(const SinkConfig&) const = default;
};

struct LimitsConfig {  // 0: no limit
  int64_t records_per_second = 0;
  int64_t bytes_per_second = 0;
  bool operator==(const LimitsConfig&) const = default;
};

// `parallel`: runs of transforms that may go on beside each other.
struct ParallelConfig {
  int max = 0;        // further loops; 0: none
  int threshold = 2;  // batches that may wait before there are more of them
  int growth = 2;     // then so many times as many
  bool operator==(const ParallelConfig&) const = default;
};

// ${param:NAME} in the configuration of a pipeline: each run that is asked for has its own value.
struct ParameterConfig {
  std::string name;
  bool has_default = false;  // ${param:NAME:-default}
  bool operator==(const ParameterConfig&) const = default;
};

struct PipelineConfig {
  std::string name;
  bool mounted = true;  // else it runs when it is mounted by name
  // When one has no default, what it stands for is not known: then nothing below is to be used, and
  // it does not run by itself.
  std::vector<ParameterConfig> parameters;
  int max_runs = 1;                          // that are asked for, at once
  Milliseconds hard_terminate{30 * 60'000};  // of what is told to end by name, to be drained
  std::optional<ScheduleConfig> schedule;    // it is started by this, and else by nothing
  bool exclusive = false;                    // it runs on one agent of the group (ClusterConfig)
  bool own = false;  // the agent's (agent.notify), and nobody's data: it keeps nothing running
  SourceConfig source;
  std::vector<TransformConfig> transforms;
  SinkConfig sink;
  DeliveryConfig delivery;
  DeadLetterConfig dead_letters;
  DeadLetterLimit max_dead_letters;
  LimitsConfig limits;
  std::shared_ptr<const StageShare> share;  // of a task of a job (plan/shared_job.h); null: all
  ParallelConfig parallel;
  bool high_priority = false;  // `priority`: what it delivers goes on when others are held
  bool operator==(const PipelineConfig&) const = default;
  // It can run as it is.
  bool complete() const { return std::ranges::all_of(parameters, &ParameterConfig::has_default); }
};

struct AdminToken {
  std::string token;
  std::string id = {};  // "" when it has none
  Role role = Role::kConfigure;
  bool operator==(const AdminToken&) const = default;
};

// `agent.admin`: the API over TCP.
struct AdminConfig {
  std::string host;  // an IP address, or "localhost"
  uint16_t port = 0;
  std::vector<AdminToken> tokens;  // none: who asks may look at some of it
  Options tls;                     // a set of kTlsServerOptions
  bool has_tls = false;
  bool operator==(const AdminConfig&) const = default;
};

// `agent.control`: commands from afar.
struct ControlConfig {
  Options options;                  // of its table, without keys; the connection is in it
  std::string prefix;               // of its topics
  std::vector<std::string> groups;  // whose commands are for this agent, too
  int64_t max_reply = 256 * 1024;   // bytes of one message
  std::vector<ControlKey> keys;     // one at least, each with an id of its own
  bool operator==(const ControlConfig&) const = default;
};

// What is done when so much of a budget is used.
enum class BudgetAction { kWarn, kOnlyPriority, kPause };
enum class BudgetPeriod { kDay, kWeek, kMonth };

// `agent.limits.budget`: what may go over the network.
struct BudgetConfig {
  int64_t bytes = 0;
  BudgetPeriod per = BudgetPeriod::kMonth;
  int first_day = 1;  // of a month
  BudgetAction at80 = BudgetAction::kWarn;
  BudgetAction at100 = BudgetAction::kPause;
  std::vector<std::string> interfaces;  // none: all
  bool operator==(const BudgetConfig&) const = default;
};

// `agent.cluster`: the group of agents to which this one belongs.
struct ClusterConfig {
  Options options;  // of the connection to its database
  std::string group;
  Milliseconds lease{30'000};
  bool operator==(const ClusterConfig&) const = default;
};

// `agent.config`: which configuration runs when the agent starts.
enum class ConfigPolicy { kNewest, kFile, kRemote };

struct AgentConfig {
  std::string id;        // default: the host name
  std::string data_dir;  // the journal and the dead letters; created when missing
  int workers = 1;
  int64_t memory = 8 << 20;  // all pipelines together
  Milliseconds drain_timeout{30'000};
  Milliseconds commit_every{10'000};  // of positions that may wait; 0: none does
  std::optional<AdminConfig> admin;
  std::optional<ControlConfig> control;
  std::optional<BudgetConfig> budget;
  std::optional<ClusterConfig> cluster;
  int64_t flash_endurance = 0;      // bytes that the flash under data_dir bears; 0: not known
  Milliseconds heartbeat{300'000};  // in the log; 0: none
  ConfigPolicy config_policy = ConfigPolicy::kNewest;
  Milliseconds probation{60'000};  // of a configuration that replaces this one; 0: none
  std::vector<PipelineConfig> pipelines;
  std::vector<PipelineConfig> own_pipelines;
  std::vector<std::string> not_enabled;  // names of those that are not to run
  bool operator==(const AgentConfig&) const = default;
};

}  // namespace leat
