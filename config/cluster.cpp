#include "config/cluster.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/stages.h"
#include "plan/shared_job.h"
#include "protocols/postgres/connection_settings.h"

namespace leat {
namespace {

// What is reached by a URL is the same from every machine; a path, a port or a channel is not.
bool is_elsewhere(const Options& options) {
  return std::ranges::find(options.table(), "url", &Option::name) != options.table().end();
}

bool ends(const SourceConfig& source) {
  return source.type->bounded != nullptr && source.type->bounded(source.options);
}

}  // namespace

ClusterConfig load_cluster(const Options& options, Problems& problems, bool open_files) {
  ClusterConfig out;
  out.options = options;
  out.group = options.string("group");
  out.lease = options.duration("lease");
  if (options.has("group") && !is_plain_id(out.group))
    problems.add({.path = options.path("group"),
                  .text = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"});
  if (!options.has("url")) return out;
  const Result<postgres::ConnectionSettings> settings = postgres::ConnectionSettings::from(options);
  const Status status = !settings    ? Status(fail(settings.error()))
                        : open_files ? settings->check_files(options)
                                     : Status();
  if (!status) {
    for (Problem& said : said_by_stage(options.path(), status.error()))
      problems.add(std::move(said));
  } else if (std::string warning = settings->warning(); !warning.empty()) {
    problems.add({.path = options.path("url"), .text = std::move(warning), .warning = true});
  }
  return out;
}

void check_exclusive(const PipelineConfig& pipeline, const Options& options, bool in_a_group,
                     Problems& problems) {
  const auto wrong = [&options, &problems](const std::string& name, std::string text) {
    problems.add({.path = options.path(name), .text = std::move(text)});
  };
  const std::string what = "exclusive";
  const std::string source(pipeline.source.type->name);
  const std::string sink(pipeline.sink.type->name);
  if (!in_a_group) wrong(what, "needs \"agent.cluster\": it is what runs on one agent of a group");
  if (!is_elsewhere(pipeline.source.options))
    wrong(what, "is for a source that every agent of the group can reach, and what \"" + source +
                    "\" reads is on one machine: how far one agent has come says nothing to "
                    "another");
  if (!is_shared(pipeline) && ends(pipeline.source) && !pipeline.schedule)
    wrong(what,
          "is for a source that does not end, with a \"schedule\", or for several \"tables\" or "
          "\"split\"");
  if (pipeline.delivery.spool.mode != SpoolMode::kNever)
    wrong("delivery.spool", "must be \"never\" with \"" + what +
                                "\": what is in the spool of an agent that is gone no other can "
                                "deliver");
  if (pipeline.delivery.exactly_once && !is_elsewhere(pipeline.sink.options))
    wrong("delivery.guarantee", "with \"" + what + "\" cannot be \"exactlyOnce\" into \"" + sink +
                                    "\", which keeps the position on one machine");
}

}  // namespace leat
