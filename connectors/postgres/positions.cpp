#include "connectors/postgres/positions.h"

#include <mbedtls/base64.h>

#include "base/text.h"
#include "connectors/postgres/wire.h"

namespace leat::postgres {
namespace {

// Names of files need not be UTF-8, but PostgreSQL's text must be.
constexpr std::string_view kEncoded = "base64:";

std::string storable(const std::string& text) {
  bool plain = is_utf8(text) && text.find('\0') == std::string::npos && !text.starts_with(kEncoded);
  return plain ? text : std::string(kEncoded) + base64(text);
}

std::string from_stored(const std::string& text) {
  if (!text.starts_with(kEncoded)) return text;
  std::string out(text.size(), '\0');
  size_t size = 0;
  auto* source = reinterpret_cast<const unsigned char*>(text.data()) + kEncoded.size();
  if (mbedtls_base64_decode(reinterpret_cast<unsigned char*>(out.data()), out.size(), &size, source,
                            text.size() - kEncoded.size()) != 0)
    return text;
  out.resize(size);
  return out;
}

std::string literal(const std::string& text) {
  return quoted_text(storable(text));
}

}  // namespace

std::string Positions::exists_sql() {
  return "SELECT pg_catalog.to_regclass('leat_positions') IS NOT NULL";
}

std::string Positions::create_sql() {
  return "CREATE TABLE IF NOT EXISTS leat_positions (agent text NOT NULL, pipeline text NOT NULL,"
         " partition text NOT NULL, value text NOT NULL, delivery text NOT NULL,"
         " PRIMARY KEY (agent, pipeline, partition))";
}

std::string Positions::load_sql() const {
  return "SELECT partition, value, delivery FROM leat_positions WHERE agent = " + literal(agent_) +
         " AND pipeline = " + literal(pipeline_);
}

Status Positions::loaded(const std::vector<Row>& rows) {
  std::map<std::string, Stored, std::less<>> stored;
  for (const Row& row : rows) {
    if (row.size() != 3 || !row[0] || !row[1] || !row[2])
      return fail(ErrorKind::kUnavailable, "the table leat_positions gives a strange answer");
    stored[from_stored(*row[0])] = {from_stored(*row[1]), *row[2]};
  }
  moved_ = had_ && stored != stored_;
  stored_ = std::move(stored);
  known_ = had_ = true;
  return {};
}

std::vector<SavedPosition> Positions::all() const {
  std::vector<SavedPosition> out;
  for (const auto& [partition, stored] : stored_) out.push_back({partition, stored.value});
  return out;
}

bool Positions::has(const Delivery& delivery) const {
  if (delivery.positions.empty()) return false;
  for (const SavedPosition& position : delivery.positions) {
    auto known = stored_.find(position.partition);
    if (known == stored_.end() || known->second != Stored{position.value, delivery.key})
      return false;
  }
  return true;
}

std::string Positions::save_sql(const Delivery& delivery) const {
  std::string sql;
  for (const SavedPosition& position : delivery.positions) {
    auto known = stored_.find(position.partition);
    std::string change;
    if (known == stored_.end()) {
      change = "INSERT INTO leat_positions (agent, pipeline, partition, value, delivery) VALUES (" +
               literal(agent_) + ", " + literal(pipeline_) + ", " + literal(position.partition) +
               ", " + literal(position.value) + ", " + quoted_text(delivery.key) +
               ") ON CONFLICT DO NOTHING";
    } else {
      change = "UPDATE leat_positions SET value = " + literal(position.value) +
               ", delivery = " + quoted_text(delivery.key) + " WHERE agent = " + literal(agent_) +
               " AND pipeline = " + literal(pipeline_) +
               " AND partition = " + literal(position.partition) +
               " AND value = " + literal(known->second.value) +
               " AND delivery = " + quoted_text(known->second.delivery);
    }
    sql += "WITH moved AS (" + change +
           " RETURNING 1) SELECT CASE WHEN count(*) = 1 THEN 1 ELSE ('" + std::string(kMoved) +
           "' || count(*))::int4 END FROM moved;";
  }
  return sql;
}

void Positions::saved(const Delivery& delivery) {
  for (const SavedPosition& position : delivery.positions)
    stored_[position.partition] = {position.value, delivery.key};
}

}  // namespace leat::postgres
