#include "task/resume.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "spool/spool.h"

namespace leat {
namespace {

constexpr Milliseconds kFirstRetry{500};
constexpr Milliseconds kLongestRetry{30'000};

}  // namespace

Resume::Resume(const ResumeSetup& setup)
    : setup_(setup),
      backoff_(random_number()),
      growing_(kFirstRetry, kLongestRetry),
      retry_(setup.loop, random_number(),
             [this] { growing_.begin(setup_.loop.clock().monotonic_us()); }) {}

void Resume::start(std::function<void(Result<ResumedFrom>)> done,
                   std::function<void()> on_trouble) {
  done_ = std::move(done);
  on_trouble_ = std::move(on_trouble);
  setup_.journal.open_spool(setup_.name, lifetime_.guard([this](Result<SpoolState> spool) {
    if (!spool) return finish(fail(spool.error()));
    point_.spool = std::move(*spool);
  }),
                            setup_.replay == Replay::kFromPosition);
  // Answered behind the spool, since the journal keeps the order of what it is asked.
  setup_.journal.load(setup_.name,
                      lifetime_.guard([this](Result<std::vector<SavedPosition>> saved) {
                        if (!done_) return;
                        if (!saved) return finish(fail(saved.error()));
                        point_.saved = std::move(*saved);
                        if (setup_.config.exactly_once) return ask_sink();
                        count_spooled(point_.saved);
                      }));
}

void Resume::ask_sink() {
  setup_.sink.load_positions(lifetime_.guard(
      [this](Result<std::vector<SavedPosition>> saved) { sink_has_answered(std::move(saved)); }));
}

void Resume::kick() {
  if (!retry_.left()) return;
  retry_.stop();
  ask_sink();
}

void Resume::sink_has_answered(Result<std::vector<SavedPosition>> saved) {
  const bool first = trouble_.empty();
  trouble_.clear();
  if (saved) {
    retry_.stop();
    if (!first) log::info(setup_.name, "the sink has said where to resume");
    return count_spooled(*saved);
  }
  if (saved.error().kind() != ErrorKind::kUnavailable) return finish(fail(saved.error()));
  trouble_ = saved.error().message();
  on_trouble_();
  const int64_t now = setup_.loop.clock().monotonic_us();
  if (first) {
    growing_.begin(now);
    log::warn(setup_.name, "waiting for the sink to say where to resume: " + trouble_);
  }
  Milliseconds longest = growing_.at(now);
  retry_.start(backoff_.between(longest / 2, longest), Milliseconds{0}, [this] { ask_sink(); });
}

// `delivered`: how far the sink, or for the sake of it the journal, has come.
void Resume::count_spooled(const std::vector<SavedPosition>& delivered) {
  const std::string spool = Spool::partition(point_.spool.epoch);
  auto of_spool = [&spool](const SavedPosition& position) { return position.partition == spool; };
  auto reached = std::find_if(delivered.begin(), delivered.end(), of_spool);
  if (reached != delivered.end())
    point_.spool_delivered = std::strtoull(reached->value.c_str(), nullptr, 10);
  if (setup_.config.exactly_once && setup_.config.spool.mode == SpoolMode::kNever) {
    point_.noted = std::move(point_.saved);
    point_.saved = delivered;
  }
  std::erase_if(point_.saved, of_spool);
  if (point_.spool.end == point_.spool.first) return finish(std::move(point_));
  setup_.journal.count_spooled(setup_.name, point_.spool_delivered,
                               lifetime_.guard([this](Result<SpoolTotals> totals) {
                                 if (!totals) return finish(fail(totals.error()));
                                 point_.spool_left = *totals;
                                 finish(std::move(point_));
                               }));
}

// Whoever is told may destroy this.
void Resume::finish(Result<ResumedFrom> result) {
  std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace leat
