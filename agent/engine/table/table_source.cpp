#include "table/table_source.h"

#include <algorithm>

#include "base/text.h"
#include "loop/loop.h"
#include "table/sql_text.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

constexpr Milliseconds kHeldForLong{60'000};
constexpr size_t kMostLooks = 64;

}  // namespace

TableSource::TableSource(Settings settings, std::unique_ptr<Database> database, Part part)
    : settings_(std::move(settings)),
      database_(std::move(database)),
      part_(std::move(part)),
      partition_("table " + part_.label(settings_.name())),
      attempts_(settings_.is_bounded()) {}

Status TableSource::open(SourceContext& context) {
  context_ = &context;
  if (Status loaded = load(); !loaded) return loaded;
  log_.charge_to(context.budget());
  if (Status opened = database_->open(context); !opened) return opened;
  timer_.emplace(context.loop());
  timer_->start_next_turn([this] { position_.done ? end() : look(); });
  return {};
}

Status TableSource::load() {
  const std::string ranges = SavedSplit(settings_.name()).partition();
  for (const auto* list : {&context_->noted(), &context_->saved()}) {
    for (const SavedPosition& one : *list) {
      if (part_.division == nullptr && one.partition == ranges)
        return fail(ErrorKind::kUsage,
                    partition_ +
                        " was read in ranges: go on with \"split\", or begin anew with `leat "
                        "positions reset`");
      if (one.partition != partition_) continue;
      Result<TablePosition> read = TablePosition::parse(one.value);
      if (!read) return fail(read.error());
      position_ = std::move(*read);
      saved_ = true;
    }
  }
  if (saved_ && position_.upto != part_.upto())
    return fail(ErrorKind::kUsage, partition_ +
                                       ": the saved position is of another range: begin anew with "
                                       "`leat positions reset`");
  position_.upto = part_.upto();
  return {};
}

void TableSource::resume() {
  if (!timer_) return;
  switch (std::exchange(waits_, Waits::kNot)) {
    case Waits::kNot:
      return;
    case Waits::kToBegin:
      return next_page();
    case Waits::kInPage:
      return database_->go_on();
  }
}

void TableSource::stop(std::function<void()> closed) {
  timer_.reset();
  batch_.reset();
  if (context_ == nullptr) return closed();
  database_->close(std::move(closed));
}

// --- a pass ---

void TableSource::look() {
  database_->look([this](Result<Look> look) { looked(std::move(look)); });
}

void TableSource::looked(Result<Look> look) {
  if (!look) return trouble(look.error());
  if (Status good = check(*look); !good) return trouble(good.error());
  if (look->numbered) remember(*look);
  if (!saved_) return begin_without_position(*look);
  begin_pass(*look);
}

Status TableSource::check(const Look& look) {
  keyed_ = !look.cursor.empty();
  if (!keyed_ && context_->exactly_once())
    return fail(ErrorKind::kUsage,
                partition_ +
                    " has no key: without one it cannot be gone on behind a row, as "
                    "exactlyOnce needs it");
  if (!saved_) position_.cursor = part_.division ? part_.division->cursor : look.cursor;
  if (position_.cursor != look.cursor)
    return fail(ErrorKind::kUsage, partition_ + ": the saved position is of the cursor (" +
                                       joined(position_.cursor) + "), and not (" +
                                       joined(look.cursor) +
                                       "): begin anew with `leat positions reset`");
  if (!saved_) return {};
  if (!look.numbered) {
    if (position_.low == 0 && position_.high == 0) return {};
    return fail(ErrorKind::kUsage, partition_ +
                                       ": the saved position counts transactions, which this "
                                       "server or these options do not: begin anew with "
                                       "`leat positions reset`");
  }
  if (!position_.system.empty() && !look.system.empty() && position_.system != look.system)
    begin_anew("it is another database than before");
  else if (look.oldest < position_.low || look.oldest < position_.high)
    begin_anew("its transactions have smaller numbers than before, as those of a copy");
  // What was read by a delay: from there on.
  if (!position_.full && position_.low == 0) position_.full = true;
  return {};
}

void TableSource::begin_anew(const std::string& why) {
  log::warn(context_->pipeline(), partition_ + ": " + why + "; it is read from the start");
  TablePosition anew;
  anew.cursor = position_.cursor;
  anew.full = true;
  position_ = std::move(anew);
  looks_.clear();
}

// What is meant by "now" must not be forgotten before the first row comes.
void TableSource::begin_without_position(const Look& look) {
  saved_ = true;
  const bool now = settings_.mode == Mode::kIncremental && settings_.from.empty();
  position_.full = !now;
  position_.system = look.system;
  if (!settings_.query.empty() && keyed_) position_.after = settings_.from;
  if (part_.division) position_.after = part_.above();
  if (!now) return begin_pass(look);
  position_.low = look.numbered ? look.oldest : 0;
  if (!look.numbered) {
    position_.floor = look.upper;
    position_.after = look.last;
  }
  context_->note({{partition_, position_.json()}}, SourceContext::Survives::kPowerCut,
                 lifetime_.guard([this](const Status& noted) {
                   if (!timer_) return;
                   if (noted) return settings_.once ? end() : wait_for_more();
                   saved_ = false;
                   trouble(Error(ErrorKind::kUnavailable, noted.error().message()));
                 }));
}

