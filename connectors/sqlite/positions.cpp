#include "positions.h"

#include <utility>

namespace leat::sqlite {
namespace {

// Parameters: ?1 the agent, ?2 the pipeline.
constexpr std::string_view kCreate =
    "CREATE TABLE leat_positions (agent TEXT NOT NULL, pipeline TEXT NOT NULL, \"partition\" TEXT "
    "NOT NULL, value TEXT NOT NULL, PRIMARY KEY (agent, pipeline, \"partition\"))";
// The table of an older leat had no agent: its rows become those of the agent "".
constexpr std::string_view kMove =
    "INSERT INTO leat_positions SELECT '', pipeline, \"partition\", value FROM leat_old_positions";
constexpr std::string_view kColumns = "SELECT name FROM pragma_table_info('leat_positions')";
constexpr std::string_view kLoadOld =
    "SELECT \"partition\", value FROM leat_positions WHERE ?1 <> '' AND pipeline = ?2 AND "
    "\"partition\" <> ''";
constexpr std::string_view kLoad =
    "SELECT \"partition\", value FROM leat_positions WHERE pipeline = ?2 AND \"partition\" <> '' "
    "AND agent = iif(EXISTS (SELECT 1 FROM leat_positions WHERE agent = ?1 AND pipeline = ?2), ?1, "
    "'')";
// The first agent that saves one of a pipeline takes over what is nobody's.
constexpr std::string_view kTakeOver =
    "UPDATE leat_positions SET agent = ?1 WHERE agent = '' AND pipeline = ?2 AND NOT EXISTS "
    "(SELECT 1 FROM leat_positions WHERE agent = ?1 AND pipeline = ?2)";
constexpr std::string_view kHasMark =
    "SELECT 1 FROM leat_positions WHERE agent = ?1 AND pipeline = ?2 AND \"partition\" = '' AND "
    "value = ?3";
constexpr std::string_view kSave =
    "INSERT INTO leat_positions (agent, pipeline, \"partition\", value) VALUES (?1, ?2, ?3, ?4) "
    "ON CONFLICT (agent, pipeline, \"partition\") DO UPDATE SET value = excluded.value";
// No source saves one under this name (stage/source.h).
const std::string kMarkPartition;

void bind_text(sqlite3_stmt* statement, int parameter, const std::string& text) {
  sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

std::string column_text(sqlite3_stmt* statement, int column) {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

std::string random_name() {
  uint64_t number = 0;
  sqlite3_randomness(sizeof number, &number);
  return std::to_string(number);
}

}  // namespace

Positions::Positions(Connection& connection, std::string agent, std::string pipeline)
    : connection_(connection),
      agent_(std::move(agent)),
      pipeline_(std::move(pipeline)),
      writer_(random_name()) {}

Result<Positions::Kept> Positions::kept() {
  Result<Statement> query = connection_.prepare(kColumns);
  if (!query) return fail(query.error());
  Kept out = Kept::kNot;
  while (true) {
    Result<bool> row = connection_.next_row(query->get());
    if (!row) return fail(row.error());
    if (!*row) return out;
    out = Kept::kByPipeline;
    if (column_text(query->get(), 0) == "agent") return Kept::kByAgent;
  }
}

Result<Statement> Positions::prepare(std::string_view sql) {
  Result<Statement> statement = connection_.prepare(sql);
  if (statement) {
    bind_text(statement->get(), 1, agent_);
    bind_text(statement->get(), 2, pipeline_);
  }
  return statement;
}

Result<std::vector<SavedPosition>> Positions::load() {
  std::vector<SavedPosition> positions;
  Result<Kept> kept = this->kept();
  if (!kept) return fail(kept.error());
  if (*kept == Kept::kNot) return positions;
  Result<Statement> query = prepare(*kept == Kept::kByAgent ? kLoad : kLoadOld);
  if (!query) return fail(query.error());
  while (true) {
    Result<bool> row = connection_.next_row(query->get());
    if (!row) return fail(row.error());
    if (!*row) return positions;
    positions.push_back({column_text(query->get(), 0), column_text(query->get(), 1)});
  }
}

Status Positions::save(const std::vector<SavedPosition>& positions) {
  if (positions.empty()) return {};
  if (!save_one_) {
    if (Status ready = make_ready(); !ready) return ready;
    Result<Statement> prepared = prepare(kSave);
    if (!prepared) return fail(prepared.error());
    save_one_ = std::move(*prepared);
  }
  for (const SavedPosition& position : positions)
    if (Status saved = save_one(position.partition, position.value); !saved) return saved;
  ++transaction_;
  return save_one(kMarkPartition, mark());
}

Status Positions::make_ready() {
  Result<Kept> kept = this->kept();
  if (!kept) return fail(kept.error());
  std::string sql;
  if (*kept == Kept::kByPipeline) sql = "ALTER TABLE leat_positions RENAME TO leat_old_positions; ";
  if (*kept != Kept::kByAgent) sql += kCreate;
  if (*kept == Kept::kByPipeline)
    sql += "; " + std::string(kMove) + "; DROP TABLE leat_old_positions";
  if (!sql.empty())
    if (Status made = connection_.execute(sql); !made) return made;
  Result<Statement> take_over = prepare(kTakeOver);
  if (!take_over) return fail(take_over.error());
  return connection_.run(take_over->get());
}

Status Positions::save_one(const std::string& partition, const std::string& value) {
  bind_text(save_one_.get(), 3, partition);
  bind_text(save_one_.get(), 4, value);
  return connection_.run(save_one_.get());
}

Result<bool> Positions::was_committed() {
  Result<Kept> kept = this->kept();
  if (!kept) return fail(kept.error());
  Result<bool> there = false;
  if (*kept == Kept::kByAgent) {  // else there was no such transaction
    Result<Statement> query = prepare(kHasMark);
    if (!query) return fail(query.error());
    const std::string wanted = mark();
    bind_text(query->get(), 3, wanted);
    there = connection_.next_row(query->get());
    if (!there) return there;
  }
  in_doubt_ = *there;
  return there;
}

}  // namespace leat::sqlite
