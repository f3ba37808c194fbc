#include "control/run_history.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/time_format.h"
#include "control/json_text.h"
#include "control/snapshot_json.h"

namespace leat {
namespace {

std::string seconds_text(int64_t unix_us) {
  return rfc3339(unix_us / 1'000'000 * 1'000'000);
}

// As tools/run_rows.h has it. `ended_us`: 0 when it has not.
Json begun(const RunRecord& run, int64_t ended_us = 0) {
  Json out = json_object();
  cJSON_AddStringToObject(out.get(), "started", seconds_text(run.started_us).c_str());
  if (ended_us != 0) cJSON_AddStringToObject(out.get(), "ended", seconds_text(ended_us).c_str());
  cJSON_AddStringToObject(out.get(), "pipeline", run.pipeline.c_str());
  cJSON_AddNumberToObject(out.get(), "run", static_cast<double>(run.number));
  if (!run.parameters.empty()) {
    cJSON* parameters = cJSON_AddObjectToObject(out.get(), "parameters");
    for (const auto& [name, value] : run.parameters)
      cJSON_AddStringToObject(parameters, name.c_str(), value.c_str());
  }
  return out;
}

void add_counts(cJSON* out, Milliseconds elapsed, const PipelineStatus& counters) {
  cJSON_AddNumberToObject(out, "seconds", static_cast<double>(elapsed.count()) / 1000);
  add_counters(out, counters);
  add_parallel(out, counters);
}

}  // namespace

std::string json_of_started(const RunRecord& run) {
  return printed(begun(run).get());
}

std::string json_of_running(const RunRecord& run, Milliseconds elapsed,
                            const PipelineStatus& counters) {
  Json out = begun(run);
  cJSON_AddStringToObject(out.get(), "state", "running");
  add_counts(out.get(), elapsed, counters);
  return printed(out.get());
}

std::string json_of_ended(const RunRecord& run, const RunEnd& end, const PipelineStatus& counters) {
  Json out = begun(run, end.ended_us);
  cJSON_AddStringToObject(out.get(), "state", std::string(end.state).c_str());
  if (!end.reason.empty()) cJSON_AddStringToObject(out.get(), "reason", end.reason.c_str());
  add_counts(out.get(), end.elapsed, counters);
  return printed(out.get());
}

void RunHistory::load(std::function<void(Status)> done) {
  struct Found {
    std::map<std::string, RunNumbers> numbers;
    PositionsByPipeline left;
  };
  auto found = std::make_shared<Found>();
  journal_.work_on(
      false,
      [found](std::unique_ptr<JournalDatabase>& journal) -> Result<std::string> {
        auto numbers = run_numbers(*journal);
        if (!numbers) return fail(numbers.error());
        found->numbers = std::move(*numbers);
        auto left = positions_of_runs(*journal);
        if (!left) return fail(left.error());
        found->left = std::move(*left);
        return std::string();
      },
      [this, found, done = std::move(done)](const Result<std::string>& answer) {
        if (!answer) return done(fail(answer.error()));
        numbers_ = std::move(found->numbers);
        for (auto& [run, positions] : found->left)
          journal_.commit(run, std::move(positions), [](const Status& /*status*/) {});
        done({});
      });
}

RunRecord RunHistory::begin(const std::string& pipeline, RunParameters parameters, int64_t now_us) {
  return {pipeline, ++numbers_[pipeline].last, std::move(parameters), now_us};
}

void RunHistory::note_start(const RunRecord& run, const std::function<void(Status)>& done) {
  journal_.commit(std::string(kRunsPipeline),
                  {{run_partition(run.pipeline, run.number), json_of_started(run)}}, done);
}

void RunHistory::note_end(const RunRecord& run, const RunEnd& end, const PipelineStatus& counters) {
  std::vector<SavedPosition> changes = {
      {run_partition(run.pipeline, run.number), json_of_ended(run, end, counters)}};
  RunNumbers& numbers = numbers_[run.pipeline];
  for (; numbers.oldest + kKept <= numbers.last; ++numbers.oldest)
    changes.push_back({run_partition(run.pipeline, numbers.oldest), ""});
  journal_.commit(
      std::string(kRunsPipeline), std::move(changes), [name = run.pipeline](const Status& status) {
        if (!status) log::warn(name, "this run is not in the journal: " + status.error().message());
      });
}

void RunHistory::forget(const RunRecord& run) {
  RunNumbers& numbers = numbers_[run.pipeline];
  if (numbers.last == run.number) --numbers.last;
}

}  // namespace leat
