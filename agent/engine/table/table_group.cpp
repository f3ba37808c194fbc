#include "table/table_group.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "options/option_errors.h"
#include "table/sql_text.h"
#include "table/table_list.h"
#include "table/table_source.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

// What a build without them has no use for.
#ifdef LEAT_CLUSTER
constexpr bool kShares = true;
#else
constexpr bool kShares = false;
#endif
#ifdef LEAT_TASK_HISTORY
constexpr bool kEstimates = true;
#else
constexpr bool kEstimates = false;
#endif

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

// Of the group it knows all but the beginning.
class TableGroup::LaneSource final : public Source {
 public:
  LaneSource(TableGroup& group, size_t number) : group_(group), number_(number) {}

  Status open(SourceContext& context) override {
    group_.lanes_[number_].context = &context;
    return {};
  }
  void resume() override { group_.resume_lane(number_); }
  void stop(std::function<void()> closed) override { group_.stop_lane(number_, std::move(closed)); }
  void acked(const Position& position) override { group_.acked(position); }
  SavedPosition saved_position(const Position& position) override {
    return group_.saved_position(position);
  }
  std::string describe(const Position& position) override { return group_.describe(position); }

 private:
  TableGroup& group_;
  const size_t number_;
};

std::unique_ptr<Source> TableGroup::lane() {
  lanes_.emplace_back();
  return std::make_unique<LaneSource>(*this, lanes_.size() - 1);
}

Status TableGroup::check(const Options& options) {
  OptionErrors errors;
  const bool several = !options.strings("tables").empty();
  const bool split = options.has("split");
  if (options.has("failover") && !Settings::is_bounded(options))
    errors.add(options, "failover", "is for what ends: for mode full, or with \"once\"");
  if (!several && !split && options.has("concurrency"))
    errors.add(options, "concurrency", "is for \"tables\" and \"split\"");
  if (several) {
    for (const char* other : {"table", "query", "split"})
      if (options.has(other)) errors.add(options, other, "and \"tables\" do not go together");
    if (!Settings::is_bounded(options))
      errors.add(
          options, "tables",
          "are the tasks of a job: for mode full, or with \"once\", which a \"schedule\" repeats");
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
    if (!options.has("split") && !options.has("failover"))
      return std::unique_ptr<Source>(std::move(*one));
  }
  for (const std::string& table : tables)
    if (auto one = make_one(Settings::of_table(options, table), make_database); !one)
      return fail(one.error());
  return std::unique_ptr<Source>(new TableGroup(options, make_database));
}

size_t TableGroup::at_once(const Options& options) {
  if (options.has("concurrency")) return static_cast<size_t>(options.integer("concurrency"));
  return options.strings("tables").empty() && !options.has("split") ? 1 : kAtOnce;
}

TableGroup::TableGroup(const Options& options, MakeDatabase make_database)
    : options_(options),
      make_database_(make_database),
      at_once_(at_once(options_)),
      attempts_(options_.has("failover")
                    ? static_cast<size_t>(options_.integer("failover.attempts"))
                    : 0),
      names_(options_.strings("tables")),
      reading_(at_once_),
      backoff_(random_number()) {}

TableGroup::~TableGroup() = default;

Status TableGroup::open(SourceContext& context) {
  context_ = lanes_.front().context = &context;
  charge_ = Charge(context.budget());
  if (kShares) share_ = context.share();
  const bool nothing = kShares && share_.part == StageShare::Part::kNothing;
  to_list_ = !names_.empty() && !nothing;
  to_split_ = options_.has("split") && !nothing;
  if (kShares && to_list_ && share_.part == StageShare::Part::kOne) names_ = {share_.what};
  if (!nothing && !to_list_ && !to_split_) add(options_.string("table"));
  timer_.emplace(context.loop());
  wake();
  return {};
}

void TableGroup::add(const std::string& table, Part part, uint64_t expected) {
  TableTaskOwner& owner = *this;
  tasks_.push_back(
      std::make_unique<TableTask>(owner, tasks_.size(), table, std::move(part), expected));
  charge_.add(tasks_.back()->memory());
}

void TableGroup::wake() {
  if (timer_) timer_->start_next_turn([this] { turn(); });
}

