#include "positions.h"

#include <utility>

namespace leat::sqlite {
namespace {

constexpr std::string_view kCreate =
    "CREATE TABLE IF NOT EXISTS leat_positions (pipeline TEXT NOT NULL, \"partition\" TEXT NOT "
    "NULL, value TEXT NOT NULL, PRIMARY KEY (pipeline, \"partition\"))";
constexpr std::string_view kExists =
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leat_positions'";
constexpr std::string_view kLoad =
    "SELECT \"partition\", value FROM leat_positions WHERE pipeline = ? AND \"partition\" <> ''";
constexpr std::string_view kHasMark =
    "SELECT 1 FROM leat_positions WHERE pipeline = ? AND \"partition\" = '' AND value = ?";
constexpr std::string_view kSave =
    "INSERT INTO leat_positions (pipeline, \"partition\", value) VALUES (?, ?, ?) "
    "ON CONFLICT (pipeline, \"partition\") DO UPDATE SET value = excluded.value";
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

Positions::Positions(Connection& connection, std::string pipeline)
    : connection_(connection), pipeline_(std::move(pipeline)), writer_(random_name()) {}

Result<bool> Positions::table_exists() {
  Result<Statement> query = connection_.prepare(kExists);
  if (!query) return fail(query.error());
  return connection_.next_row(query->get());
}

Result<std::vector<SavedPosition>> Positions::load() {
  std::vector<SavedPosition> positions;
  Result<bool> there = table_exists();
  if (!there) return fail(there.error());
  if (!*there) return positions;
  Result<Statement> query = connection_.prepare(kLoad);
  if (!query) return fail(query.error());
  bind_text(query->get(), 1, pipeline_);
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
    if (Status made = connection_.execute(std::string(kCreate)); !made) return made;
    Result<Statement> prepared = connection_.prepare(kSave);
    if (!prepared) return fail(prepared.error());
    save_one_ = std::move(*prepared);
  }
  for (const SavedPosition& position : positions)
    if (Status saved = save_one(position.partition, position.value); !saved) return saved;
  ++transaction_;
  return save_one(kMarkPartition, mark());
}

Status Positions::save_one(const std::string& partition, const std::string& value) {
  bind_text(save_one_.get(), 1, pipeline_);
  bind_text(save_one_.get(), 2, partition);
  bind_text(save_one_.get(), 3, value);
  return connection_.run(save_one_.get());
}

Result<bool> Positions::was_committed() {
  Result<bool> there = table_exists();
  if (!there) return there;
  if (*there) {
    Result<Statement> query = connection_.prepare(kHasMark);
    if (!query) return fail(query.error());
    const std::string wanted = mark();
    bind_text(query->get(), 1, pipeline_);
    bind_text(query->get(), 2, wanted);
    there = connection_.next_row(query->get());
    if (!there) return there;
  }
  in_doubt_ = *there;
  return there;
}

}  // namespace leat::sqlite
