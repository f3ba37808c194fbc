#include "control/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"

namespace leat {
namespace {

std::string count(uint64_t n) {
  return format_count(static_cast<int64_t>(n));
}
std::string bytes(uint64_t n) {
  return format_bytes(static_cast<int64_t>(n));
}

// A rate of less says more about the clock than about the records.
constexpr Milliseconds kLeastForARate{100};

uint64_t per_second(uint64_t n, Milliseconds elapsed) {
  auto ms = static_cast<uint64_t>(std::max<int64_t>(elapsed.count(), 1));
  return n * 1000 / ms;
}

std::string troubles(const PipelineStatus& status) {
  std::string out;
  if (status.dead_letters > 0) out += ", " + format_count(status.dead_letters, "dead letter");
  if (status.dropped > 0) out += ", " + count(status.dropped) + " dropped";
  if (status.spool_dropped > 0) out += ", " + count(status.spool_dropped) + " dropped at maxSpool";
  if (status.spool_lost > 0) out += ", " + count(status.spool_lost) + " lost with the journal";
  if (status.keys_evicted > 0) out += ", " + format_count(status.keys_evicted, "key") + " evicted";
  if (status.retries > 0) out += ", " + format_count(status.retries, "retry");
  return out;
}

// Asked each time: a terminal may change its size.
winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

// What fits into so many columns.
std::string cut(const std::string& text, size_t most) {
  size_t at = 0;
  for (size_t column = 0; at < text.size(); ++at) {
    const bool begins = (text[at] & 0xC0) != 0x80;
    if (begins && column++ == most) break;
  }
  return text.substr(0, at);
}

bool is_idle(const PipelineStatus& before, const PipelineStatus& now) {
  return before.records == now.records && before.delivered == now.delivered &&
         before.dead_letters == now.dead_letters && before.spool_bytes == now.spool_bytes;
}

}  // namespace

std::string progress_line(const PipelineStatus& status, Milliseconds elapsed) {
  std::string out;
  uint64_t total = status.bytes_total.value_or(0);
  if (total > 0) {
    uint64_t done = std::min(status.bytes_read, total);
    out += std::to_string(done * 100 / total) + "% of " + bytes(total) + ", ";
  }
  out += format_count(status.records, "record") + " (" +
         count(per_second(status.records, elapsed)) + "/s), " + count(status.delivered) +
         " delivered" + troubles(status);
  if (total > 0 && status.bytes_read > 0 && status.bytes_read < total) {
    double left = static_cast<double>(elapsed.count()) *
                  static_cast<double>(total - status.bytes_read) /
                  static_cast<double>(status.bytes_read);
    auto seconds = static_cast<int64_t>(left) / 1000;
    out += seconds > 0 ? ", " + format_duration(Milliseconds(seconds * 1000)) + " left"
                       : std::string(", under 1s left");
  }
  return out;
}

#ifdef LEAT_TASK_HISTORY
std::string tasks_line(const PipelineStatus& status, int64_t now_us) {
  using State = SourceTask::State;
  constexpr size_t kNamed = 2;
  const SourceTasks& tasks = status.source_tasks;
  uint64_t all = 0;
  for (const uint64_t of_state : tasks.counts) all += of_state;
  if (all < 2) return "";
  std::string out = count(tasks.count(State::kDone)) + " of " + count(all) + " tasks done";
  if (const uint64_t failed = tasks.count(State::kFailed); failed > 0)
    out += ", " + count(failed) + " failed";
  // What is estimated may be too little.
  if (tasks.expected > 0 && tasks.count(State::kDone) < all)
    out += ", " + std::to_string(std::min<uint64_t>(status.records * 100 / tasks.expected, 99)) +
           "% of about " + format_count(tasks.expected, "record");
  std::vector<const SourceTask*> running;
  for (const SourceTask& one : tasks.shown)
    if (one.state == State::kRunning) running.push_back(&one);
  std::ranges::stable_sort(running, {}, &SourceTask::started_us);
  if (running.size() > kNamed) running.resize(kNamed);
  const char* before = "; slowest: ";
  for (const SourceTask* one : running) {
    const Milliseconds takes{std::max<int64_t>(now_us - one->started_us, 0) / 1'000'000 * 1000};
    out += std::exchange(before, ", ") + one->name + " (" + format_duration(takes) + ")";
  }
  return out;
}
#else
std::string tasks_line(const PipelineStatus& /*status*/, int64_t /*now_us*/) {
  return "";
}
#endif

namespace {

std::string counts(const PipelineStatus& status) {
  std::string out = format_count(status.records, "record") + " read";
  if (status.bytes_read > 0) out += " (" + bytes(status.bytes_read) + ")";
  if (status.resumed > 0) out += ", " + count(status.resumed) + " spooled by an earlier run";
  if (status.made > 0) out += ", " + count(status.made) + " more made by transforms";
  out += ", " + count(status.delivered) + " delivered";
  if (status.filtered > 0) out += ", " + count(status.filtered) + " filtered";
  out += ", " + format_count(status.dead_letters, "dead letter");
  if (status.dropped > 0) out += ", " + count(status.dropped) + " dropped";
  if (status.spooled > 0) out += ", " + count(status.spooled) + " spooled";
  if (status.waiting > 0) out += ", " + count(status.waiting) + " not delivered yet";
  if (status.spool_dropped > 0) out += ", " + count(status.spool_dropped) + " dropped at maxSpool";
  if (status.spool_lost > 0) out += ", " + count(status.spool_lost) + " lost with the journal";
  if (status.keys_evicted > 0) out += ", " + format_count(status.keys_evicted, "key") + " evicted";
  if (status.retries > 0) out += ", " + format_count(status.retries, "retry");
#ifdef LEAT_PARALLEL
  if (status.parallel && status.parallel->most > 0)
    out += ", transforms on up to " + format_count(status.parallel->most, "further loop");
#endif
  return out;
}

}  // namespace

std::string state_of(const PipelineSnapshot& pipeline) {
  std::string out = counts(pipeline.counters);
  if (!pipeline.runs) {
    std::string how(name_of(pipeline.state));
    out = how + (pipeline.reason.empty() ? "" : ": " + pipeline.reason) + "; " + out;
  } else if (!pipeline.reason.empty()) {
    out += "; " + pipeline.reason;
  }
  return pipeline.refused.empty() ? out : out + "; with its old configuration: " + pipeline.refused;
}

std::string summary_line(const PipelineStatus& status, Milliseconds elapsed) {
  std::string out = counts(status) + ", in " + format_duration(elapsed);
  if (elapsed < kLeastForARate) return out;
  return out + " (" + count(per_second(status.records, elapsed)) + " records/s)";
}

std::string trouble_line(const PipelineSnapshot& pipeline) {
  if (pipeline.state == PipelineState::kFailed ||
      (pipeline.state == PipelineState::kCircuitOpen && !pipeline.runs))
    return pipeline.name + " failed: " + pipeline.reason;
  if (pipeline.unknown) return pipeline.name + " stands by: " + pipeline.reason;
  std::string out;
  if (!pipeline.refused.empty())
    out = pipeline.name + " runs with its old configuration: " + pipeline.refused;
  if (!pipeline.runs || pipeline.reason.empty()) return out;
  if (!out.empty()) out += "; ";
  out += pipeline.name + ": " + pipeline.reason;
  uint64_t spooled = pipeline.counters.spool_bytes;
  return spooled > 0 ? out + "; " + bytes(spooled) + " spooled" : out;
}

bool in_trouble(const Snapshot& snapshot) {
  return !snapshot.config.trouble.empty() ||
         std::ranges::any_of(snapshot.pipelines, [](const PipelineSnapshot& pipeline) {
           return !trouble_line(pipeline).empty();
         });
}

std::string count_line(const Snapshot& snapshot) {
  size_t running = snapshot.running();
  if (running == 0) return snapshot.stopping ? "drained" : "no pipelines run";
  std::string number = format_count(running, "pipeline");
  if (snapshot.stopping) return "draining, " + number + " left";
  return number + (running == 1 ? " runs" : " run");
}

std::string state_line(const Snapshot& snapshot) {
  std::string out = count_line(snapshot);
  if (!snapshot.config.trouble.empty()) out += "; " + snapshot.config.trouble;
  // Those that run come first: their trouble may be over soon.
  for (bool runs : {true, false})
    for (const PipelineSnapshot& pipeline : snapshot.pipelines)
      if (std::string trouble = trouble_line(pipeline); pipeline.runs == runs && !trouble.empty())
        out += "; " + trouble;
  return out;
}

void ProgressDisplay::show(const Snapshot& snapshot) {
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    if (!pipeline.runs || pipeline.own) continue;
    std::string line = pipeline.bounded ? progress_line(pipeline.counters, pipeline.running_for)
                                        : state_of(pipeline);
    if (std::string tasks = tasks_line(pipeline.counters, snapshot.now_us); !tasks.empty())
      line = std::move(tasks) + "; " + line;
    if (terminal_) {
      lines_[pipeline.name] = std::move(line);
    } else if (pipeline.bounded) {
      log::info(pipeline.name, line);  // words elsewhere
    }
  }
  if (terminal_) show_lines();
}