// What has ended is closed, what waits begins, and behind the last of them this has ended. Where a
// lane could not be opened, all are about to be stopped.
void TableGroup::turn() {
  if (std::ranges::any_of(lanes_, [](const Lane& one) { return one.context == nullptr; })) return;
  for (TableTask* task : std::exchange(to_close_, {})) close(*task);
  if (to_list_ && asking_) return list();
  if (to_split_ && asking_) return split();
  while (TableTask* task = next_to_begin()) begin(*task);
  const bool more = asking_ && (!again_.empty() || (next_ < tasks_.size() && !away_));
  if (more) return wait_for_the_failed();
  if (to_close_.empty() &&
      std::ranges::all_of(lanes_, [](const Lane& one) { return one.open == 0; }))
    say_it_is_over();
}

// What has failed is said once.
void TableGroup::say_it_is_over() {
  if (std::exchange(over_, true)) return;
  for (size_t i = 1; i < lanes_.size(); ++i) lanes_[i].context->finished({});
  context_->finished(result());
}

// --- what there is to read ---

void TableGroup::ask(std::unique_ptr<Question> question) {
  question_ = std::move(question);
  asks_ = true;
  ++lanes_.front().open;
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
    closed(0);
  });
}

void TableGroup::list() {
  if (question_ != nullptr) return;
  Result<std::unique_ptr<Database>> database = make_database_(Settings::of_first(options_));
  if (!database) return ask_no_more(fail(database.error()));
  ask(std::make_unique<TableList>(std::move(*database), names_,
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
  Result<std::vector<std::string>> to_read = each_once(names_, *tables, was_read);
  if (!to_read) return ask_no_more(fail(to_read.error()));
  if (kShares && share_.part == StageShare::Part::kAsks) return note_tasks({}, *to_read);
  std::map<std::string_view, uint64_t> rows;  // by what it may be called
  if (kEstimates)
    for (const Listed& one : *tables) rows[one.name] = rows[names_[one.asked]] = one.rows;
  for (const std::string& table : *to_read) add(table, {}, kEstimates ? rows[table] : 0);
  to_list_ = false;
  // Each needs as much again when it is shown.
  if (charge_.bytes() > context_->budget().limit() / 4)
    return ask_no_more(fail(ErrorKind::kUsage, joined(names_) + " means " + counted(tasks_.size()) +
                                                   ": more than agent.memory allows for"));
  ask_no_more({});
}

void TableGroup::split() {
  if (question_ != nullptr) return;
  const std::string& table = options_.string("table");
  auto known = SavedSplit(table).find(*context_, share_.noted);
  if (!known) return ask_no_more(fail(known.error()));
  if (*known) return add_ranges(std::move(**known));
  if (kShares && share_.part == StageShare::Part::kOne)
    return ask_no_more(fail(ErrorKind::kUsage, "the ranges of table " + table + " are not known"));
  Result<std::unique_ptr<Database>> database = make_database_(options_);
  if (!database) return ask_no_more(fail(database.error()));
  ask(std::make_unique<TableSplit>(std::move(*database), table,
                                   static_cast<size_t>(options_.integer("split.tasks")),
                                   [this](auto division) { divided(std::move(division)); }));
}

// They are known for good before the first row is read.
void TableGroup::divided(Result<Division> division) {
  if (!division) return ask_no_more(fail(division.error()));
  if (kShares && share_.part == StageShare::Part::kAsks) return add_ranges(*division);
  context_->note({{SavedSplit(options_.string("table")).partition(), division->json()}},
                 SourceContext::Survives::kPowerCut,
                 lifetime_.guard([this, known = *division](const Status& noted) {
                   if (!timer_) return;
                   if (!noted) return ask_no_more(noted);
                   add_ranges(known);
                 }));
}

void TableGroup::add_ranges(Division division) {
  const std::string& table = options_.string("table");
  if (kShares && share_.part == StageShare::Part::kAsks) {
    std::vector<std::string> numbers;
    for (size_t i = 1; i <= division.ranges(); ++i) numbers.push_back(std::to_string(i));
    return note_tasks({{SavedSplit(table).partition(), division.json()}}, numbers);
  }
  to_split_ = false;
  if (division.cursor.empty()) {
    add(table);
    log::info(context_->pipeline(),
              "the table " + table + " is read as one, as it was begun, and not in ranges");
  } else {
    const auto shared = std::make_shared<const Division>(std::move(division));
    for (size_t number = 1; number <= shared->ranges(); ++number)
      if (!kShares || share_.part == StageShare::Part::kAll ||
          share_.what == std::to_string(number))
        add(table, {shared, number});
  }
  ask_no_more({});
}

// For all agents of a group: they are known for good before any of them is begun.
void TableGroup::note_tasks(std::vector<SavedPosition> with,
                            const std::vector<std::string>& tasks) {
  std::string list;
  for (const std::string& one : tasks) (list += list.empty() ? "" : std::string(1, '\0')) += one;
  with.push_back({std::string(kTaskList), std::move(list)});
  context_->note(std::move(with), SourceContext::Survives::kPowerCut,
                 lifetime_.guard([this](const Status& noted) {
                   if (!timer_) return;
                   to_list_ = to_split_ = false;
                   ask_no_more(noted);
                 }));
}

std::string TableGroup::counted(size_t tasks) const {
  return format_count(tasks, options_.has("split") ? "range" : "table");
}

// --- their lives ---

// What has failed comes first, when it is due. Where the database was away, one of these alone
// finds out whether it still is.
TableTask* TableGroup::next_to_begin() {
  if (!asking_) return nullptr;
  const auto reading = static_cast<size_t>(
      std::ranges::count_if(reading_, [](const TableTask* one) { return one != nullptr; }));
  Budget& budget = context_->budget();
  if (reading > 0 && (away_ || reading == at_once_ || !budget.has_room(budget.limit() / 2)))
    return nullptr;
  const Milliseconds now = context_->loop().now();
  const auto due = std::ranges::find_if(
      again_, [now](const TableTask* one) { return one->may_begin_again(now); });
  if (due != again_.end()) {
    TableTask* task = *due;
    again_.erase(due);
    return task;
  }
  return next_ == tasks_.size() || away_ ? nullptr : tasks_[next_++].get();
}

void TableGroup::begin(TableTask& task) {
  ++changes_;
  const auto place = std::ranges::find(reading_, nullptr);
  std::string which;
  if (task.failures() > 0)
    which = ", once more";
  else if (!task.part().division && tasks_.size() > 1)
    which = ", " + std::to_string(next_) + " of " + std::to_string(tasks_.size());
  log::info(context_->pipeline(), "begins with the table " + task.status().name + which);
  auto made = make_one(Settings::of_table(options_, task.table()), make_database_, task.part());
  if (!made) return ended(task, fail(made.error()));
  *place = &task;
  const auto number = static_cast<size_t>(place - reading_.begin());
  const size_t lanes = lanes_.size();
  Lane& lane = lanes_[lane_of(number)];
  ++lane.open;
  if (Status opened = task.begin(std::move(*made), {.context = lane.context,
                                                    .reader = number / lanes,
                                                    .readers = (at_once_ + lanes - 1) / lanes,
                                                    .number = number});
      !opened)
    ended(task, opened);
}

// A turn later it is closed: it may be in the middle of a call to here.
void TableGroup::ended(TableTask& task, const Status& status) {
  ++changes_;
  task.end(status);
  if (!status) {
    away_ = away_ || (task.source() != nullptr && task.source()->away());
    failed(task, status.error());
  } else {
    away_ = false;
  }
  if (task.source() != nullptr) to_close_.push_back(&task);
  wake();
}

void TableGroup::failed(TableTask& task, const Error& error) {
  if (task.failures() > attempts_)
    return log::error(context_->pipeline(),
                      "failed with the table " + task.status().name + ": " + error.message());
  const Milliseconds wait = backoff_.about(options_.duration("failover.interval"));
  log::warn(context_->pipeline(),
            "failed with the table " + task.status().name + ": " + error.message() +
                "; tried again in " + format_duration(wait) + " (" +
                std::to_string(task.failures()) + " of " + std::to_string(attempts_) + ")");
  task.wait_until(context_->loop().now() + wait);
  again_.push_back(&task);
}

void TableGroup::has_read(uint64_t bytes) {
  bytes_ += bytes;
  context_->progress(bytes_, std::nullopt);
}

void TableGroup::wait_for_the_failed() {
  const Milliseconds now = context_->loop().now();
  std::optional<Milliseconds> first;
  for (const TableTask* task : again_)
    if (task->due() > now && (!first || task->due() < *first)) first = task->due();
  if (first) timer_->start(*first - now, [this] { turn(); });
}

void TableGroup::close(TableTask& task) {
  task.source()->stop([this, &task] {
    const size_t number = task.place().number;
    reading_[number] = nullptr;
    task.stopped();
    closed(lane_of(number));
  });
}

void TableGroup::closed(size_t lane) {
  Lane& one = lanes_[lane];
  --one.open;
  if (!one.on_closed) return wake();
  if (one.open == 0) std::exchange(one.on_closed, nullptr)();
}

Status TableGroup::result() const {
  if (!asking_) return asking_;
  size_t failed = 0;
  ErrorKind kind = ErrorKind::kFatal;
  std::string which;
  for (const auto& task : tasks_) {
    if (task->status().state != SourceTask::State::kFailed) continue;
    // What may pass for one of them may pass for the run.
    if (failed == 0 || task->kind() == ErrorKind::kUnavailable) kind = task->kind();
    if (++failed <= kReasonsTold)
      which += (failed > 1 ? "; " : "") + task->status().name + ": " + task->status().reason;
  }
  if (failed == 0) return {};
  if (failed > kReasonsTold) which += "; …";
  std::string left;
  if (next_ < tasks_.size())
    left = ", and " + counted(tasks_.size() - next_) + " not begun, since the database is away";
  return fail(kind, std::to_string(failed) + " of " + counted(tasks_.size()) + " failed" + left +
                        ": " + which);
}

// --- as of any source ---

void TableGroup::resume() {
  resume_lane(0);
}

void TableGroup::stop(std::function<void()> closed) {
  stop_lane(0, std::move(closed));
}

// In turns, so that none of them waits for ever where credit is scarce.
void TableGroup::resume_lane(size_t lane) {
  const size_t first = first_to_resume_++;
  for (size_t i = 0; i < at_once_; ++i) {
    const size_t reader = (first + i) % at_once_;
    TableTask* task = reading_[reader];
    if (task != nullptr && lane_of(reader) == lane && task->is_read()) task->source()->resume();
  }
}

// Where one stops before the end all are to: nothing is begun any more.
void TableGroup::stop_lane(size_t lane, std::function<void()> closed) {
  timer_.reset();
  lanes_[lane].on_closed = std::move(closed);
  ++lanes_[lane].open;  // not before all have been told
  if (lane == 0 && asks_) close_question();
  for (size_t reader = lane; reader < at_once_; reader += lanes_.size()) {
    TableTask* task = reading_[reader];
    if (task != nullptr &&
        (task->is_read() || std::ranges::find(to_close_, task) != to_close_.end()))
      close(*task);
  }
  this->closed(lane);
}

// One that failed may wait for this.
void TableGroup::acked(const Position& position) {
  tasks_[position.partition]->acked(position);
  if (!again_.empty()) wake();
}

SavedPosition TableGroup::saved_position(const Position& position) {
  return tasks_[position.partition]->saved_position(position);
}

std::string TableGroup::describe(const Position& position) {
  return tasks_[position.partition]->describe(position);
}

SourceTasks TableGroup::tasks() const {
  using State = SourceTask::State;
  SourceTasks out;
  bool known = true;
  for (const auto& task : tasks_) {
    const SourceTask& one = task->status();
    ++out.counts[static_cast<size_t>(one.state)];
    const bool over = one.state == State::kDone || one.state == State::kFailed;
    if (!kEstimates) continue;
    known = known && (over || one.expected > 0);
    out.expected += over ? one.records : std::max(one.expected, one.records);
  }
  if (!known) out.expected = 0;
  const auto show = [this, &out](auto wanted) {
    for (const auto& task : tasks_)
      if (out.shown.size() < SourceTasks::kMostShown && wanted(task->status().state))
        out.shown.push_back(task->status());
  };
  const auto presses = [](State state) {
    return state == State::kFailed || state == State::kRunning;
  };
  if (tasks_.size() <= SourceTasks::kMostShown) {
    show([](State) { return true; });
  } else {
    show(presses);
    show([&presses](State state) { return !presses(state); });
  }
  return out;
}

}  // namespace leat::table