void TableSource::begin_pass(const Look& look) {
  // Without a last row a page would have no end, and give rows of which lower ones may still come.
  if (look.settle && look.last.empty()) {
    well();
    return settings_.once ? end() : wait_for_more();
  }
  const bool goes_on = position_.high != 0;
  began_here_ = !goes_on;
  if (look.numbered && !goes_on) {
    if (!position_.full && look.oldest == position_.low) {
      settings_.once ? say_what_is_left(look) : say_who_holds(look);
      well();
      return settings_.once ? end() : wait_for_more();
    }
    held_since_.reset();
    if (settings_.once) say_what_is_left(look);
    position_.next_since = since(look.oldest);
    position_.high = look.oldest;
    position_.system = look.system;
  }
  upper_ = look.upper;
  last_ = part_.division ? part_.upto() : look.last;
  pass_ = std::make_shared<const TablePosition>(position_);
  if (look.settle && settings_.consistency_delay.count() > 0)
    return timer_->start(settings_.consistency_delay, [this] { next_page(); });
  next_page();
}

// A moment at which transaction `number` had no number yet.
std::string TableSource::since(uint64_t number) const {
  std::string found = position_.low != 0 ? position_.since : "";
  for (const auto& [next, now] : looks_)
    if (next <= number) found = now;
  return found;
}

void TableSource::remember(const Look& look) {
  looks_.emplace_back(look.next, look.now);
  while (looks_.size() > 1 && looks_[1].first <= look.oldest) looks_.pop_front();
  if (looks_.size() > kMostLooks) looks_.erase(looks_.begin() + 1);
}

void TableSource::say_who_holds(const Look& look) {
  if (look.next == look.oldest) return held_since_.reset();
  const Milliseconds now = context_->loop().now();
  if (!held_since_) held_since_ = now;
  if (now - *held_since_ < kHeldForLong || !held_said_.due(context_->loop().clock().monotonic_us()))
    return;
  log::warn(context_->pipeline(),
            partition_ + ": a transaction that is still open has held back what is new for " +
                format_duration(now - *held_since_) +
                (look.holder.empty() ? "" : ": " + look.holder));
}

// No later pass of this run reads it.
void TableSource::say_what_is_left(const Look& look) {
  // With one number behind the oldest, nobody else has written.
  if (look.next - look.oldest < 2) return;
  log::warn(context_->pipeline(),
            partition_ +
                ": what was written since the oldest open transaction began is left to the next "
                "run" +
                (look.holder.empty() ? "" : ": " + look.holder));
}

void TableSource::next_page() {
  if (!batch_) batch_ = context_->new_batch(Content::kRecords);
  if (!batch_) {
    waits_ = Waits::kToBegin;
    return;
  }
  database_->read(Page{position_, upper_, last_}, *this,
                  [this](Result<bool> last) { page_read(std::move(last)); });
}

void TableSource::page_read(Result<bool> last) {
  if (!last) return trouble(last.error());
  well();
  if (!*last) return next_page();
  pass_over();
}

void TableSource::pass_over() {
  if (!keyed_) done_at_ = rows_;
  flush();
  if (settings_.mode == Mode::kFull) return end();
  const bool was_new = !position_.full || position_.high == 0;
  if (position_.high != 0) {
    position_.low = std::exchange(position_.high, 0);
    position_.since = std::exchange(position_.next_since, "");
    position_.after.clear();
    position_.floor.clear();
    position_.full = false;
  }
  if (settings_.once && was_new && began_here_) return end();
  // A full read takes its time: much may be new.
  if (was_new && began_here_) return wait_for_more();
  timer_->start_next_turn([this] { look(); });
}

void TableSource::wait_for_more() {
  timer_->start(settings_.every, [this] { look(); });
}

void TableSource::end() {
  batch_.reset();
  timer_->stop();
  context_->finished({});
}

void TableSource::trouble(const Error& error) {
  waits_ = Waits::kNot;
  if (keyed_) {
    flush();
  } else {  // all of it comes again
    batch_.reset();
    batch_bytes_ = 0;
    rows_ = emitted_;
  }
  const int64_t now = context_->loop().clock().monotonic_us();
  if (error.kind() != ErrorKind::kUnavailable) {
    batch_.reset();
    return context_->finished(fail(error));
  }
  away_ = !database_->answers();
  const Result<Milliseconds> wait = attempts_.failed(error, now);
  if (!wait) {
    batch_.reset();
    return context_->finished(
        fail(ErrorKind::kUnavailable, partition_ + ": " + wait.error().message()));
  }
  if (attempts_.to_be_said(now))
    log::warn(context_->pipeline(),
              partition_ + ": " + error.message() +
                  (keyed_ || rows_ == 0
                       ? "; trying again until the table can be read"
                       : "; it has no key: it is read from the start again, until it can be read"));
  timer_->start(*wait, [this] { look(); });
}

