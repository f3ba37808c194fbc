#include "pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "task/memory_share.h"
#include "task/verdict.h"

namespace leat {
namespace {

DeadLetterConfig dead_letters_of(const PipelineConfig& config, const std::string& data_dir) {
  DeadLetterConfig letters = config.dead_letters;
  letters.path = dead_letter_path(letters, config.name, data_dir);
  return letters;
}

// Those of the pipeline, dealt out to its tasks.
int further_loops_of(int max, size_t tasks, size_t number) {
  const auto all = static_cast<size_t>(max);
  return static_cast<int>(all / tasks + (number < all % tasks ? 1 : 0));
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::make(const PipelineConfig& config,
                                                 const PipelineEnvironment& environment,
                                                 std::vector<TaskPlan> tasks) {
  std::unique_ptr<Pipeline> pipeline(new Pipeline(config, environment));
  if (Status status = pipeline->build(std::move(tasks)); !status) return fail(status.error());
  return pipeline;
}

Pipeline::Pipeline(const PipelineConfig& config, PipelineEnvironment environment)
    : config_(config),
      environment_(std::move(environment)),
      budget_(counted_of(environment_.memory)),
      limit_(config_.limits),
      dead_letters_(environment_.loop, config_.name,
                    dead_letters_of(config_, environment_.data_dir), budget_) {
  budget_.on_room([this] {
    for (const auto& task : tasks_) task->wake();
  });
}

// The source of the first outlives its lanes.
Pipeline::~Pipeline() {
  budget_.on_room(nullptr);
  while (!tasks_.empty()) tasks_.pop_back();
}

Status Pipeline::build(std::vector<TaskPlan> tasks) {
  join_ = tasks.back().joins;
  const size_t memory = memory_of_task(tasks.size(), environment_.memory);
  const uint64_t run = join_ ? random_number() : 0;
  for (TaskPlan& one : tasks) {
    std::unique_ptr<Source> lane;
    if (one.joins) lane = tasks_.front()->source_lane();
    std::function<void(const ResumedFrom&)> resumed;
    if (join_ && tasks_.empty()) resumed = [this](const ResumedFrom& point) { let_join(point); };
    const int further_loops = further_loops_of(config_.parallel.max, tasks.size(), tasks_.size());
    Result<std::unique_ptr<Task>> task = Task::make({.config = config_,
                                                     .plan = std::move(one),
                                                     .loop = environment_.loop,
                                                     .journal = environment_.journal,
                                                     .usage = environment_.usage,
                                                     .agent = environment_.agent,
                                                     .data_dir = environment_.data_dir,
                                                     .memory = memory,
                                                     .budget = budget_,
                                                     .limit = limit_,
                                                     .dead_letters = dead_letters_,
                                                     .verdict = [this] { return verdict(); },
                                                     .on_trouble = environment_.on_trouble,
                                                     .ask_agent = environment_.ask_agent,
                                                     .hear_agent = environment_.hear_agent,
                                                     .channels = environment_.channels,
                                                     .caches = environment_.caches,
                                                     .fence = environment_.fence,
                                                     .lane = {join_ ? tasks_.size() : 0, run},
                                                     .further_loops = further_loops,
                                                     .resumed = std::move(resumed)},
                                                    std::move(lane));
    if (!task) return fail(task.error());
    tasks_.push_back(std::move(*task));
  }
  return {};
}

// The budget binds all together; and while a lane waits for its sink, others may hold more than
// their part. Measured with 8 MiB and four: with a quarter each, transactions are half as large,
// and a third dearer for PostgreSQL.
size_t Pipeline::memory_of_task(size_t tasks, size_t bytes) const {
  return bytes / tasks * (join_ ? 2 : 1);
}

bool Pipeline::bounded() const {
  const SourceType& type = *config_.source.type;
  return type.bounded != nullptr && type.bounded(config_.source.options);
}

bool Pipeline::has_read() const {
  return std::ranges::any_of(tasks_, [](const auto& task) { return task->has_read(); });
}

// A source is opened when it starts, since what it takes the place of may have the same port or
// session. What it needs of files is looked at before that one is let go.
Status Pipeline::open() {
  const SourceConfig& source = config_.source;
  Status status =
      source.type->check_files == nullptr ? Status() : source.type->check_files(source.options);
  for (const auto& task : tasks_)
    if (Status opened = task->open(); !opened && status) status = std::move(opened);
  return status;
}

void Pipeline::discard(std::function<void()> done) {
  on_finished_ = [done = std::move(done)](const Status& /*status*/) { done(); };
  running_ = tasks_.size();
  for (const auto& task : tasks_) task->discard([this] { task_ended({}); });
}

void Pipeline::start(std::function<void(Status)> finished) {
  on_finished_ = std::move(finished);
  running_ = tasks_.size();
  for (const auto& task : tasks_) {
    task->start([this](const Status& status) { task_ended(status); });
  }
}

void Pipeline::let_join(const ResumedFrom& point) {
  for (const auto& task : tasks_)
    if (task != tasks_.front()) task->join(point);
}

// Until the last one the others may still deliver something, so that one tells its sink of the end.
// One that ends otherwise is never asked about: the pipeline has failed then, or was told to end.
Result<bool> Pipeline::verdict() {
  if (++through_ < tasks_.size()) return false;
  if (Status status = verdict_of(config_.max_dead_letters, this->status()); !status)
    return fail(status.error());
  return true;
}

// When one has failed the others deliver what they have, and end, too.
void Pipeline::task_ended(const Status& status) {
  if (!status) {
    if (result_) {
      result_ = status;
    } else if (status.error().message() != result_.error().message()) {
      log::error(config_.name, status.error().message());
    }
    drain();
  }
  if (--running_ > 0) return;
  std::function<void(Status)> listener = std::move(on_finished_);
  listener(std::move(result_));
}

void Pipeline::drain() {
  for (const auto& task : tasks_) task->drain();
}

void Pipeline::abort(const std::string& why) {
  for (const auto& task : tasks_) task->abort(why);
}

void Pipeline::kick() {
  for (const auto& task : tasks_) task->kick();
}

void Pipeline::hold(const std::string& why) {
  for (const auto& task : tasks_) task->hold(why);
}

Status Pipeline::tap(uint64_t id, const TapRequest& request,
                     const std::shared_ptr<TapLines>& lines) {
  for (const auto& task : tasks_) {
    if (Status status = task->tap(id, request, lines); !status) {
      untap(id);
      return status;
    }
  }
  return {};
}

void Pipeline::untap(uint64_t id) {
  for (const auto& task : tasks_) task->untap(id);
}

Status Pipeline::feed(const MakeFeed& make) {
  return tasks_.front()->feed(make);
}

void Pipeline::set_memory(size_t bytes) {
  for (const auto& task : tasks_) task->set_memory(memory_of_task(tasks_.size(), bytes));
  budget_.set_limit(counted_of(bytes));
}

PipelineStatus Pipeline::status() const {
  PipelineStatus out;
  for (const auto& task : tasks_) static_cast<TaskStatus&>(out) += task->status();
  out.memory_peak = budget_.peak();
  out.memory_used = budget_.used();
  out.memory_limit = budget_.limit();
  out.dead_letter_reasons = dead_letters_.reasons().all();
  out.source_tasks = source_tasks();
  return out;
}

SourceTasks Pipeline::source_tasks() const {
  return tasks_.empty() ? SourceTasks{} : tasks_.front()->source_tasks();
}

std::optional<uint64_t> Pipeline::task_changes() const {
  return tasks_.empty() ? std::nullopt : tasks_.front()->task_changes();
}

}  // namespace leat
