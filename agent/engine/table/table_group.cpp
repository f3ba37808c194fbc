#include "table/table_group.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "options/option_errors.h"
#include "table/sql_text.h"
#include "table/table_list.h"
#include "table/table_source.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

// What several batches at once may aim at, in bytes: with less, what each costs would show.
constexpr size_t kLeastBatch = 64 * 1024;
constexpr size_t kReasonsTold = 3;
constexpr size_t kAtOnce = 4;  // by default

Result<std::unique_ptr<TableSource>> make_one(const Options& options,
                                              TableGroup::MakeDatabase make_database,
                                              Part part = {}) {
  // It says what is wrong with all of them.
  Result<std::unique_ptr<Database>> database = make_database(options);
  if (!database) return fail(database.error());
  Result<Settings> settings = Settings::from_options(options);
  if (!settings) return fail(settings.error());
  return std::make_unique<TableSource>(std::move(*settings), std::move(*database), std::move(part));
}

}  // namespace

// One table, and what it sees of the task: all of it, but for the end.
class TableGroup::Member final : public SourceContext {
 public:
  Member(TableGroup& group, size_t number, std::string table, Part part)
      : group_(group),
        number_(static_cast<uint32_t>(number)),
        table_(std::move(table)),
        part_(std::move(part)) {
    task_.name = part_.label(table_);
  }

  const std::string& table() const { return table_; }
  const Part& part() const { return part_; }

  const SourceTask& task() const { return task_; }
  TableSource* source() const { return source_.get(); }
  size_t reader() const { return reader_; }
  Status begin(std::unique_ptr<TableSource> source, size_t reader) {
    source_ = std::move(source);
    reader_ = reader;
    task_.state = SourceTask::State::kRunning;
    return source_->open(*this);
  }
  void end(const Status& status) {
    task_.state = status ? SourceTask::State::kDone : SourceTask::State::kFailed;
    if (status) return;
    task_.reason = status.error().message();
    kind_ = status.error().kind();
  }
  ErrorKind kind() const { return kind_; }  // of why it failed
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

  size_t memory() const { return sizeof(Member) + task_.name.capacity() + table_.capacity(); }

  // SourceContext.
  Loop& loop() override { return all().loop(); }
  const std::string& pipeline() override { return all().pipeline(); }
  const std::string& agent() override { return all().agent(); }
  bool exactly_once() override { return all().exactly_once(); }
  size_t batch_bytes() const override {
    const size_t alone = group_.context_->batch_bytes();
    if (group_.at_once_ == 1) return alone;
    return std::max(alone / group_.at_once_, std::min(alone / 2, kLeastBatch));
  }
  Budget& budget() override { return all().budget(); }
  const Framing* framing() override { return all().framing(); }
  bool needs_preamble() override { return all().needs_preamble(); }
  bool passes_rows() override { return all().passes_rows(); }
  const std::vector<SavedPosition>& saved() override { return all().saved(); }
  const std::vector<SavedPosition>& noted() override { return all().noted(); }
  BatchRef new_batch_for(size_t /*reader*/, Content content) override {
    return all().new_batch_for(reader_, content);
  }
  void emit(BatchRef batch) override {
    batch->begin.partition = batch->end.partition = number_;
    task_.records += batch->end.offset - emitted_;
    emitted_ = batch->end.offset;
    all().emit(std::move(batch));
  }
  void finished(Status status) override { group_.ended(*this, status); }
  void in_flight_full(bool full, Milliseconds patience) override {
    all().in_flight_full(full, patience);
  }
  void save(SavedPosition what, std::function<void(Status)> done) override {
    all().save(std::move(what), std::move(done));
  }
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override {
    all().note(std::move(what), survives, std::move(done));
  }
  void progress(uint64_t bytes_done, std::optional<uint64_t> /*bytes_total*/) override {
    group_.bytes_ += bytes_done - task_.bytes;
    task_.bytes = bytes_done;
    all().progress(group_.bytes_, std::nullopt);
  }

 private:
  SourceContext& all() { return *group_.context_; }

  TableGroup& group_;
  const uint32_t number_;
  const std::string table_;
  const Part part_;
  SourceTask task_;
  ErrorKind kind_ = ErrorKind::kFatal;
  size_t reader_ = 0;
  std::unique_ptr<TableSource> source_;  // while it is read, and until all of it is acknowledged
  bool stopped_ = false;
  uint64_t emitted_ = 0;
  uint64_t acked_ = 0;
};

Status TableGroup::check(const Options& options) {
  OptionErrors errors;
  const bool several = !options.strings("tables").empty();
  const bool split = options.has("split");
  if (!several && !split && options.has("concurrency"))
    errors.add(options, "concurrency", "is for \"tables\" and \"split\"");
  if (several) {
    for (const char* other : {"table", "query", "split"})
      if (options.has(other)) errors.add(options, other, "and \"tables\" do not go together");
    if (!Settings::is_bounded(options))
      errors.add(options, "tables", "are the tasks of a job: for mode full, or with \"once\"");
    Settings::check_names(options, "tables", errors);
  } else if (split) {
    if (options.has("query"))
      errors.add(options, "split", "is for `table`: a query is read as one");
    if (!Settings::is_full(options))
      errors.add(options, "split", "is for mode full: what is new is read in its order");
  }
  return errors.status();
}

