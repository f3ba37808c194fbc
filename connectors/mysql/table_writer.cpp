#include "connectors/mysql/table_writer.h"

#include <mysqld_error.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "connectors/mysql/errors.h"
#include "connectors/mysql/row_sql.h"
#include "table/sql_text.h"

namespace leat::mysql {
namespace {

// Times in UTC; what does not fit is an error; a zero date and the number 0 are what they are.
constexpr const char* kWriteSession[] = {
    "SET SESSION time_zone = '+00:00', autocommit = 1,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO'",
};
// Its own statements are not bounded by it, what the catalog says of a table is.
constexpr size_t kLongestAnswer = size_t{16} << 20;
constexpr size_t kMostTold = 100;

bool is_drift(unsigned number) {
  return number == ER_BAD_FIELD_ERROR || number == ER_NO_SUCH_TABLE ||
         number == ER_WRONG_VALUE_COUNT_ON_ROW;
}

std::string code_of(unsigned number) {
  return "mysql-" + std::to_string(number);
}

Why too_long(size_t bytes, size_t longest) {
  return {"its statement of " + std::to_string(bytes) + " bytes is longer than the " +
              std::to_string(longest) + " that the server takes (max_allowed_packet)",
          "mysql"};
}

Answer answer_of(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable ? Answer::retry(error.message())
                                                 : Answer::failed(error.message());
}

}  // namespace

TableWriter::TableWriter(const WriteConfig& config, TlsContext* tls, std::string agent,
                         std::string pipeline, size_t most_bytes)
    : config_(config),
      pipeline_(std::move(pipeline)),
      most_bytes_(most_bytes),
      client_(config_.connection, tls, kWriteSession, kLongestAnswer),
      job_database_(client_, config_.table),
      job_(config_.job, job_database_, std::move(agent), pipeline_) {}

void TableWriter::close() {
  client_.close();
  columns_.clear();
  plans_.clear();
}

Status TableWriter::open() {
  if (client_.is_open() && !columns_.empty()) return {};
  plans_.clear();
  if (Status opened = client_.open(); !opened) return opened;
  if (Status learned = learn_packet(); !learned) return learned;
  return learn_table();
}

Status TableWriter::learn_packet() {
  auto rows = client_.rows_of("SELECT @@max_allowed_packet");
  if (!rows) return fail(rows.error());
  const std::string packet = rows->empty() ? "" : rows->front()[0].value_or("");
  // A packet is a byte longer than its statement, and is to be shorter than that.
  constexpr size_t kBeside = 2;
  longest_ = std::max<size_t>(std::strtoull(packet.c_str(), nullptr, 10), kBeside) - kBeside;
  return {};
}

Status TableWriter::learn_table() {
  columns_.clear();
  auto fields = client_.columns_of("SELECT * FROM " + config_.table.sql() + " LIMIT 0");
  if (!fields) return fail(fields.error());
  const std::string of_table = " WHERE table_schema = " + config_.table.database_sql() +
                               " AND table_name = " + quoted_text(config_.table.name);
  auto generated =
      client_.rows_of("SELECT column_name FROM information_schema.columns" + of_table +
                      " AND extra LIKE '%GENERATED%' AND extra NOT LIKE 'DEFAULT_GENERATED%'");
  if (!generated) return fail(generated.error());
  if (config_.mode != WriteMode::kInsert) {
    auto keys = client_.rows_of("SELECT 1 FROM information_schema.statistics" + of_table +
                                " AND non_unique = 0 LIMIT 1");
    if (!keys) return fail(keys.error());
    if (keys->empty())
      return fail(ErrorKind::kUsage, config_.table.sql() +
                                         " has no unique index by which rows could be known again: "
                                         "writeMode upsert and replace need one");
  }
  for (ReadColumn& field : *fields) {
    Column column{std::move(field)};
    for (const TextRow& row : *generated)
      column.generated = column.generated || same_name(row[0].value_or(""), column.name);
    columns_.push_back(std::move(column));
  }
  for (const auto& [field, column] : config_.columns)
    if (std::ranges::none_of(
            columns_, [&column](const Column& one) { return same_name(one.name, column); })) {
      columns_.clear();
      return fail(ErrorKind::kUsage, config_.table.sql() + " has no column " + excerpt(column) +
                                         ", where field " + excerpt(field) + " is to go");
    }
  return {};
}

Result<std::string> TableWriter::look() {
  if (Status opened = open(); !opened) return fail(opened.error());
  return config_.table.name + " with " + format_count(columns_.size(), "column");
}

// --- a shape ---

bool TableWriter::Plan::fits(const Record& record) const {
  if (shape.get() != record.shape) return false;
  for (size_t i = 0; i < absent.size(); ++i)
    if (absent[i] != (record.values[i].type == Type::kAbsent)) return false;
  return true;
}

const TableWriter::Plan& TableWriter::plan_for(const Batch& batch, const Record& record) {
  const auto known =
      std::ranges::find_if(plans_, [&record](const Plan& plan) { return plan.fits(record); });
  if (known != plans_.end()) {
    std::rotate(plans_.begin(), known, known + 1);
  } else {
    if (plans_.size() == kMostPlans) plans_.pop_back();
    plans_.insert(plans_.begin(), make_plan(batch, record));
  }
  return plans_.front();
}

size_t TableWriter::column_of(std::string_view field) const {
  const auto column = std::ranges::find_if(
      columns_, [field](const Column& one) { return same_name(one.name, field); });
  return static_cast<size_t>(column - columns_.begin());
}

TableWriter::Plan TableWriter::make_plan(const Batch& batch, const Record& record) const {
  Plan plan;
  plan.shape = *std::ranges::find(batch.shapes(), record.shape, &ShapeRef::get);
  constexpr size_t kNone = SIZE_MAX;
  std::vector<size_t> field_of(columns_.size(), kNone);
  std::vector<std::pair<size_t, size_t>> wanted;  // field, and its column
  for (size_t field = 0; field < record.shape->size(); ++field) {
    plan.absent.push_back(record.values[field].type == Type::kAbsent);
    if (plan.absent.back()) continue;
    std::string_view name = record.shape->name(field);
    if (!config_.columns.empty()) {
      const auto given =
          std::ranges::find(config_.columns, name, &std::pair<std::string, std::string>::first);
      if (given == config_.columns.end()) continue;
      name = given->second;
    }
    const size_t column = column_of(name);
    wanted.emplace_back(field, column);
    if (column == columns_.size()) continue;
    // Of two fields, that of exactly the column's name; else the first.
    if (field_of[column] == kNone || columns_[column].name == name) field_of[column] = field;
  }
  std::vector<std::string> names;
  for (const auto& [field, column] : wanted) {
    const bool known = column < columns_.size();
    if (known && columns_[column].generated) continue;
    if (known && field_of[column] == field) {
      plan.fields.emplace_back(field, column);
      names.push_back(quoted_name(columns_[column].name));
    } else if (plan.unknown.empty()) {
      plan.unknown = record.shape->name(field);
      plan.why_unknown = "field " + excerpt(plan.unknown) + " has no column of table " +
                         excerpt(config_.table.name);
      if (known)
        plan.why_unknown += " (field " + excerpt(record.shape->name(field_of[column])) +
                            " goes into column " + excerpt(columns_[column].name) + ")";
    }
  }
  plan.head = (config_.mode == WriteMode::kReplace ? "REPLACE INTO " : "INSERT INTO ") +
              config_.table.sql() + " (" + table::joined(names) + ") VALUES ";
  if (config_.mode == WriteMode::kUpsert)
    for (const std::string& name : names)
      plan.tail += (plan.tail.empty() ? " ON DUPLICATE KEY UPDATE " : ", ") + name + " = VALUES(" +
                   name + ")";
  return plan;
}

void TableWriter::tell_unknown(const Plan& plan) {
  if (told_.size() >= kMostTold || !told_.insert(plan.unknown).second) return;
  log::warn(pipeline_, "mysql: " + plan.why_unknown + ": it is left out");
}

Result<std::string> TableWriter::row_sql(const Plan& plan, const Record& record) const {
  if (config_.reject_unknown && !plan.unknown.empty())
    return fail(ErrorKind::kData, plan.why_unknown);
  if (plan.fields.empty())
    return fail(ErrorKind::kData, "no field of the record has a column of the table");
  std::string out = "(";
  for (const auto& [field, at] : plan.fields) {
    if (out.size() > 1) out += ", ";
    if (Status done = append_sql(out, columns_[at], record.values[field]); !done)
      return fail(ErrorKind::kData,
                  "column " + excerpt(columns_[at].name) + ": " + done.error().message());
  }
  return out + ")";
}

// --- a delivery ---

// preSql may do anything to the table.
Status TableWriter::begin_job() {
  columns_.clear();
  if (Status opened = client_.open(); !opened) return opened;
  return job_.begin();
}

Status TableWriter::finish(bool also_empty) {
  if (Status opened = client_.open(); !opened) return opened;
  return job_.finish(also_empty);
}

Answer TableWriter::write(const Delivery& delivery) {
  if (!job_.begun()) {
    if (Status begun = begin_job(); !begun) return answer_of(begun.error());
  }
  if (Status opened = open(); !opened) return answer_of(opened.error());
  Bad bad;
  Status written = client_.execute("START TRANSACTION");
  if (written) written = write_records(delivery, bad);
  if (written && bad.empty()) written = client_.execute("COMMIT");
  if (written && bad.empty()) {
    drifted_ = false;
    return Answer::delivered();
  }
  // Twice in a row it is not the table's columns, but what a trigger or a view says of others.
  const bool drift = !written && is_drift(client_.error_number()) && !std::exchange(drifted_, true);
  if (client_.is_open()) (void)client_.execute("ROLLBACK");
  if (written) {
    // Those that made no row were known before the server had seen the rows between them.
    std::ranges::sort(bad, {}, &Bad::value_type::first);
    return Answer::rejected(std::move(bad));
  }
  if (!drift) return answer_of(written.error());
  // The table is not what it was. The next attempt is made for what it is then.
  columns_.clear();
  return Answer::retry(written.error().message());
}

Status TableWriter::write_records(const Delivery& delivery, Bad& bad) {
  Statement statement;
  uint32_t index = 0;
  for (const Part& part : delivery.parts)
    for (uint32_t i = 0; i < part.count; ++i, ++index) {
      const Record& record = part.batch->records[part.first + i];
      const Plan& plan = plan_for(*part.batch, record);
      if (!plan.unknown.empty() && !config_.reject_unknown) tell_unknown(plan);
      Result<std::string> row = row_sql(plan, record);
      if (!row) {
        bad.emplace_back(index, Why{row.error().message(), "mysql"});
        continue;
      }
      const size_t alone = plan.head.size() + row->size() + plan.tail.size();
      if (alone > longest_) {
        bad.emplace_back(index, too_long(alone, longest_));
        continue;
      }
      const bool fits = statement.head() == plan.head &&
                        statement.bytes_with(*row) <= std::min(most_bytes_, longest_);
      if (!fits) {
        if (Status sent = send(statement, bad); !sent) return sent;
        statement = Statement(plan.head, plan.tail);
      }
      statement.add(index, std::move(*row));
    }
  return send(statement, bad);
}

bool TableWriter::was_of_row() const {
  return is_of_row(client_.error_number(), client_.error_state());
}

// All at once; where the server refuses one of them it takes none, and says of few which it was.
Status TableWriter::send(const Statement& statement, Bad& bad) {
  if (statement.rows().empty()) return {};
  Status sent = client_.execute(statement.sql());
  if (!sent && was_of_row()) return send_each(statement, bad);
  return sent;
}

// So that all that are bad are known at once, and one more attempt does for the rest.
Status TableWriter::send_each(const Statement& statement, Bad& bad) {
  for (const auto& [record, row] : statement.rows()) {
    Status sent = client_.execute(statement.sql_of(row));
    if (sent) continue;
    if (!was_of_row()) return sent;
    bad.emplace_back(record, Why{client_.error_text(), code_of(client_.error_number())});
  }
  return {};
}

}  // namespace leat::mysql
