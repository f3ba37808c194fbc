#include "writer.h"

#include <utility>

namespace leat::sqlite {
namespace {

constexpr std::string_view kCreatePositions =
    "CREATE TABLE IF NOT EXISTS leat_positions (pipeline TEXT NOT NULL, \"partition\" TEXT NOT "
    "NULL, value TEXT NOT NULL, PRIMARY KEY (pipeline, \"partition\"))";
constexpr std::string_view kHasPositions =
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leat_positions'";
constexpr std::string_view kLoadPositions =
    "SELECT \"partition\", value FROM leat_positions WHERE pipeline = ?";
constexpr std::string_view kSavePosition =
    "INSERT INTO leat_positions (pipeline, \"partition\", value) VALUES (?, ?, ?) "
    "ON CONFLICT (pipeline, \"partition\") DO UPDATE SET value = excluded.value";

void bind_text(sqlite3_stmt* statement, int parameter, const std::string& text) {
  sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

std::string column_text(sqlite3_stmt* statement, int column) {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

Answer answer_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kUnavailable:
      return Answer::retry(error.message());
    case ErrorKind::kData:
      return Answer::rejected(error.message());
    case ErrorKind::kUsage:
    case ErrorKind::kFatal:
      break;
  }
  return Answer::failed(error.message());
}

}  // namespace

Answer Writer::write(const Delivery& delivery) {
  Bad bad;
  Status written = write_transaction(delivery, bad);
  if (written) return Answer::delivered();
  undo();
  if (!bad.records.empty() && written.error().kind() == ErrorKind::kData)
    return Answer::rejected(std::move(bad.reason), std::move(bad.records));
  return answer_of(written.error());
}

Status Writer::write_transaction(const Delivery& delivery, Bad& bad) {
  if (Status opened = connection_.open(); !opened) return opened;
  if (Status begun = connection_.begin(); !begun) return begun;
  if (Status ready = table_.prepare(delivery); !ready) return ready;
  if (Status written = write_records(delivery, bad); !written) return written;
  if (Status saved = write_positions(delivery.positions); !saved) return saved;
  if (connection_.cancelled()) return fail(ErrorKind::kUnavailable, "sqlite: closing");
  return connection_.commit();
}

// Goes on behind a bad record, so that all that are bad for the same reason are known at once and
// one more attempt does for the rest.
Status Writer::write_records(const Delivery& delivery, Bad& bad) {
  uint32_t index = 0;
  for (const Part& part : delivery.parts) {
    for (uint32_t i = 0; i < part.count; ++i, ++index) {
      Status written = table_.write(delivery, *part.batch, part.batch->records[part.first + i]);
      if (written) continue;
      if (written.error().kind() != ErrorKind::kData) return written;
      if (bad.records.empty()) bad.reason = written.error().message();
      if (written.error().message() == bad.reason) bad.records.push_back(index);
      // RAISE(ROLLBACK) in a trigger: what follows would no longer be one transaction.
      if (!connection_.in_transaction()) return written;
    }
  }
  if (!bad.records.empty()) return fail(ErrorKind::kData, bad.reason);
  return {};
}

Status Writer::write_positions(const std::vector<SavedPosition>& positions) {
  if (positions.empty()) return {};
  if (!save_position_) {
    if (Status made = connection_.execute(std::string(kCreatePositions)); !made) return made;
    Result<Statement> prepared = connection_.prepare(kSavePosition);
    if (!prepared) return fail(prepared.error());
    save_position_ = std::move(*prepared);
  }
  for (const SavedPosition& position : positions) {
    bind_text(save_position_.get(), 1, pipeline_);
    bind_text(save_position_.get(), 2, position.partition);
    bind_text(save_position_.get(), 3, position.value);
    if (Status saved = connection_.run(save_position_.get()); !saved) return saved;
  }
  return {};
}

Result<std::vector<SavedPosition>> Writer::load_positions() {
  std::vector<SavedPosition> positions;
  if (Status opened = connection_.open(); !opened) return fail(opened.error());
  Result<Statement> has = connection_.prepare(kHasPositions);
  if (!has) return fail(has.error());
  Result<bool> there = connection_.next_row(has->get());
  if (!there) return fail(there.error());
  if (!*there) return positions;

  Result<Statement> query = connection_.prepare(kLoadPositions);
  if (!query) return fail(query.error());
  bind_text(query->get(), 1, pipeline_);
  while (true) {
    Result<bool> row = connection_.next_row(query->get());
    if (!row) return fail(row.error());
    if (!*row) return positions;
    positions.push_back({column_text(query->get(), 0), column_text(query->get(), 1)});
  }
}

void Writer::undo() {
  // Statements are let go first: some may stand in the middle of a step, and what was prepared for
  // a table that this transaction created is of no use any more.
  table_.forget();
  save_position_.reset();
  if (connection_.roll_back()) close();
}

void Writer::close() {
  table_.forget();
  save_position_.reset();
  connection_.close();
}

}  // namespace leat::sqlite