Result<std::unique_ptr<Source>> TableGroup::make(const Options& options,
                                                 MakeDatabase make_database) {
  if (Status status = check(options); !status) return fail(status.error());
  const std::vector<std::string>& tables = options.strings("tables");
  if (tables.empty()) {
    auto one = make_one(options, make_database);
    if (!one) return fail(one.error());
    if (!options.has("split")) return std::unique_ptr<Source>(std::move(*one));
  }
  for (const std::string& table : tables)
    if (auto one = make_one(Settings::of_table(options, table), make_database); !one)
      return fail(one.error());
  return std::unique_ptr<Source>(new TableGroup(options, make_database));
}

TableGroup::TableGroup(const Options& options, MakeDatabase make_database)
    : options_(options),
      make_database_(make_database),
      at_once_(options_.has("concurrency") ? static_cast<size_t>(options_.integer("concurrency"))
                                           : kAtOnce),
      reading_(at_once_) {}

TableGroup::~TableGroup() = default;

Status TableGroup::open(SourceContext& context) {
  context_ = &context;
  charge_ = Charge(context.budget());
  to_list_ = !options_.strings("tables").empty();
  to_split_ = options_.has("split");
  timer_.emplace(context.loop());
  wake();
  return {};
}

void TableGroup::add(const std::string& table, Part part) {
  members_.push_back(std::make_unique<Member>(*this, members_.size(), table, std::move(part)));
  charge_.add(members_.back()->memory());
}

void TableGroup::wake() {
  if (timer_) timer_->start_next_turn([this] { turn(); });
}

// What has ended is closed, what waits begins, and behind the last of them this has ended.
void TableGroup::turn() {
  for (Member* member : std::exchange(to_close_, {})) close(*member);
  if (to_list_ && asking_) return list();
  if (to_split_ && asking_) return split();
  while (may_begin()) begin(*members_[next_++]);
  const bool more = next_ < members_.size() && !away_ && asking_;
  if (!more && open_ == 0 && to_close_.empty() && !std::exchange(over_, true))
    context_->finished(result());
}

// --- what there is to read ---

void TableGroup::ask(std::unique_ptr<Question> question) {
  question_ = std::move(question);
  asks_ = true;
  ++open_;
  if (Status opened = question_->open(*context_); !opened) ask_no_more(opened);
}

void TableGroup::ask_no_more(const Status& status) {
  if (!status) asking_ = status;
  if (asks_) return close_question();
  wake();
}

void TableGroup::close_question() {
  asks_ = false;
  question_->close([this] {
    question_.reset();
    closed();
  });
}

void TableGroup::list() {
  if (question_ != nullptr) return;
  const std::vector<std::string>& names = options_.strings("tables");
  Result<std::unique_ptr<Database>> database =
      make_database_(Settings::of_table(options_, names.front()));
  if (!database) return ask_no_more(fail(database.error()));
  ask(std::make_unique<TableList>(std::move(*database), names,
                                  [this](const Tables& tables) { listed(tables); }));
}

void TableGroup::listed(const Tables& tables) {
  if (!tables) return ask_no_more(fail(tables.error()));
  constexpr std::string_view kTable = "table ";
  std::set<std::string_view> was_read;
  for (const auto* list : {&context_->noted(), &context_->saved()})
    for (const SavedPosition& one : *list)
      if (one.partition.starts_with(kTable))
        was_read.insert(std::string_view(one.partition).substr(kTable.size()));
  const std::vector<std::string>& names = options_.strings("tables");
  Result<std::vector<std::string>> to_read = each_once(names, *tables, was_read);
  if (!to_read) return ask_no_more(fail(to_read.error()));
  for (const std::string& table : *to_read) add(table);
  to_list_ = false;
  // Each needs as much again when it is shown.
  if (charge_.bytes() > context_->budget().limit() / 4)
    return ask_no_more(fail(ErrorKind::kUsage, joined(names) + " means " +
                                                   counted(members_.size()) +
                                                   ": more than agent.memory allows for"));
  ask_no_more({});
}

void TableGroup::split() {
  if (question_ != nullptr) return;
  const std::string& table = options_.string("table");
  auto known = SavedSplit(table).find(*context_);
  if (!known) return ask_no_more(fail(known.error()));
  if (*known) return add_ranges(std::move(**known));
  Result<std::unique_ptr<Database>> database = make_database_(options_);
  if (!database) return ask_no_more(fail(database.error()));
  ask(std::make_unique<TableSplit>(std::move(*database), table,
                                   static_cast<size_t>(options_.integer("split.tasks")),
                                   [this](auto division) { divided(std::move(division)); }));
}

// They are known for good before the first row is read.
void TableGroup::divided(Result<Division> division) {
  if (!division) return ask_no_more(fail(division.error()));
  context_->note({{SavedSplit(options_.string("table")).partition(), division->json()}},
                 SourceContext::Survives::kPowerCut,
                 lifetime_.guard([this, known = *division](const Status& noted) {
                   if (!timer_) return;
                   if (!noted) return ask_no_more(noted);
                   add_ranges(known);
                 }));
}

