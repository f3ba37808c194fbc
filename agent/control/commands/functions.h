// What the rows of the table do, by what they act on. Thread: the main loop's.
#pragma once

#include "control/commands/command.h"

namespace leat {
struct ConfigVersion;
}

namespace leat::control {

// state_commands.cpp: what it is like now
void show_status(const Targets& targets, const Request& request, const Reply& reply);
void list_pipelines(const Targets& targets, const Request& request, const Reply& reply);
void show_stats(const Targets& targets, const Request& request, const Reply& reply);

// config_commands.cpp
void show_config(const Targets& targets, const Request& request, const Reply& reply);
void list_configs(const Targets& targets, const Request& request, const Reply& reply);
void check_config(const Targets& targets, const Request& request, const Reply& reply);
void set_config(const Targets& targets, const Request& request, const Reply& reply);
void roll_back_config(const Targets& targets, const Request& request, const Reply& reply);
// What has become of a version that came by a command.
Answer end_of(const ConfigVersion& version, const ConfigManager& configs);

// One pipeline of the configuration that runs is replaced, added or removed.
void patch_config(const Targets& targets, const Request& request, const Reply& reply);
void reload_config(const Targets& targets, const Request& request, const Reply& reply);

// agent_commands.cpp: the process
void ping(const Targets& targets, const Request& request, const Reply& reply);
void restart_agent(const Targets& targets, const Request& request, const Reply& reply);
void shut_down_agent(const Targets& targets, const Request& request, const Reply& reply);
void set_log_level(const Targets& targets, const Request& request, const Reply& reply);
void show_log(const Targets& targets, const Request& request, const Reply& reply);

// tap_command.cpp: records for some seconds (over HTTP they come as they pass)
void tap_for_a_while(const Targets& targets, const Request& request, const Reply& reply);

// pipeline_commands.cpp: told to one of them; which, the name of the command says
void tell_pipeline(const Targets& targets, const Request& request, const Reply& reply);

// run_commands.cpp
void list_tasks(const Targets& targets, const Request& request, const Reply& reply);
void list_runs(const Targets& targets, const Request& request, const Reply& reply);
void provision(const Targets& targets, const Request& request, const Reply& reply);

// journal_commands.cpp: an operation on the journal, which the path of its HTTP form names
void work_on_journal(const Targets& targets, const Request& request, const Reply& reply);

// letter_commands.cpp: dead letters, as engine/letters/letter_tools.h has them
void list_dead_letters(const Targets& targets, const Request& request, const Reply& reply);
void show_dead_letters(const Targets& targets, const Request& request, const Reply& reply);
void drop_dead_letters(const Targets& targets, const Request& request, const Reply& reply);
// Answered when the pipeline is through with them; who does not wait for that leaves it running.
void retry_dead_letters(const Targets& targets, const Request& request, const Reply& reply);

}  // namespace leat::control
