#include "task/resume.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/units.h"
#include "loop/pool.h"
#include "spool/spool.h"
#include "state/state.h"

namespace leat {
namespace {

constexpr Milliseconds kFirstRetry{500};
constexpr Milliseconds kLongestRetry{30'000};

}  // namespace

Resume::Resume(const ResumeSetup& setup)
    : setup_(setup),
      backoff_(random_number()),
      outage_(kFirstRetry, kLongestRetry),
      retry_(setup.loop, random_number(),
             [this] { outage_.changed(setup_.loop.clock().monotonic_us()); }) {}

bool Resume::sink_keeps_all() const {
  return setup_.config.exactly_once && setup_.config.spool.mode == SpoolMode::kNever;
}

void Resume::start(std::function<void(Result<ResumedFrom>)> done,
                   std::function<void()> on_trouble) {
  done_ = std::move(done);
  on_trouble_ = std::move(on_trouble);
  begin();
}

void Resume::begin() {
  setup_.journal.open_spool(setup_.name, lifetime_.guard([this](Result<SpoolState> spool) {
    if (!spool) return finish(fail(spool.error()));
    point_.spool = std::move(*spool);
  }),
                            setup_.replay == Replay::kFromPosition);
  // Answered behind the spool, since the journal keeps the order of what it is asked.
  setup_.journal.load(
      setup_.name, lifetime_.guard([this](Result<std::vector<SavedPosition>> saved) {
        if (!done_) return;
        if (!saved) return finish(fail(saved.error()));
        point_.saved = std::move(*saved);
        orders_ = take_orders(point_.saved);
        auto drop = std::ranges::find(orders_, kDropOrder, &SavedPosition::partition);
        if (drop != orders_.end()) return drop_spooled(drop->value);
        if (setup_.config.exactly_once) return ask_sink();
        follow_orders(point_.saved);
      }));
}

// What is there is looked at again then.
void Resume::drop_spooled(const std::string& to) {
  setup_.journal.work_on(
      true,
      [name = setup_.name, number = std::strtoull(to.c_str(), nullptr, 10)](
          std::unique_ptr<JournalDatabase>& journal) -> Result<std::string> {
        Result<SpoolRemoved> removed = carry_out_drop(*journal, name, number);
        if (!removed) return fail(removed.error());
        return format_count(removed->records, "spooled record");
      },
      lifetime_.guard([this](Result<std::string> dropped) {
        if (!dropped) return finish(fail(dropped.error()));
        log::warn(setup_.name, *dropped + " dropped, as ordered");
        begin();
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
  if (saved) {
    retry_.stop();
    if (outage_.lasts()) log::info(setup_.name, "the sink has said where to resume");
    outage_.over();
    std::erase_if(*saved, [](const SavedPosition& one) { return one.value.empty(); });  // reset
    return follow_orders(std::move(*saved));
  }
  if (saved.error().kind() != ErrorKind::kUnavailable) return finish(fail(saved.error()));
  const int64_t now = setup_.loop.clock().monotonic_us();
  const bool first = !outage_.lasts();
  outage_.failed(saved.error().message(), now);
  on_trouble_();
  if (first) log::warn(setup_.name, "waiting for the sink to say where to resume: " + trouble());
  Milliseconds longest = outage_.delay(now);
  retry_.start(backoff_.between(longest / 2, longest), Milliseconds{0}, [this] { ask_sink(); });
}

// `positions`: where they are kept, the sink's or the journal's.
void Resume::follow_orders(std::vector<SavedPosition> positions) {
  const bool any = std::ranges::any_of(
      orders_, [](const SavedPosition& one) { return one.partition.starts_with(kResetOrder); });
  if (!any) return count_spooled(positions);
  auto carry_out = [saved = sink_keeps_all() ? positions : point_.saved, orders = orders_,
                    &source = setup_.source, replay = setup_.replay] {
    return carry_out_resets(orders, source, replay, saved);
  };
  run_in_pool(setup_.loop, lifetime_, std::move(carry_out),
              [this, positions = std::move(positions)](CarriedOut done) mutable {
                reset(std::move(positions), std::move(done));
              });
}

// The sink first, where it has the positions: until the orders are forgotten nothing is delivered,
// so to carry them out once more after a crash changes nothing.
void Resume::reset(std::vector<SavedPosition> positions, CarriedOut done) {
  for (const std::string& line : done.told) log::warn(setup_.name, "as ordered: " + line);
  if (!sink_keeps_all() || done.moved.empty())
    return forget_orders(std::move(positions), std::move(done.moved));
  setup_.moved.key = std::string(32, '0');
  setup_.moved.positions = done.moved;
  setup_.sink.deliver(
      setup_.moved, lifetime_.guard([this, positions, moved = done.moved](Answer answer) {
        if (answer.outcome == Outcome::kDelivered) return forget_orders(positions, moved);
        const bool again = answer.outcome == Outcome::kRetry || answer.outcome == Outcome::kCutOff;
        sink_has_answered(fail(again ? ErrorKind::kUnavailable : ErrorKind::kFatal, answer.reason));
      }));
}

void Resume::forget_orders(std::vector<SavedPosition> positions, std::vector<SavedPosition> moved) {
  std::vector<SavedPosition> changes;
  if (!sink_keeps_all()) changes = moved;
  // What the source noted is of the run that is over, where it can do no more than begin anew.
  const auto of_run = [this](const SavedPosition& one) {
    return sink_keeps_all() && setup_.source.move_position == nullptr &&
           setup_.replay == Replay::kFromPosition && !is_state(one.partition) &&
           !one.partition.starts_with("spool:");
  };
  for (const SavedPosition& one : point_.saved)
    if (of_run(one)) changes.push_back({one.partition, ""});
  std::erase_if(point_.saved, of_run);
  for (const SavedPosition& order : orders_)
    if (order.partition.starts_with(kResetOrder)) changes.push_back({order.partition, ""});
  // What was counted before would be counted again. But what a schedule reads anew is another
  // reading, of which transforms tell what has changed since the last one.
  const bool operator_has = std::ranges::any_of(orders_, [](const SavedPosition& one) {
    return one.partition.starts_with(kResetOrder) && one.value != kAnew;
  });
  const auto is_forgotten = [operator_has](const SavedPosition& one) {
    return operator_has && is_state(one.partition);
  };
  for (const SavedPosition& one : point_.saved)
    if (is_forgotten(one)) changes.push_back({one.partition, ""});
  if (std::erase_if(point_.saved, is_forgotten) > 0)
    log::warn(setup_.name, "as ordered: what its transforms remember is forgotten");
  auto apply = [&moved](std::vector<SavedPosition>& to) {
    for (const SavedPosition& one : moved)
      for (SavedPosition& known : to)
        if (known.partition == one.partition) known.value = one.value;
    std::erase_if(to, [](const SavedPosition& one) { return one.value.empty(); });
  };
  apply(sink_keeps_all() ? positions : point_.saved);
  setup_.journal.commit(setup_.name, std::move(changes),
                        lifetime_.guard([this, positions](const Status& status) {
                          if (!status) return finish(fail(status.error()));
                          count_spooled(positions);
                        }),
                        JournalClient::Durability::kPower);
}

// `delivered`: how far the sink, or for the sake of it the journal, has come.
// What both say of the spool is true: of what an operator dropped only the journal knows.
void Resume::count_spooled(const std::vector<SavedPosition>& delivered) {
  const std::string spool = Spool::partition(point_.spool.epoch);
  auto of_spool = [&spool](const SavedPosition& position) { return position.partition == spool; };
  for (const auto* said : {&delivered, &std::as_const(point_.saved)}) {
    auto reached = std::find_if(said->begin(), said->end(), of_spool);
    if (reached != said->end())
      point_.spool_delivered = std::max<uint64_t>(
          point_.spool_delivered, std::strtoull(reached->value.c_str(), nullptr, 10));
  }
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
