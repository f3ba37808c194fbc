#include "table/table_group.h"

#include <utility>

#include "base/log.h"
#include "options/option_errors.h"

namespace leat::table {

// One table, and what it sees of the task: all of it, but for the end.
class TableGroup::Member final : public SourceContext {
 public:
  Member(TableGroup& group, size_t number, std::string table)
      : group_(group), number_(static_cast<uint32_t>(number)), table_(std::move(table)) {}

  const std::string& table() const { return table_; }
  Source* source() const { return source_.get(); }
  Source* reading() const { return stopped_ ? nullptr : source_.get(); }
  void set_source(std::unique_ptr<Source> source) { source_ = std::move(source); }
  // What it was asked for of positions is over.
  void let_go() {
    stopped_ = true;
    if (acked_ == emitted_) source_.reset();
  }
  void acked(const Position& position) {
    if (source_ == nullptr) return;
    source_->acked(position);
    acked_ = position.offset;
    if (stopped_ && acked_ == emitted_) source_.reset();
  }
  uint64_t bytes() const { return bytes_; }

  // SourceContext.
  Loop& loop() override { return task().loop(); }
  const std::string& pipeline() override { return task().pipeline(); }
  const std::string& agent() override { return task().agent(); }
  bool exactly_once() override { return task().exactly_once(); }
  size_t batch_bytes() const override { return group_.context_->batch_bytes(); }
  Budget& budget() override { return task().budget(); }
  const Framing* framing() override { return task().framing(); }
  bool needs_preamble() override { return task().needs_preamble(); }
  bool passes_rows() override { return task().passes_rows(); }
  const std::vector<SavedPosition>& saved() override { return task().saved(); }
  const std::vector<SavedPosition>& noted() override { return task().noted(); }
  BatchRef new_batch(Content content) override { return task().new_batch(content); }
  void emit(BatchRef batch) override {
    batch->begin.partition = batch->end.partition = number_;
    emitted_ = batch->end.offset;
    task().emit(std::move(batch));
  }
  void finished(Status status) override { group_.finished(status); }
  void in_flight_full(bool full, Milliseconds patience) override {
    task().in_flight_full(full, patience);
  }
  void save(SavedPosition what, std::function<void(Status)> done) override {
    task().save(std::move(what), std::move(done));
  }
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override {
    task().note(std::move(what), survives, std::move(done));
  }
  void progress(uint64_t bytes_done, std::optional<uint64_t> /*bytes_total*/) override {
    bytes_ = bytes_done;
    uint64_t all = 0;
    for (const auto& one : group_.members_) all += one->bytes();
    task().progress(all, std::nullopt);
  }

 private:
  SourceContext& task() { return *group_.context_; }

  TableGroup& group_;
  const uint32_t number_;
  const std::string table_;
  std::unique_ptr<Source> source_;  // while it is read, and then until all of it is acknowledged
  bool stopped_ = false;
  uint64_t emitted_ = 0;
  uint64_t acked_ = 0;
  uint64_t bytes_ = 0;
};

Result<std::unique_ptr<Source>> TableGroup::make(const Options& options, MakeOne make_one) {
  const std::vector<std::string>& tables = options.strings("tables");
  if (tables.empty()) return make_one(options);
  OptionErrors errors;
  for (const char* other : {"table", "query"})
    if (options.has(other)) errors.add(options, other, "and \"tables\" do not go together");
  if (!Settings::is_bounded(options))
    errors.add(options, "tables", "are read one after the other: for mode full, or with \"once\"");
  Settings::check_names(options, "tables", errors);
  if (Status status = errors.status(); !status) return fail(status.error());
  for (const std::string& table : tables)
    if (auto one = make_one(Settings::of_table(options, table)); !one) return fail(one.error());
  return std::unique_ptr<Source>(new TableGroup(options, make_one));
}

TableGroup::TableGroup(const Options& options, MakeOne make_one)
    : options_(options), make_one_(make_one) {
  for (const std::string& table : options_.strings("tables"))
    members_.push_back(std::make_unique<Member>(*this, members_.size(), table));
}

TableGroup::~TableGroup() = default;

Status TableGroup::open(SourceContext& context) {
  context_ = &context;
  timer_.emplace(context.loop());
  return begin(0);
}

Status TableGroup::begin(size_t index) {
  current_ = index;
  Member& member = *members_[index];
  auto made = make_one_(Settings::of_table(options_, member.table()));
  if (!made) return fail(made.error());
  member.set_source(std::move(*made));
  log::info(context_->pipeline(), "begins with the table " + member.table() + ", " +
                                      std::to_string(index + 1) + " of " +
                                      std::to_string(members_.size()));
  return member.source()->open(member);
}

// Behind what it has called, since it is closed now.
void TableGroup::finished(const Status& status) {
  if (!status || current_ + 1 == members_.size()) return context_->finished(status);
  timer_->start_next_turn([this] {
    closing_ = true;
    members_[current_]->source()->stop([this] { closed(); });
  });
}

void TableGroup::closed() {
  closing_ = false;
  members_[current_]->let_go();
  if (on_closed_) return std::exchange(on_closed_, nullptr)();
  timer_->start_next_turn([this] { next(); });
}

void TableGroup::next() {
  if (Status begun = begin(current_ + 1); !begun) context_->finished(begun);
}

void TableGroup::resume() {
  Source* source = members_[current_]->reading();
  if (source != nullptr && !closing_) source->resume();
}

void TableGroup::stop(std::function<void()> closed) {
  timer_.reset();
  if (closing_) {
    on_closed_ = std::move(closed);
  } else if (Source* source = members_[current_]->reading(); source != nullptr) {
    source->stop(std::move(closed));
  } else {
    closed();
  }
}

void TableGroup::acked(const Position& position) {
  members_[position.partition]->acked(position);
}

SavedPosition TableGroup::saved_position(const Position& position) {
  Source* source = members_[position.partition]->source();
  return source == nullptr ? SavedPosition{} : source->saved_position(position);
}

std::string TableGroup::describe(const Position& position) {
  const Member& member = *members_[position.partition];
  return member.source() == nullptr ? "table " + member.table()
                                    : member.source()->describe(position);
}

}  // namespace leat::table
