// `agent.notify`: who is told what happens. Each entry becomes a pipeline of the agent's own, from
// the source `internal` to the sink that it names, so that spooling, retrying and batching are
// those of every pipeline.
#pragma once

#include <vector>

#include "config/parser.h"
#include "config/stages.h"
#include "plan/pipeline_config.h"
#include "stage/agent_events.h"

namespace leat {

// Of one entry; `to` holds a sink, whose options depend on its type.
inline constexpr Option kNotifyOptions[] = {
    {.name = "name",
     .fallback = "notify",
     .help = "Its pipeline is called so, behind a dot (\".notify\" in status and log), and what it "
             "has not told yet is kept under that name. Each entry needs its own."},
    {.name = "to",
     .type = OptionType::kObject,
     .required = true,
     .help = "Where it is told: its \"type\" names a sink, whose options stand beside it. Until it "
             "takes them, events are kept in the journal, at most 1 MiB of them."},
    kEventsOption,
    {.name = "group",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "How long an event waits for others, with which it goes in one delivery.",
     .max = 3'600'000},
    kMinIntervalOption,
};

// Adds a pipeline for each entry of `list` (null: none), or what is wrong with it to the parser's
// problems.
void load_notify(Parser& parser, const StageContext& context, const cJSON* list,
                 std::vector<PipelineConfig>& out);

}  // namespace leat
