#include "plan/shared_job.h"

#include <algorithm>
#include <set>

namespace leat {
namespace {

// No table has such a name, as it is shown.
constexpr std::string_view kAsks = "(tasks)";
constexpr std::string_view kFirst = "(preSql)";
constexpr std::string_view kLast = "(postSql)";
constexpr std::string_view kRun = "(run)";
// As many as a job of one agent reads at once by default.
constexpr size_t kAtOnce = 4;

bool has_option(const Options& options, std::string_view name) {
  return std::ranges::find(options.table(), name, &Option::name) != options.table().end();
}

bool has_sql(const PipelineConfig& job, const char* name) {
  return has_option(job.sink.options, name) && !job.sink.options.strings(name).empty();
}

bool is_split(const PipelineConfig& job) {
  return has_option(job.source.options, "split") && job.source.options.has("split");
}

// A name with a `%` in quotes is one that is looked up, too.
bool must_ask(const PipelineConfig& job) {
  return is_split(job) ||
         std::ranges::any_of(job.source.options.strings("tables"), [](const std::string& one) {
           return one.find('%') != std::string::npos;
         });
}

std::string name_of(const std::string& job, std::string_view task) {
  return job + "~" + std::string(task);
}

bool is_named(const std::string& task, std::string_view what) {
  return task.ends_with("~" + std::string(what));
}

std::shared_ptr<const StageShare> share_of(StageShare::Part part, const std::string& what = {},
                                           const SharedPlan* plan = nullptr) {
  return std::make_shared<const StageShare>(
      StageShare{part, what, plan == nullptr ? std::vector<SavedPosition>{} : plan->noted});
}

// What is read, by the names of the tasks that read it; in their order.
std::vector<std::pair<std::string, std::string>> named_tasks(const PipelineConfig& job,
                                                             const SharedPlan* plan) {
  std::vector<std::pair<std::string, std::string>> out;
  if (must_ask(job) && plan == nullptr) return out;
  const bool split = is_split(job);
  std::set<std::string> known;
  for (const std::string& one :
       must_ask(job) ? plan->tasks : job.source.options.strings("tables")) {
    const std::string task =
        task_text(split ? job.source.options.string("table") + "." + one : one);
    if (known.insert(task).second) out.emplace_back(name_of(job.name, task), one);
  }
  return out;
}

}  // namespace

std::optional<SharedPlan> SharedPlan::of(std::vector<SavedPosition> noted) {
  const auto list = std::ranges::find(noted, kTaskList, &SavedPosition::partition);
  if (list == noted.end()) return std::nullopt;
  SharedPlan out;
  for (size_t at = 0; at < list->value.size();) {
    const size_t end = std::min(list->value.find('\0', at), list->value.size());
    out.tasks.push_back(list->value.substr(at, end - at));
    at = end + 1;
  }
  noted.erase(list);
  out.noted = std::move(noted);
  return out;
}

std::string run_of(const std::string& job) {
  return name_of(job, kRun);
}

bool only_sql(const std::string& task) {
  return is_named(task, kFirst) || is_named(task, kLast);
}

bool only_asks(const std::string& task) {
  return is_named(task, kAsks);
}

std::string task_text(const std::string& table) {
  std::string out;
  for (const char c : table) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '.' || c == '-' || c == '_') {
      out += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    out += '=';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// A task itself has a name that no pipeline of a configuration can have.
bool is_shared(const PipelineConfig& config) {
  if (!config.exclusive || config.name.find('~') != std::string::npos) return false;
  const SourceType* type = config.source.type;  // null for tests of what knows no connectors
  return type != nullptr && type->bounded != nullptr && type->bounded(config.source.options) &&
         has_option(config.source.options, "tables") &&
         (!config.source.options.strings("tables").empty() || is_split(config));
}

SharedJob shared_job(const PipelineConfig& config, const SharedPlan* plan) {
  SharedJob out;
  if (must_ask(config)) out.asks = name_of(config.name, kAsks);
  if (has_sql(config, "preSql")) out.first = name_of(config.name, kFirst);
  if (has_sql(config, "postSql")) out.last = name_of(config.name, kLast);
  for (auto& [task, what] : named_tasks(config, plan)) out.tasks.push_back(task);
  out.at_once = config.source.options.has("concurrency")
                    ? static_cast<size_t>(config.source.options.integer("concurrency"))
                    : kAtOnce;
  return out;
}

// Each has its part of what is for all that an agent does of the job.
std::optional<PipelineConfig> task_config(const PipelineConfig& job, const SharedPlan* plan,
                                          const std::string& task) {
  const SharedJob all = shared_job(job, plan);
  PipelineConfig out = job;
  out.name = task;
  out.schedule.reset();
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
  out.source.options.set("concurrency", int64_t{1});
  if (task == all.asks) {
    out.share = share_of(StageShare::Part::kAsks);
    out.delivery.exactly_once = false;
    return out;
  }
  if (is_first || is_last) {
    // It reads nothing.
    out.share = share_of(StageShare::Part::kNothing);
    out.delivery.exactly_once = false;
    return out;
  }
  for (const auto& [name, what] : named_tasks(job, plan)) {
    if (name != task) continue;
    out.share = share_of(StageShare::Part::kOne, what, plan);
    return out;
  }
  return std::nullopt;
}

}  // namespace leat
