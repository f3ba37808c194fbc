#include "connectors/postgres/table_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "connectors/postgres/row_values.h"
#include "loop/loop.h"
#include "protocols/postgres/sqlstate.h"
#include "table/sql_text.h"

namespace leat::postgres {
namespace {

// What arrives, and the streams' own buffers.
constexpr size_t kMemory = 192 * 1024;
constexpr int kFirstWithSnapshots = 130'000;  // server_version_num

template <typename Number>
std::optional<Number> number_of(const std::optional<std::string>& text) {
  Number value = 0;
  if (!text) return std::nullopt;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

Error strange() {
  return {ErrorKind::kUnavailable, "the server gives a strange answer"};
}

// Its columns, in the order in which it has them.
std::vector<std::string> names_of(const Layout& layout, const std::vector<int>& key) {
  std::vector<std::string> out;
  for (int number : key)
    for (const Column& column : layout.columns)
      if (column.number == number) out.push_back(column.name);
  return out;
}

}  // namespace

TableReader::TableReader(ReadPlan plan)
    : plan_(std::move(plan)), sql_(plan_.read), session_config_(plan_.session) {}

TableReader::~TableReader() = default;

Status TableReader::open(SourceContext& context) {
  charge_ = Charge(context.budget(), kMemory);
  passes_rows_ = context.passes_rows();
  return open(context.loop(), context.pipeline());
}

Status TableReader::open(Loop& loop, const std::string& pipeline) {
  pipeline_ = pipeline;
  if (Status tls = open_tls(tls_, plan_.connection.uses_tls, plan_.connection.tls, pipeline,
                            plan_.connection.verify);
      !tls)
    return tls;
  session_config_.loop = &loop;
  session_config_.tls = tls_.get();
  session_config_.set_up = kReadSettings;
  behind_ = plan_.read.table.query.empty() ? table::Key() : plan_.read.table.from;
  session_.emplace(session_config_, static_cast<Session::Listener&>(*this));
  closing_.emplace(loop);
  return {};
}

// The session may be in the middle of a call to here.
void TableReader::close(std::function<void()> closed) {
  looked_ = nullptr;
  read_ = nullptr;
  listed_ = nullptr;
  divided_ = nullptr;
  rows_ = nullptr;
  if (!closing_) return closed();
  closing_->start_next_turn([this, closed = std::move(closed)] {
    session_.reset();
    charge_.set(0);
    auto call = closed;
    call();
  });
}

std::string TableReader::found() const {
  return plan_.read.table.name() + " with " + format_count(columns_.size(), "column") +
         (cursor_.empty() ? "" : ", read by (" + table::joined(cursor_) + ")");
}

void TableReader::list(const std::vector<std::string>& names,
                       std::function<void(table::Tables)> done) {
  listed_ = std::move(done);
  ask_names(SourceSql::listed(names));
}

void TableReader::ask_names(const std::string& sql) {
  if (!session_->ready()) return session_->make_ready([this, sql] { ask_names(sql); });
  session_->ask("", sql, [this](const Reply& reply) {
    std::vector<table::Listed> tables;
    for (const Row& row : reply.rows) {
      const std::optional<size_t> asked =
          row.size() == 5 ? number_of<size_t>(row[0]) : std::nullopt;
      if (asked && row[1] && row[2])
        tables.push_back(
            {*asked, *row[1], *row[2], row[3] == "t", number_of<uint64_t>(row[4]).value_or(0)});
    }
    if (auto done = std::exchange(listed_, nullptr)) done(std::move(tables));
  });
}

// Where rows meet a condition, the blocks of a sample may have none of them; and what is no table
// has no blocks.
void TableReader::divide(const std::vector<std::string>& cursor, size_t parts,
                         std::function<void(Result<std::vector<table::Key>>)> done) {
  divided_ = std::move(done);
  const bool sampled = kind_ == 'r' && plan_.read.table.where.empty();
  session_->ask("", sql_.bounds(cursor, parts, sampled),
                [this, columns = cursor.size()](const Reply& reply) {
                  std::vector<table::Key> bounds;
                  for (const Row& row : reply.rows) {
                    table::Key& bound = bounds.emplace_back();
                    for (size_t i = 0; i < columns && i < row.size(); ++i)
                      bound.push_back(row[i].value_or(""));
                  }
                  if (!bounds.empty()) bounds.pop_back();  // the last row's
                  if (auto divided = std::exchange(divided_, nullptr)) divided(std::move(bounds));
                });
}

// --- a look ---

void TableReader::look(std::function<void(Result<table::Look>)> done) {
  looked_ = std::move(done);
  step_ = Step::kLooking;
  make_ready();
}

void TableReader::make_ready() {
  if (!session_->ready()) return session_->make_ready([this] { make_ready(); });
  if (known_in_ != session_->number()) return describe();
  ask_now();
}

void TableReader::describe() {
  step_ = Step::kDescribing;
  known_in_ = 0;
  columns_.clear();
  columns_were_.clear();
  session_->read(sql_.describe(behind_), *this, [this](const Reply&) { described(); });
}

void TableReader::columns(std::vector<RowColumn> columns) {
  if (step_ == Step::kReading) {
    // The cursor's, which are no fields, come behind them, or before.
    const auto before = static_cast<std::ptrdiff_t>(form_ ? hidden_.size() : 0);
    if (columns.size() != described_.size() + hidden_.size() ||
        !std::equal(described_.begin(), described_.end(), columns.begin() + before))
      wrong_ = "its columns have changed";
    return;
  }
  for (RowColumn& column : columns) columns_.push_back({std::move(column.name), column.type});
}

void TableReader::described() {
  if (columns_.empty())
    return fails({ErrorKind::kUsage, plan_.read.table.name() + " has no columns"});
  std::vector<std::string_view> names;
  for (const ReadColumn& column : columns_) {
    if (std::ranges::find(names, column.name) != names.end())
      return fails({ErrorKind::kUsage, "two columns are named " + excerpt(column.name) +
                                           ": give one of them another name with AS"});
    names.emplace_back(column.name);
  }
  if (shape_ == nullptr || !shape_->same_names(names))
    shape_ = std::make_shared<const Shape>(names);
  session_->ask("", SourceSql::types(columns_), [this](const Reply& reply) {
    for (const Row& row : reply.rows) {
      const std::optional<uint32_t> oid =
          row.size() == 4 ? number_of<uint32_t>(row[0]) : std::nullopt;
      if (!oid || !row[1] || !row[2] || row[1]->empty() || row[2]->empty()) return fails(strange());
      for (ReadColumn& column : columns_)
        if (column.type == *oid) {
          column.kind =
              kind_of({.oid = *oid, .kind = row[1]->front(), .category = row[2]->front()});
          // As JSON, nobody could tell its dimensions from its elements' own, and NULL from null.
          if (column.kind == Kind::kArray && row[3] == "t") column.kind = Kind::kOther;
        }
    }
    ask_layout();
  });
}

void TableReader::ask_layout() {
  if (!plan_.read.table.query.empty()) {
    kind_ = '-';
    columns_sql_ = "''";
    cursor_ = plan_.read.table.cursor;
    for (const std::string& name : cursor_)
      if (std::ranges::find(columns_, name, &ReadColumn::name) == columns_.end())
        return fails({ErrorKind::kUsage,
                      "the query gives no column " + excerpt(name) + ", which \"cursor\" names"});
    find_keys();
    return ask_server();
  }
  session_->ask("", layout_sql(plan_.read.name),
                [this](const Reply& reply) { check_table(reply); });
}

void TableReader::check_table(const Reply& reply) {
  Result<std::optional<Layout>> layout = read_layout(reply.rows);
  if (!layout) return fails(layout.error());
  if (!*layout)
    return fails({ErrorKind::kUnavailable, "there is no table " + plan_.read.name.sql()});
  kind_ = (*layout)->kind;
  columns_sql_ = SourceSql::columns_of((*layout)->oid, plan_.read.table.columns.empty());
  choose_cursor(**layout);
  if ((*layout)->has_children && !cursor_.empty())
    return fails({ErrorKind::kUsage,
                  "other tables inherit from " + plan_.read.name.sql() +
                      ", whose unique index does not hold for their rows, so that some would not "
                      "be read: read each by itself, with \"query\" and FROM ONLY"});
  for (const std::string& name : cursor_) {
    const Column* column = (*layout)->find(name);
    if (column == nullptr)
      return fails({ErrorKind::kUsage,
                    "the table has no column " + excerpt(name) + ", which \"" +
                        (name == plan_.read.table.split_by ? "split" : "cursor") + "\" names"});
    // Views know nothing of it: each look asks for such a row.
    if (!column->not_null && has_constraints())
      return fails({ErrorKind::kUsage,
                    "column " + excerpt(name) +
                        " of the cursor can be NULL, and such a row would never be read: ALTER "
                        "TABLE … ALTER COLUMN … SET NOT NULL, or take another column"});
    if (name == cursor_.front()) first_type_ = column->type;
  }
  if (!cursor_.empty() && !can_tell_rows_apart(**layout)) {
    std::string advice = "it needs a unique index, and \"cursor\" its columns";
    if (!(*layout)->telling_keys.empty())
      advice = "add the columns of a unique index: (" +
               table::joined(names_of(**layout, (*layout)->telling_keys.front())) + ")";
    else if (!(*layout)->unique_keys.empty())
      advice += ", with the collations that the columns have";
    return fails({ErrorKind::kUsage, "the cursor (" + table::joined(cursor_) +
                                         ") is the same in several rows, of which some would not "
                                         "be read: " +
                                         advice});
  }
  find_keys();
  ask_server();
}

// The same each time: a saved position is of these columns.
void TableReader::choose_cursor(const Layout& layout) {
  cursor_ = plan_.read.table.cursor;
  if (!cursor_.empty()) return;
  std::vector<int> best;
  for (const std::vector<int>& key : layout.unique_keys) {
    const bool tells = std::ranges::find(layout.telling_keys, key) != layout.telling_keys.end();
    const bool good = tells && std::ranges::all_of(key, [&layout](int number) {
                        const auto column =
                            std::ranges::find(layout.columns, number, &Column::number);
                        return column != layout.columns.end() && column->not_null;
                      });
    if (good && (best.empty() || std::pair(key.size(), key) < std::pair(best.size(), best)))
      best = key;
  }
  cursor_ = names_of(layout, best);
  const std::string& by = plan_.read.table.split_by;
  if (by.empty() || (!cursor_.empty() && cursor_.front() == by)) return;
  std::erase(cursor_, by);
  cursor_.insert(cursor_.begin(), by);
}

bool TableReader::can_tell_rows_apart(const Layout& layout) const {
  if (!has_constraints()) return true;  // nobody can know
  return std::ranges::any_of(layout.telling_keys, [&](const std::vector<int>& key) {
    return std::ranges::all_of(names_of(layout, key), [this](const std::string& name) {
      return std::ranges::find(cursor_, name) != cursor_.end();
    });
  });
}

void TableReader::find_keys() {
  hidden_.clear();
  keys_.clear();
  described_.clear();
  constexpr uint32_t kJsonType = 114;
  std::vector<BinaryRows::Field> fields;
  for (const ReadColumn& column : columns_) fields.push_back({column.type, column.kind});
  form_ = passes_rows_ ? BinaryRows::of(std::move(fields)) : nullptr;
  for (const ReadColumn& column : columns_)
    described_.push_back({column.name, column.kind == Kind::kArray ? kJsonType : column.type});
  for (const std::string& name : cursor_) {
    const auto known = std::ranges::find(columns_, name, &ReadColumn::name);
    const bool is_there = known != columns_.end() && known->kind != Kind::kArray;
    if (is_there && name == cursor_.front()) first_type_ = known->type;
    if (is_there && !form_) {
      keys_.push_back(static_cast<size_t>(known - columns_.begin()));
    } else {
      keys_.push_back((form_ ? 0 : columns_.size()) + hidden_.size());
      hidden_.push_back(name);
    }
  }
}

void TableReader::ask_server() {
  session_->ask("",
                "SELECT pg_catalog.current_setting('server_version_num'),"
                " pg_catalog.pg_is_in_recovery()",
                [this](const Reply& reply) {
                  const std::optional<int> version =
                      reply.rows.size() == 1 && reply.rows[0].size() == 2
                          ? number_of<int>(reply.rows[0][0])
                          : std::nullopt;
                  if (!version) return fails(strange());
                  version_ = *version;
                  in_recovery_ = reply.rows[0][1] == "t";
                  choose_way();
                });
}

void TableReader::choose_way() {
  const ReadConfig& read = plan_.read;
  numbered_ = false;
  if (read.table.mode != table::Mode::kFull && read.late != Late::kDelay) {
    std::string why;
    if (!read.table.query.empty())
      why = "a query does not tell which transaction has written a row";
    else if (!has_constraints())
      why = "it is no table, whose rows tell which transaction has written them";
    else if (version_ < kFirstWithSnapshots)
      why = "the server is older than PostgreSQL 13";
    else if (in_recovery_)
      why = "the server is a standby, which does not know all open transactions";
    // After a failover the new primary may be one in a moment.
    if (in_recovery_ && was_numbered_) return fails({ErrorKind::kUnavailable, why});
    numbered_ = was_numbered_ = why.empty();
    if (!numbered_ && read.late == Late::kSnapshot)
      return fails({ErrorKind::kUsage, "late \"snapshot\" is not possible: " + why});
    if (!numbered_ && !std::exchange(said_way_, true))
      log::info(pipeline_, "table " + read.table.name() + ": rows that are committed more than " +
                               format_duration(read.table.consistency_delay) +
                               " late are not found: " + why);
  }
  if (numbered_) return ask_system();
  known_in_ = session_->number();
  ever_known_ = true;
  ask_now();
}

// Not everybody may ask.
void TableReader::ask_system() {
  session_->try_out("SELECT system_identifier FROM pg_catalog.pg_control_system()",
                    [this](const Reply& reply) {
                      if (!reply.error && reply.rows.size() == 1 && reply.rows[0].size() == 1)
                        system_ = reply.rows[0][0].value_or("");
                      known_in_ = session_->number();
                      ever_known_ = true;
                      ask_now();
                    });
}

void TableReader::ask_now() {
  step_ = Step::kLooking;
  if (has_constraints() || cursor_.empty()) return ask_moment();
  // No comparison with the cursor finds it, but in the first page of all.
  session_->ask("", sql_.null_in(cursor_, behind_), [this](const Reply& reply) {
    if (!reply.rows.empty()) return fails(null_in_cursor());
    ask_moment();
  });
}

// In one statement, so that one which finds nothing new costs no more.
void TableReader::ask_moment() {
  // From the loop, also when nothing had to be asked.
  if (plan_.read.table.mode == table::Mode::kFull)
    return closing_->start_next_turn([this] { answer({}); });
  const bool by_time = SourceSql::is_time(first_type_);
  const std::string sql = numbered_ ? SourceSql::snapshot(columns_sql_)
                          : by_time ? sql_.delayed(columns_sql_)
                                    : "SELECT " + columns_sql_;
  session_->ask("", sql, [this, by_time](const Reply& reply) {
    if (reply.rows.size() != 1 || reply.rows[0].size() < (numbered_ ? 5U : by_time ? 2U : 1U))
      return fails(strange());
    if (has_other_columns(reply)) return describe();
    const Row& row = reply.rows[0];
    table::Look look;
    if (!numbered_) {
      if (!by_time) return ask_last();
      look.upper = row[1].value_or("");
      return answer(std::move(look));
    }
    const std::optional<uint64_t> oldest = number_of<uint64_t>(row[2]);
    const std::optional<uint64_t> next = number_of<uint64_t>(row[3]);
    if (!row[1] || !oldest || !next) return fails(strange());
    look.numbered = true;
    look.now = *row[1];
    look.oldest = *oldest;
    look.next = *next;
    look.holder = row[4].value_or("");
    look.system = system_;
    answer(std::move(look));
  });
}

// New ones are read, too, where all are.
bool TableReader::has_other_columns(const Reply& reply) {
  const std::string now = reply.rows[0][0].value_or("");
  const bool others = !columns_were_.empty() && columns_were_ != now;
  columns_were_ = others ? "" : now;
  return others;
}

void TableReader::ask_last() {
  session_->ask("", sql_.last(cursor_, behind_), [this](const Reply& reply) {
    table::Look look;
    look.settle = true;
    if (!reply.rows.empty())
      for (const std::optional<std::string>& value : reply.rows[0]) {
        if (!value) return fails(null_in_cursor());
        look.last.push_back(*value);
      }
    answer(std::move(look));
  });
}

void TableReader::answer(table::Look look) {
  look.cursor = cursor_;
  if (auto done = std::exchange(looked_, nullptr)) done(std::move(look));
}

// --- a page ---

void TableReader::read(table::Page page, table::Rows& rows,
                       std::function<void(Result<bool>)> done) {
  read_ = std::move(done);
  rows_ = &rows;
  step_ = Step::kReading;
  given_ = 0;
  paused_ = null_key_ = long_key_ = false;
  wrong_.clear();
  if (!page.pass.after.empty()) behind_ = page.pass.after;
  if (known_in_ != session_->number() || !session_->connected())
    return closing_->start_next_turn([this] {
      fails({ErrorKind::kUnavailable, "the connection was lost"});
    });
  if (!cursor_.empty()) return read_page(page);
  // A read without a key takes as long as it takes.
  session_->ask("", "SET statement_timeout = 0",
                [this, page = std::move(page)](const Reply&) { read_page(page); });
}

void TableReader::read_page(const table::Page& page) {
  session_->read(sql_.page(columns_, hidden_, form_ != nullptr, first_type_, page), *this,
                 [this](const Reply&) { page_done(); });
}

bool TableReader::row(std::string_view body) {
  if (rows_ == nullptr || !wrong_.empty() || null_key_) return true;
  Batch* batch = rows_->room();
  if (batch == nullptr) {
    paused_ = true;
    return false;
  }
  if (!take_apart(body)) return true;
  add_row(*batch, body);
  behind_.assign(key_.begin(), key_.end());
  ++given_;
  return true;
}

void TableReader::add_row(Batch& batch, std::string_view body) {
  if (form_) {
    // What stands behind the cursor's, with their number before it.
    constexpr size_t kCount = sizeof(int16_t);
    body.remove_prefix(key_.empty() ? kCount
                                    : static_cast<size_t>(key_.back().end() - body.begin()));
    const size_t size = kCount + body.size();
    auto* row = static_cast<char*>(batch.arena.allocate(size, 1));
    put_int16(row, static_cast<int16_t>(columns_.size()));
    std::memcpy(row + kCount, body.data(), body.size());
    batch.rows = form_;
    batch.slices.push_back({row, static_cast<uint32_t>(size)});
    return rows_->add(shape_, nullptr, size, key_);
  }
  auto* values = batch.arena.array<Value>(columns_.size());
  char* const copy = const_cast<char*>(batch.arena.copy(body).data());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view field = fields_[i];
    values[i] =
        field.data() == nullptr
            ? Value::null()
            : value_of(columns_[i].kind, {copy + (field.data() - body.data()), field.size()});
  }
  rows_->add(shape_, values, columns_.size() * sizeof(Value) + body.size(), key_);
}

bool TableReader::long_row(std::string_view body, size_t bytes) {
  if (rows_ == nullptr || !wrong_.empty() || null_key_ || !take_apart(body)) return true;
  for (std::string_view value : key_)
    if (value.size() >= LongRow::kKept) {
      wrong_ = "a row of " + format_bytes(static_cast<int64_t>(bytes)) +
               " is longer than maxRecord, and what the cursor has of it is too long to go on "
               "behind it";
      long_key_ = true;
      return true;
    }
  if (!rows_->too_long(key_, bytes)) {
    paused_ = true;
    return false;
  }
  behind_.assign(key_.begin(), key_.end());
  ++given_;
  return true;
}

// Into fields_ and key_. False: nothing can be made of it, as page_done() says.
bool TableReader::take_apart(std::string_view body) {
  if (!split_row(body, fields_) || fields_.size() != columns_.size() + hidden_.size()) {
    wrong_ = "the server sent a malformed row";
    return false;
  }
  key_.clear();
  for (size_t at : keys_) {
    null_key_ = null_key_ || fields_[at].data() == nullptr;
    key_.push_back(fields_[at]);
  }
  return !null_key_;
}

void TableReader::page_done() {
  if (null_key_) return fails(null_in_cursor());
  if (long_key_) return fails({ErrorKind::kUsage, wrong_});
  if (!wrong_.empty()) {
    known_in_ = 0;
    return fails({ErrorKind::kUnavailable, wrong_});
  }
  // A query may have a LIMIT of its own.
  const bool last =
      cursor_.empty() ||
      (plan_.read.table.query.empty() ? given_ < plan_.read.table.page_size : given_ == 0);
  if (auto done = std::exchange(read_, nullptr)) done(last);
}

// --- errors ---

Error TableReader::null_in_cursor() const {
  return {ErrorKind::kUsage, "a row has NULL in the cursor (" + table::joined(cursor_) +
                                 "): nobody could go on behind it; leave such rows out"};
}

void TableReader::fails(const Error& error) {
  rows_ = nullptr;
  if (error.kind() != ErrorKind::kUnavailable) session_->close();
  if (auto done = std::exchange(listed_, nullptr)) return done(fail(error));
  if (auto done = std::exchange(divided_, nullptr)) return done(fail(error));
  if (auto done = std::exchange(looked_, nullptr)) return done(fail(error));
  if (auto done = std::exchange(read_, nullptr)) done(fail(error));
}

void TableReader::lost(const Error& error, bool) {
  fails({ErrorKind::kUnavailable, error.message()});
}

void TableReader::refused(const Refusal& refusal) {
  const std::string& code = refusal.error.sqlstate;
  const Verdict verdict = verdict_on(code);
  // It took too long, with rows that are wide or had no room: it goes on behind those given.
  constexpr std::string_view kCancelled = "57014";
  if ((paused_ || given_ > 0) && code == kCancelled && read_ && !cursor_.empty()) {
    rows_ = nullptr;
    return std::exchange(read_, nullptr)(false);
  }
  const Step step = step_;
  known_in_ = 0;
  if (verdict == Verdict::kReconnect) session_->close();
  // A table may be away for a moment while another takes its name; a column does not come back.
  constexpr std::string_view kNoTable = "42P01";
  const bool drift =
      verdict == Verdict::kDrift && (step == Step::kReading || (ever_known_ && code == kNoTable));
  const bool data = verdict == Verdict::kRejected || verdict == Verdict::kFailed;
  const bool fatal = data || (verdict == Verdict::kDrift && !drift);
  fails({fatal ? ErrorKind::kUsage : ErrorKind::kUnavailable, refusal.told()});
}

}  // namespace leat::postgres
