#include "config/notify.h"

#include <algorithm>
#include <string>
#include <utility>

#include "config/wording.h"
#include "plan/planner.h"

namespace leat {
namespace {

constexpr std::string_view kTo[] = {"to"};
constexpr int64_t kSpool = 1 << 20;
constexpr const char* kSource = "internal";

void set_source(const Registry& registry, const Options& entry, const std::string& path,
                SourceConfig& out) {
  out.type = registry.source(kSource);
  out.options = Options(out.type->options, path);
  out.options.set("tell", std::string("events"));
  if (entry.has("events")) out.options.set("events", entry.strings("events"));
  out.options.set("minInterval", int64_t{entry.duration("minInterval").count()});
}

void load_entry(Parser& parser, const StageContext& context, const cJSON* node,
                const std::string& path, PipelineConfig& out) {
  Options entry(kNotifyOptions, path);
  parser.fill(node, {&entry}, kTo);
  out.own = true;
  out.name = "." + entry.string("name");
  set_source(context.registry, entry, path, out.source);
  const cJSON* to = cJSON_GetObjectItemCaseSensitive(node, "to");
  const bool whole = to != nullptr && load_sink(parser, context, to, path + ".to", out.sink);
  out.sink.batch.linger = entry.duration("group");
  out.sink.batch.spacing = {};
  out.delivery.spool = {
      .mode = SpoolMode::kAlways, .max_bytes = kSpool, .overflow = Overflow::kDropOldest};
  if (!whole) return;
  if (!out.sink.type->channel.empty())
    return parser.problems().add({.path = path + ".to.type",
                                  .text = "cannot be a channel: who reads it has ended when the "
                                          "end of the agent is told"});
  if (Result<Plan> planned = plan(out, path + ".to"); !planned)
    for (Problem& said : said_by_stage(path + ".to", planned.error()))
      parser.problems().add(std::move(said));
}

}  // namespace

void load_notify(Parser& parser, const StageContext& context, const cJSON* list,
                 std::vector<PipelineConfig>& out) {
  const std::string path = "agent.notify";
  const char* example = "[{\"to\": {\"type\": \"http\", \"url\": \"https://…\"}}]";
  if (list == nullptr || !parser.expect_list(list, path, example)) return;
  if (context.registry.source(kSource) == nullptr)
    return parser.problems().add({.path = path, .text = "is not in this build"});
  size_t index = 0;
  for (const cJSON* node = list->child; node != nullptr; node = node->next, ++index) {
    const std::string here = path_of_index(path, index);
    if (!parser.expect_object(node, here, "{\"to\": {...}}")) continue;
    PipelineConfig& one = out.emplace_back();
    load_entry(parser, context, node, here, one);
    check_name(parser.problems(), path_of_key(here, "name"), one.name.substr(1));
    auto same = [&one](const PipelineConfig& other) { return other.name == one.name; };
    if (std::ranges::count_if(out, same) > 1)
      parser.problems().add(
          {.kind = Problem::Kind::kTwice,
           .path = path_of_key(here, "name"),
           .text = "\"" + one.name.substr(1) + "\" is the name of another entry already"});
  }
}

}  // namespace leat