void ProgressDisplay::remove(const std::string& pipeline) {
  lines_.erase(pipeline);
  if (terminal_) show_lines();
}

void ProgressDisplay::show_lines() {
  const winsize size = terminal_size();
  const size_t room = std::max<size_t>(size.ws_row / 2, 1);
  std::string out;
  size_t shown = 0;
  for (const auto& [pipeline, line] : lines_) {
    if (shown > 0) out += '\n';
    if (shown + 1 == room && lines_.size() > room) {
      out += "and " + std::to_string(lines_.size() - shown) + " more";
      break;
    }
    out += cut(pipeline + ": " + line, size_t{size.ws_col} - 1);
    ++shown;
  }
  log::set_status_lines(std::move(out));
}

std::vector<std::pair<std::string, std::string>> Heartbeat::lines(const Snapshot& snapshot) {
  std::vector<std::pair<std::string, std::string>> out;
  std::map<std::string, Last> now;
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    if (!pipeline.runs || pipeline.bounded) continue;
    Last last = last_[pipeline.name];
    if (pipeline.counters.records < last.counters.records) last = {};  // another run
    const Milliseconds since = snapshot.uptime - last.at;
    if (!is_idle(last.counters, pipeline.counters) || !trouble_line(pipeline).empty())
      out.emplace_back(
          pipeline.name,
          state_of(pipeline) + " (" +
              count(per_second(pipeline.counters.records - last.counters.records, since)) + "/s)");
    now[pipeline.name] = {pipeline.counters, snapshot.uptime};
  }
  last_ = std::move(now);
  return out;
}

}  // namespace leat