void TableGroup::add_ranges(Division division) {
  to_split_ = false;
  const std::string& table = options_.string("table");
  if (division.cursor.empty()) {
    add(table);
    log::info(context_->pipeline(),
              "the table " + table + " is read as one, as it was begun, and not in ranges");
  } else {
    const auto shared = std::make_shared<const Division>(std::move(division));
    for (size_t number = 1; number <= shared->ranges(); ++number) add(table, {shared, number});
  }
  ask_no_more({});
}

std::string TableGroup::counted(size_t members) const {
  return format_count(members, options_.has("split") ? "range" : "table");
}

// --- their lives ---

bool TableGroup::may_begin() const {
  if (next_ == members_.size() || away_ || !asking_) return false;
  const auto reading = static_cast<size_t>(
      std::ranges::count_if(reading_, [](const Member* one) { return one != nullptr; }));
  Budget& budget = context_->budget();
  return reading == 0 || (reading < at_once_ && budget.has_room(budget.limit() / 2));
}

void TableGroup::begin(Member& member) {
  const auto place = std::ranges::find(reading_, nullptr);
  log::info(context_->pipeline(),
            "begins with the table " + member.task().name +
                (member.part().division
                     ? ""
                     : ", " + std::to_string(next_) + " of " + std::to_string(members_.size())));
  auto made = make_one(Settings::of_table(options_, member.table()), make_database_, member.part());
  if (!made) return ended(member, fail(made.error()));
  *place = &member;
  ++open_;
  const auto reader = static_cast<size_t>(place - reading_.begin());
  if (Status opened = member.begin(std::move(*made), reader); !opened) ended(member, opened);
}

// A turn later it is closed: it may be in the middle of a call to here.
void TableGroup::ended(Member& member, const Status& status) {
  member.end(status);
  if (!status) {
    away_ = away_ || (member.source() != nullptr && member.source()->away());
    log::error(context_->pipeline(),
               "failed with the table " + member.task().name + ": " + status.error().message());
  }
  if (member.source() != nullptr) to_close_.push_back(&member);
  wake();
}

void TableGroup::close(Member& member) {
  member.source()->stop([this, &member] {
    reading_[member.reader()] = nullptr;
    member.let_go();
    closed();
  });
}

void TableGroup::closed() {
  --open_;
  if (!on_closed_) return wake();
  if (open_ == 0) std::exchange(on_closed_, nullptr)();
}

Status TableGroup::result() const {
  if (!asking_) return asking_;
  size_t failed = 0;
  ErrorKind kind = ErrorKind::kFatal;
  std::string which;
  for (const auto& member : members_) {
    if (member->task().state != SourceTask::State::kFailed) continue;
    // What may pass for one of them may pass for the run.
    if (failed == 0 || member->kind() == ErrorKind::kUnavailable) kind = member->kind();
    if (++failed <= kReasonsTold)
      which += (failed > 1 ? "; " : "") + member->task().name + ": " + member->task().reason;
  }
  if (failed == 0) return {};
  if (failed > kReasonsTold) which += "; …";
  std::string left;
  if (next_ < members_.size())
    left = ", and " + counted(members_.size() - next_) + " not begun, since the database is away";
  return fail(kind, std::to_string(failed) + " of " + counted(members_.size()) + " failed" + left +
                        ": " + which);
}

// --- as of any source ---

// In turns, so that none of them waits for ever where credit is scarce.
void TableGroup::resume() {
  const size_t first = first_to_resume_++ % at_once_;
  for (size_t i = 0; i < at_once_; ++i) {
    Member* member = reading_[(first + i) % at_once_];
    if (member != nullptr && member->task().state == SourceTask::State::kRunning)
      member->source()->resume();
  }
}

void TableGroup::stop(std::function<void()> closed) {
  timer_.reset();
  on_closed_ = std::move(closed);
  ++open_;  // not before all have been told
  if (asks_) close_question();
  for (Member* member : reading_)
    if (member != nullptr && (member->task().state == SourceTask::State::kRunning ||
                              std::ranges::find(to_close_, member) != to_close_.end()))
      close(*member);
  this->closed();
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
  return member.source() == nullptr ? "table " + member.task().name
                                    : member.source()->describe(position);
}

SourceTasks TableGroup::tasks() const {
  using State = SourceTask::State;
  SourceTasks out;
  for (const auto& member : members_) ++out.counts[static_cast<size_t>(member->task().state)];
  const auto show = [this, &out](auto wanted) {
    for (const auto& member : members_)
      if (out.shown.size() < SourceTasks::kMostShown && wanted(member->task().state))
        out.shown.push_back(member->task());
  };
  const auto presses = [](State state) {
    return state == State::kFailed || state == State::kRunning;
  };
  if (members_.size() <= SourceTasks::kMostShown) {
    show([](State) { return true; });
  } else {
    show(presses);
    show([&presses](State state) { return !presses(state); });
  }
  return out;
}

}  // namespace leat::table
