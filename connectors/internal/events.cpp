#include "events.h"

#include <algorithm>
#include <memory>

namespace leat {
namespace {

constexpr size_t kMostReady = 256;  // while the pipeline takes nothing

std::vector<EventKind> kinds_of(const std::vector<std::string>& names) {
  std::vector<EventKind> out;
  for (size_t at = 0; at < kEventNames.size(); ++at) {
    const auto kind = static_cast<EventKind>(at);
    const bool wanted = names.empty() ? kind != EventKind::kPipelineState
                                      : std::ranges::find(names, kEventNames[at]) != names.end();
    if (wanted) out.push_back(kind);
  }
  return out;
}

}  // namespace

EventsSource::EventsSource(const Options& options)
    : least_(options.duration("minInterval")),
      kinds_(kinds_of(options.strings("events"))),
      shape_(std::make_shared<const Shape>(
          std::vector<std::string_view>{"agent", "time", "event", "pipeline", "text", "count"})) {}

Status EventsSource::open(SourceContext& context) {
  context_ = &context;
  timer_.emplace(context.loop());
  context.hear_agent(lifetime_.guard([this](const AgentEvent* event) { heard(event); }));
  return {};
}

void EventsSource::heard(const AgentEvent* event) {
  if (!timer_ || ends_) return;
  if (event == nullptr) {
    ends_ = true;
    take_due(true);
    return tell();
  }
  if (std::ranges::find(kinds_, event->kind) == kinds_.end()) return;
  Kept& kept = kept_[{event->kind, event->pipeline}];
  kept.event = *event;
  ++kept.count;
  take_due(false);
  tell();
}

void EventsSource::stop(std::function<void()> closed) {
  timer_.reset();
  closed();
}

// What was not told of for so long, and does not repeat, is forgotten.
void EventsSource::take_due(bool all) {
  const Milliseconds now = context_->loop().now();
  std::optional<Milliseconds> next;
  for (auto at = kept_.begin(); at != kept_.end();) {
    Kept& kept = at->second;
    if (kept.due <= now || (all && kept.count > 0)) {
      if (kept.count == 0) {
        at = kept_.erase(at);
        continue;
      }
      ready_.push_back({std::move(kept.event), std::exchange(kept.count, 0)});
      kept.due = now + least_;
    } else if (kept.count > 0 && (!next || kept.due < *next)) {
      next = kept.due;
    }
    ++at;
  }
  while (ready_.size() > kMostReady) ready_.pop_front();
  if (next)
    timer_->start(*next - now, [this] {
      take_due(false);
      tell();
    });
}

void EventsSource::tell() {
  if (!timer_) return;
  if (!ready_.empty()) {
    BatchRef batch = context_->new_batch(Content::kRecords);
    if (!batch) return;  // resume() follows
    batch->adopt(shape_);
    batch->arrival_us = context_->loop().clock().unix_us();
    for (const Told& told : ready_) batch->records.push_back(record_of(*batch, told));
    ready_.clear();
    batch->begin.offset = batch->begin.line = told_;
    told_ += batch->records.size();
    batch->end.offset = batch->end.line = told_;
    context_->emit(std::move(batch));
  }
  if (!ends_) return;
  timer_.reset();  // nothing more is told
  context_->finished({});
}

Record EventsSource::record_of(Batch& batch, const Told& told) const {
  auto text = [&batch](std::string_view from) {
    return Value::of_text(Type::kString, batch.arena.copy(from));
  };
  Record record;
  record.shape = shape_.get();
  record.time_us = told.event.time_us;
  record.values = batch.arena.array<Value>(shape_->size());
  record.values[0] = text(context_->agent());
  record.values[1] = Value::of_time(told.event.time_us);
  record.values[2] = text(name_of(told.event.kind));
  record.values[3] = told.event.pipeline.empty() ? Value::null() : text(told.event.pipeline);
  record.values[4] = text(told.event.text);
  record.values[5] = Value::of_integer(told.count);
  record.end_offset = record.end_line = static_cast<uint32_t>(batch.records.size() + 1);
  return record;
}

}  // namespace leat