void TableSource::well() {
  away_ = false;
  if (auto lasted = attempts_.went_well(context_->loop().clock().monotonic_us()))
    log::info(context_->pipeline(),
              partition_ + ": can be read again after " + format_duration(*lasted));
}

// --- rows ---

Batch* TableSource::room() {
  if (batch_ && batch_bytes_ >= context_->batch_bytes()) flush();
  if (!batch_) {
    batch_ = context_->new_batch(Content::kRecords);
    table_name_ = {};
  }
  if (!batch_) waits_ = Waits::kInPage;
  return batch_ ? &*batch_ : nullptr;
}

void TableSource::add(const ShapeRef& shape, Value* values, size_t bytes,
                      std::span<const std::string_view> key) {
  Record record;
  record.shape = shape.get();
  record.values = values;
  if (settings_.table_field.empty())
    batch_->adopt(shape);
  else
    name_table(record, shape);
  record.end_offset = record.end_line = static_cast<uint32_t>(++rows_ - emitted_);
  batch_->records.push_back(record);
  batch_bytes_ += bytes + sizeof(Record);
  bytes_ += bytes;
  stands_at(key);
}

// The last field, or in the place of a column of that name.
void TableSource::name_table(Record& record, const ShapeRef& shape) {
  if (table_name_.empty()) table_name_ = batch_->arena.copy(settings_.name());
  const size_t columns = shape->size();
  const int known = shape->find(settings_.table_field);
  if (columns_ != shape) {
    columns_ = named_columns_ = shape;
    if (known < 0) {
      std::vector<std::string_view> names;
      for (size_t i = 0; i < columns; ++i) names.push_back(shape->name(i));
      names.push_back(settings_.table_field);
      named_columns_ = std::make_shared<const Shape>(names);
    }
  }
  batch_->adopt(named_columns_);
  Value* values = record.values;
  if (known < 0) {
    values = batch_->arena.array<Value>(columns + 1);
    std::copy_n(record.values, columns, values);
    batch_bytes_ += (columns + 1) * sizeof(Value);
  }
  values[known < 0 ? columns : static_cast<size_t>(known)] =
      Value::of_text(Type::kString, table_name_);
  record.shape = named_columns_.get();
  record.values = values;
}

bool TableSource::too_long(std::span<const std::string_view> key, size_t bytes) {
  Batch* batch = room();
  if (batch == nullptr) return false;
  ++rows_;
  stands_at(key);
  const std::string which =
      keyed_ ? "(" + joined(position_.cursor) + ") = (" + joined(position_.after) + ")"
             : "row " + std::to_string(rows_);
  const std::string why = "the row is longer than maxRecord (" +
                          format_bytes(static_cast<int64_t>(settings_.max_record)) + ")" +
                          (bytes == 0 ? "" : ": " + format_bytes(static_cast<int64_t>(bytes)));
  batch->rejected.push_back(
      {batch->arena.copy(which), batch->arena.copy(why), static_cast<uint32_t>(rows_ - emitted_)});
  flush();  // a dead letter stands at the end of its batch
  return true;
}

void TableSource::stands_at(std::span<const std::string_view> key) {
  if (!keyed_) return;
  log_.add(pass_, key);
  position_.after.resize(key.size());
  for (size_t i = 0; i < key.size(); ++i) position_.after[i] = key[i];
}

void TableSource::flush() {
  batch_bytes_ = 0;
  BatchRef batch = std::exchange(batch_, {});
  if (!batch || (batch->records.empty() && batch->rejected.empty())) return;
  batch->begin.offset = batch->begin.line = emitted_;
  emitted_ = rows_;
  batch->end.offset = batch->end.line = emitted_;
  batch->arrival_us = context_->loop().clock().unix_us();
  for (Record& record : batch->records) record.time_us = batch->arrival_us;
  context_->progress(bytes_, std::nullopt);
  context_->emit(std::move(batch));
}

SavedPosition TableSource::saved_position(const Position& position) {
  std::optional<TablePosition> saved;
  if (keyed_) {
    saved = log_.position(position.offset);
  } else if (done_at_ == position.offset) {
    saved.emplace();
    saved->done = true;
  }
  if (!saved) return {};
  return {partition_, saved->json()};
}

std::string TableSource::describe(const Position& position) {
  std::optional<TablePosition> at = keyed_ ? log_.position(position.offset) : std::nullopt;
  if (!at) return partition_ + ":" + std::to_string(position.line);
  return partition_ + ", row (" + excerpt(joined(at->after)) + ")";
}

}  // namespace leat::table
