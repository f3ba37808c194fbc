#include "connectors/postgres/positions.h"

#include <mbedtls/base64.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "protocols/postgres/wire.h"

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

// Of lanes but the first, with the number of each behind it. What is stored of a partition is never
// of this form: a text that begins so is encoded.
constexpr std::string_view kHands = "base64:lane ";

constexpr std::string_view kInsert =
    "INSERT INTO leat_positions (agent, pipeline, partition, value, delivery) ";
constexpr std::string_view kOrUpdate =
    ") ON CONFLICT (agent, pipeline, partition) DO UPDATE SET value = excluded.value, "
    "delivery = excluded.delivery;";

// Before the fencing number in the name of hands.
constexpr char kFence = 'f';

uint64_t fence_of(const std::string& hands) {
  const size_t at = hands.find(kFence);
  return at == std::string::npos ? 0 : std::strtoull(hands.c_str() + at + 1, nullptr, 10);
}

std::string literal(const std::string& text) {
  return quoted_text(storable(text));
}

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (std::string_view part : parts) out += part;
  return out;
}

}  // namespace

Positions::Positions(std::string agent, std::string pipeline, SinkLane lane, uint64_t fence)
    : agent_(std::move(agent)),
      pipeline_(std::move(pipeline)),
      lane_(lane),
      fence_(fence),
      hands_(lane_.number == 0 ? "" : std::string(kHands) + std::to_string(lane_.number)) {
  begin_anew();
}

std::string Positions::fence_text() const {
  return fence_ == 0 ? "" : std::string(1, kFence) + std::to_string(fence_);
}

std::string Positions::run_of_lanes() const {
  return std::to_string(lane_.run) + ".";
}

void Positions::begin_anew() {
  owner_ = run_of_lanes() + std::to_string(random_number()) + fence_text();
  session_ = attempt_ = stored_ = 0;
  unheard_of_.clear();
  known_ = moved_ = taken_ = false;
}

std::string Positions::where_mine() const {
  return join({" WHERE agent = ", literal(agent_), " AND pipeline = ", literal(pipeline_)});
}

std::string Positions::where_hands() const {
  return join({where_mine(), " AND partition = '", hands_, "'"});
}

std::string Positions::exists_sql() {
  return "SELECT pg_catalog.to_regclass('leat_positions') IS NOT NULL";
}

std::string Positions::create_sql() {
  return "CREATE TABLE IF NOT EXISTS leat_positions (agent text NOT NULL, pipeline text NOT NULL,"
         " partition text NOT NULL, value text NOT NULL, delivery text NOT NULL,"
         " PRIMARY KEY (agent, pipeline, partition))";
}

std::string Positions::owner_sql() const {
  return "SELECT value FROM leat_positions" + where_hands();
}

bool Positions::found(const std::vector<Row>& rows) {
  const std::optional<std::string> before = std::exchange(holder_, std::nullopt);
  if (!rows.empty() && !rows[0].empty()) holder_ = rows[0][0];
  mine_ = holder_ && holder_->starts_with(owner_ + "/");
  fenced_ = holder_ && fence_of(*holder_) > fence_;
  if (fenced_) return false;
  if (mine_) return true;
  if (lane_.number > 0) return !holder_;
  // A take that was broken off has changed nothing, or they would be in other hands than before.
  return session_ == 0 || (!taken_ && holder_ == before);
}

// Only from the hands they were found in: a statement of a process that was killed may come late.
// READ COMMITTED: SELECT sees what a transaction has left that the statement before waited for.
std::string Positions::take_sql() {
  ++session_;
  const std::string sql =
      holder_
          ? join({"UPDATE leat_positions SET value = '", mark(), mine_ ? "'" : "', delivery = '0'",
                  where_hands(), " AND value = ", quoted_text(*holder_)})
          : join({kInsert, "(SELECT ", literal(agent_), ", ", literal(pipeline_), ", '", hands_,
                  "', '", mark(), "', '0'", from_our_run(), ") ON CONFLICT DO NOTHING"});
  return join({"BEGIN ISOLATION LEVEL READ COMMITTED; ", sql, remove_others(),
               "; SELECT partition, value, delivery FROM leat_positions", where_mine(),
               "; COMMIT"});
}

// A later lane has hands only while the first one has the positions for the same run; FOR SHARE: it
// cannot lose them before this is through.
std::string Positions::from_our_run() const {
  if (lane_.number == 0) return "";
  return join({" FROM leat_positions", where_mine(), " AND partition = '' AND value LIKE '",
               run_of_lanes(), "%' FOR SHARE"});
}

// Those of an earlier run, and of lanes that this one may not have. A statement of its own: it sees
// what was made before the one before it could be carried out.
std::string Positions::remove_others() const {
  if (lane_.number > 0 || mine_) return "";
  return join({"; DELETE FROM leat_positions", where_mine(), " AND partition LIKE '", kHands,
               "%' AND EXISTS (SELECT 1 FROM leat_positions", where_hands(), " AND value = '",
               mark(), "')"});
}

Status Positions::taken(const std::vector<Row>& rows) {
  values_.clear();
  bool mine = false;
  bool earlier = false;
  std::string number;
  for (const Row& row : rows) {
    if (row.size() != 3 || !row[0] || !row[1] || !row[2])
      return fail(ErrorKind::kUnavailable, "the table leat_positions gives a strange answer");
    if (*row[0] == hands_) {
      mine = *row[1] == mark();
      earlier = row[1]->starts_with(owner_ + "/");
      number = *row[2];
    } else if (!row[0]->empty() && !row[0]->starts_with(kHands)) {
      values_[from_stored(*row[0])] = from_stored(*row[1]);
    }
  }
  if (!mine && earlier)
    return fail(ErrorKind::kUnavailable, "an earlier session has only just taken the positions");
  if (number == std::to_string(attempt_) && attempt_ != stored_) {
    stored_ = attempt_;
    unheard_of_ = attempt_key_;
  }
  // Another number: a server that lost what it had confirmed.
  moved_ = !mine || number != std::to_string(stored_);
  taken_ |= mine;
  known_ = true;
  return {};
}

std::vector<SavedPosition> Positions::all() const {
  std::vector<SavedPosition> out;
  for (const auto& [partition, value] : values_) out.push_back({partition, value});
  return out;
}

bool Positions::was_stored(const Delivery& delivery) {
  std::string stored = std::exchange(unheard_of_, {});
  return !stored.empty() && stored == delivery.key;
}

std::string Positions::save_sql(const Delivery& delivery) {
  if (delivery.positions.empty()) return "";
  ++attempt_;
  attempt_key_ = delivery.key;
  std::string sql = join({"WITH mine AS (UPDATE leat_positions SET delivery = '",
                          std::to_string(attempt_), "'", where_hands(), " AND value = '", mark(),
                          "' RETURNING 1) SELECT CASE WHEN count(*) = 1 THEN 1 ELSE ('", kMoved,
                          "' || count(*))::int4 END FROM mine;"});
  for (const SavedPosition& position : delivery.positions)
    sql += join({kInsert, "VALUES (", literal(agent_), ", ", literal(pipeline_), ", ",
                 literal(position.partition), ", ", literal(position.value), ", ",
                 quoted_text(delivery.key), kOrUpdate});
  return sql;
}

}  // namespace leat::postgres
