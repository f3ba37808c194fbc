#include "plan/shared_job.h"

#include <algorithm>

namespace leat {
namespace {

// No table has such a name, as it is shown.
constexpr std::string_view kFirst = "(preSql)";
constexpr std::string_view kLast = "(postSql)";
// As many as a job of one agent reads at once by default.
constexpr size_t kAtOnce = 4;

bool has_option(const Options& options, std::string_view name) {
  return std::ranges::find(options.table(), name, &Option::name) != options.table().end();
}

bool has_sql(const PipelineConfig& job, const char* name) {
  return has_option(job.sink.options, name) && !job.sink.options.strings(name).empty();
}

std::string task_name(const std::string& job, const std::string& table) {
  return job + "~" + task_text(table);
}

}  // namespace

bool only_sql(const std::string& task) {
  return task.ends_with("~" + std::string(kFirst)) || task.ends_with("~" + std::string(kLast));
}

std::string task_text(const std::string& table) {
  std::string out;
  for (const char c : table) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain || c == '.' || c == '-' ? c : '_';
  }
  return out;
}

// A task itself has a name that no pipeline of a configuration can have.
bool is_shared(const PipelineConfig& config) {
  if (!config.exclusive || config.schedule || config.name.find('~') != std::string::npos)
    return false;
  const SourceType* type = config.source.type;  // null for tests of what knows no connectors
  return type != nullptr && type->bounded != nullptr && type->bounded(config.source.options) &&
         has_option(config.source.options, "tables") &&
         !config.source.options.strings("tables").empty();
}

SharedJob shared_job(const PipelineConfig& config) {
  SharedJob out;
  if (has_sql(config, "preSql")) out.first = config.name + "~" + std::string(kFirst);
  if (has_sql(config, "postSql")) out.last = config.name + "~" + std::string(kLast);
  for (const std::string& table : config.source.options.strings("tables"))
    out.tasks.push_back(task_name(config.name, table));
  out.at_once = config.source.options.has("concurrency")
                    ? static_cast<size_t>(config.source.options.integer("concurrency"))
                    : kAtOnce;
  return out;
}

// Each has its part of what is for all that an agent does of the job.
std::optional<PipelineConfig> task_config(const PipelineConfig& job, const std::string& task) {
  const SharedJob all = shared_job(job);
  PipelineConfig out = job;
  out.name = task;
  if (!out.dead_letters.path.empty()) out.dead_letters.path += task.substr(job.name.size());
  const auto share = [&all](int64_t of_all) {
    return of_all == 0 ? 0 : std::max<int64_t>(of_all / static_cast<int64_t>(all.at_once), 1);
  };
  out.limits = {share(job.limits.records_per_second), share(job.limits.bytes_per_second)};
  const std::vector<std::string> none;
  const bool is_first = task == all.first;
  const bool is_last = task == all.last;
  if (!is_first && has_option(out.sink.options, "preSql")) out.sink.options.set("preSql", none);
  if (!is_last && has_option(out.sink.options, "postSql")) out.sink.options.set("postSql", none);
  if (is_first || is_last) {
    // It reads nothing.
    const std::vector<std::string>& tables = job.source.options.strings("tables");
    out.source.options.set("tables", std::vector<std::string>{tables.front()});
    out.source.options.set("where", std::string("1 = 0"));
    out.source.options.set("concurrency", int64_t{1});
    out.delivery.exactly_once = false;
    return out;
  }
  for (const std::string& table : job.source.options.strings("tables")) {
    if (task_name(job.name, table) != task) continue;
    out.source.options.set("tables", std::vector<std::string>{table});
    out.source.options.set("concurrency", int64_t{1});
    return out;
  }
  return std::nullopt;
}

}  // namespace leat
