#include "journal/spool_table.h"

#include <sqlite3.h>

#include <utility>

#include "base/hex.h"
#include "journal/bind_text.h"
#include "journal/sqlite_error.h"

namespace leat {
namespace {

constexpr const char* kFind = "SELECT number, epoch FROM spools WHERE pipeline = ?1";
constexpr const char* kMake = "INSERT INTO spools(number, pipeline, epoch) VALUES(?1, ?2, ?3)";
constexpr const char* kEnds =
    "SELECT id, records FROM spool"
    " WHERE id IN ((SELECT min(id) FROM spool WHERE id >= ?1 AND id < ?2),"
    "              (SELECT max(id) FROM spool WHERE id >= ?1 AND id < ?2)) ORDER BY id";
// length() of a blob needs its row's head only.
constexpr const char* kTotals =
    "SELECT sum(max(0, min(records, id + records - ?3))), sum(length(batch)) FROM spool"
    " WHERE id >= ?1 AND id < ?2";
constexpr const char* kAppend =
    "INSERT INTO spool(id, records, before, batch) VALUES(?1, ?2, 0, ?3)";
constexpr const char* kLastBefore =
    "SELECT id, records FROM spool WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
constexpr const char* kNext =
    "SELECT id, records, length(batch) FROM spool WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1";
constexpr const char* kContent = "SELECT batch FROM spool WHERE id = ?1";
constexpr const char* kEach =
    "SELECT id, records, batch FROM spool WHERE id >= ?1 AND id < ?2 ORDER BY id";
constexpr const char* kDelete = "DELETE FROM spool WHERE id = ?1";

int64_t limit_of(int64_t base) {
  return base + (int64_t{1} << kRecordBits);
}

void bind(sqlite3_stmt* statement, std::initializer_list<int64_t> values) {
  int index = 0;
  for (int64_t value : values) sqlite3_bind_int64(statement, ++index, value);
}

std::string random_epoch() {
  unsigned char bytes[8];
  sqlite3_randomness(sizeof bytes, bytes);
  std::string out;
  append_hex(out, bytes);
  return out;
}

uint64_t unsigned_column(sqlite3_stmt* statement, int i) {
  return static_cast<uint64_t>(sqlite3_column_int64(statement, i));
}

std::string_view bytes_column(sqlite3_stmt* statement, int i) {
  auto* data = static_cast<const char*>(sqlite3_column_blob(statement, i));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement, i));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}

}  // namespace

SpoolTable::~SpoolTable() {
  for (sqlite3_stmt* statement :
       {find_, make_, ends_, totals_, append_, last_before_, next_, content_, delete_, each_})
    sqlite3_finalize(statement);
}

Error SpoolTable::error(const char* what) const {
  return sqlite_error(db_, what);
}

Status SpoolTable::prepare() {
  struct Wanted {
    const char* sql;
    sqlite3_stmt** statement;
  };
  const Wanted wanted[] = {{kFind, &find_},     {kMake, &make_}, {kEnds, &ends_},
                           {kAppend, &append_}, {kNext, &next_}, {kLastBefore, &last_before_},
                           {kDelete, &delete_}, {kEach, &each_}, {kContent, &content_},
                           {kTotals, &totals_}};
  for (const Wanted& one : wanted)
    if (sqlite3_prepare_v3(db_, one.sql, -1, SQLITE_PREPARE_PERSISTENT, one.statement, nullptr) !=
        SQLITE_OK)
      return fail(error("prepare the spool"));
  // Above all that rows were ever numbered with, so that none can come to another's.
  sqlite3_stmt* last = nullptr;
  constexpr const char* kLast =
      "SELECT max((SELECT coalesce(max(number), 0) FROM spools),"
      "           (SELECT coalesce(max(id), 0) >> 44 FROM spool))";
  if (sqlite3_prepare_v2(db_, kLast, -1, &last, nullptr) == SQLITE_OK &&
      sqlite3_step(last) == SQLITE_ROW)
    next_number_ = sqlite3_column_int64(last, 0) + 1;
  if (sqlite3_finalize(last) != SQLITE_OK) return fail(error("prepare the spool"));
  return {};
}

// False when there is none.
Result<bool> SpoolTable::find(const std::string& pipeline, Open* spool) {
  bind_text(find_, 1, pipeline);
  bool found = sqlite3_step(find_) == SQLITE_ROW;
  if (found) {
    spool->base = sqlite3_column_int64(find_, 0) << kRecordBits;
    spool->epoch = bytes_column(find_, 1);
    spool->made = Open::Made::kYes;
  }
  if (sqlite3_reset(find_) != SQLITE_OK) return fail(error("find the spool"));
  return found;
}

Status SpoolTable::make(const std::string& pipeline, Open& spool) {
  bind(make_, {spool.base >> kRecordBits});
  bind_text(make_, 2, pipeline);
  bind_text(make_, 3, spool.epoch);
  sqlite3_step(make_);
  if (sqlite3_reset(make_) != SQLITE_OK) return fail(error("make the spool"));
  spool.made = Open::Made::kInThisTransaction;
  return {};
}

void SpoolTable::committed() {
  for (auto& [pipeline, spool] : open_) {
    if (spool.made == Open::Made::kInThisTransaction) spool.made = Open::Made::kYes;
    spool.end = spool.pending_end;
  }
}

void SpoolTable::rolled_back() {
  for (auto& [pipeline, spool] : open_) {
    if (spool.made == Open::Made::kInThisTransaction) spool.made = Open::Made::kNo;
    spool.pending_end = spool.end;
  }
}

Status SpoolTable::take_over(const Opened& opened) {
  for (const auto& [pipeline, spool] : opened) {
    Open mine;
    Result<bool> found = find(pipeline, &mine);
    if (!found) return fail(found.error());
    if (!*found) {
      mine.base = next_number_++ << kRecordBits;
      mine.epoch = spool.epoch;
      mine.made = Open::Made::kNo;
    }
    mine.end = mine.pending_end = spool.end;
    open_[pipeline] = mine;
  }
  return {};
}

Result<SpoolState> SpoolTable::open(const std::string& pipeline) {
  SpoolState state;
  Open spool;
  Result<bool> found = find(pipeline, &spool);
  if (!found) return fail(found.error());
  if (!*found) {
    // Reloads open a spool again that has got no row yet.
    auto known = open_.find(pipeline);
    if (known == open_.end()) {
      spool.base = next_number_++ << kRecordBits;
      spool.epoch = random_epoch();
      spool.made = Open::Made::kNo;
    } else {
      spool = known->second;
    }
  }
  state.epoch = spool.epoch;

  bind(ends_, {spool.base, limit_of(spool.base)});
  bool any = false;
  while (sqlite3_step(ends_) == SQLITE_ROW) {
    uint64_t first = unsigned_column(ends_, 0) - static_cast<uint64_t>(spool.base);
    if (!std::exchange(any, true)) state.first = first;
    state.end = first + unsigned_column(ends_, 1);
  }
  if (sqlite3_reset(ends_) != SQLITE_OK) return fail(error("read the spool"));
  spool.end = spool.pending_end = any ? state.end : spool.end;
  seems_empty_ &= !any;
  open_[pipeline] = spool;
  return state;
}

// Rows of version 2 do not say whose they are.
bool SpoolTable::is_of(const Open& spool, const std::string& pipeline, int64_t id, uint64_t records,
                       std::string_view batch, RowIdentity* whose) const {
  std::optional<RowIdentity> found = identify_row(batch);
  if (!found) return is_old_row(batch);
  bool right = found->pipeline == pipeline && found->epoch == spool.epoch &&
               found->first == record_number(id) && found->records == records;
  if (right && whose != nullptr) *whose = std::move(*found);
  return right;
}

Status SpoolTable::each(const std::string& pipeline, const std::function<void(const Seen&)>& seen) {
  const Open& spool = known(pipeline);
  bind(each_, {spool.base, limit_of(spool.base)});
  while (sqlite3_step(each_) == SQLITE_ROW) {
    int64_t id = sqlite3_column_int64(each_, 0);
    uint64_t records = unsigned_column(each_, 1);
    RowIdentity whose;
    bool damaged = !is_of(spool, pipeline, id, records, bytes_column(each_, 2), &whose);
    seen({record_number(id), record_number(id) + records, whose.previous, damaged,
          std::move(whose.positions)});
  }
  if (sqlite3_reset(each_) != SQLITE_OK) return fail(error("read the spool"));
  return {};
}

Status SpoolTable::remove_one(const std::string& pipeline, uint64_t first) {
  bind(delete_, {known(pipeline).base + static_cast<int64_t>(first)});
  sqlite3_step(delete_);
  if (sqlite3_reset(delete_) != SQLITE_OK) return fail(error("remove a spooled batch"));
  return {};
}

Result<std::vector<SavedPosition>> SpoolTable::reached(const std::string& pipeline, uint64_t to) {
  RowIdentity whose;
  Open& spool = known(pipeline);
  if (!spool.saves) return whose.positions;
  bind(last_before_, {spool.base, spool.base + static_cast<int64_t>(to)});
  int64_t id = -1;
  uint64_t records = 0;
  if (sqlite3_step(last_before_) == SQLITE_ROW) {
    id = sqlite3_column_int64(last_before_, 0);
    records = unsigned_column(last_before_, 1);
  }
  if (sqlite3_reset(last_before_) != SQLITE_OK) return fail(error("read the spool"));
  if (id < 0 || record_number(id) + records > to) return whose.positions;
  bind(content_, {id});
  if (sqlite3_step(content_) == SQLITE_ROW)
    is_of(spool, pipeline, id, records, bytes_column(content_, 0), &whose);
  sqlite3_reset(content_);  // that it is damaged is said when it is read
  spool.saves = !whose.positions.empty();
  return whose.positions;
}

Result<SpoolTotals> SpoolTable::totals(const std::string& pipeline, uint64_t from) {
  int64_t base = known(pipeline).base;
  bind(totals_, {base, limit_of(base), base + static_cast<int64_t>(from)});
  SpoolTotals totals;
  if (sqlite3_step(totals_) == SQLITE_ROW)
    totals = {unsigned_column(totals_, 0), unsigned_column(totals_, 1)};
  if (sqlite3_reset(totals_) != SQLITE_OK) return fail(error("count what is spooled"));
  return totals;
}

Result<uint64_t> SpoolTable::append(const std::string& pipeline, const SpoolRow& row,
                                    const std::vector<SavedPosition>& positions) {
  Open& spool = known(pipeline);
  if (spool.made == Open::Made::kNo)
    if (Status status = make(pipeline, spool); !status) return fail(status.error());
  std::string packed =
      pack_row({pipeline, spool.epoch, row.first, row.records, spool.pending_end, positions},
               row.content, row.in_haste);
  bind(append_, {spool.base + static_cast<int64_t>(row.first), static_cast<int64_t>(row.records)});
  sqlite3_bind_blob(append_, 3, packed.data(), static_cast<int>(packed.size()), SQLITE_STATIC);
  sqlite3_step(append_);
  if (sqlite3_reset(append_) != SQLITE_OK) return fail(error("spool a batch"));
  spool.pending_end = row.first + row.records;
  if (!positions.empty()) spool.saves = true;
  seems_empty_ = false;
  return packed.size();
}

Result<std::optional<SpoolTable::RowInfo>> SpoolTable::row_from(int64_t id, int64_t base) {
  bind(next_, {id, limit_of(base)});
  std::optional<RowInfo> row;
  if (sqlite3_step(next_) == SQLITE_ROW)
    row = RowInfo{sqlite3_column_int64(next_, 0), unsigned_column(next_, 1),
                  unsigned_column(next_, 2)};
  if (sqlite3_reset(next_) != SQLITE_OK) return fail(error("read the spool"));
  return row;
}

Result<std::optional<SpoolRow>> SpoolTable::read(const std::string& pipeline, uint64_t from,
                                                 uint64_t* end) {
  Open& spool = known(pipeline);
  int64_t wanted = spool.base + static_cast<int64_t>(from);
  // `from` may lie inside a row, of which a part was delivered before the agent was stopped.
  bind(last_before_, {spool.base, wanted});
  int64_t id = wanted;
  if (sqlite3_step(last_before_) == SQLITE_ROW &&
      sqlite3_column_int64(last_before_, 0) + sqlite3_column_int64(last_before_, 1) > wanted)
    id = sqlite3_column_int64(last_before_, 0);
  if (sqlite3_reset(last_before_) != SQLITE_OK) return fail(error("read the spool"));
  Result<std::optional<RowInfo>> found = row_from(id, spool.base);
  if (!found) return fail(found.error());
  if (!*found) return std::optional<SpoolRow>();
  SpoolRow row{static_cast<uint64_t>((*found)->id - spool.base), (*found)->records, {}};
  *end = row.first + row.records;
  bind(content_, {(*found)->id});
  int code = sqlite3_step(content_);
  Result<std::string> content = fail(ErrorKind::kData, "a spooled batch is damaged");
  if (code != SQLITE_ROW) {
    content = fail(error("read a spooled batch"));
  } else if (is_of(spool, pipeline, (*found)->id, row.records, bytes_column(content_, 0),
                   nullptr)) {
    content = unpack_row(bytes_column(content_, 0));
  }
  sqlite3_reset(content_);
  if (!content) return fail(content.error());
  row.content = std::move(*content);
  return std::optional<SpoolRow>(std::move(row));
}

Result<SpoolRemoved> SpoolTable::remove_rows(Open& spool, int64_t from, uint64_t to,
                                             uint64_t bytes) {
  SpoolRemoved removed;
  while (removed.bytes < bytes) {
    Result<std::optional<RowInfo>> row = row_from(from, spool.base);
    if (!row) return fail(row.error());
    if (!*row) break;
    uint64_t end = static_cast<uint64_t>((*row)->id - spool.base) + (*row)->records;
    if (end > to) break;
    bind(delete_, {(*row)->id});
    sqlite3_step(delete_);
    if (sqlite3_reset(delete_) != SQLITE_OK) return fail(error("remove a spooled batch"));
    removed.records += (*row)->records;
    removed.bytes += (*row)->size;
    removed.end = end;
    from = (*row)->id + 1;
  }
  return removed;
}

Result<SpoolRemoved> SpoolTable::remove(const std::string& pipeline, uint64_t to) {
  Open& spool = known(pipeline);
  return remove_rows(spool, spool.base, to, UINT64_MAX);
}

Result<SpoolRemoved> SpoolTable::drop(const std::string& pipeline, uint64_t from, uint64_t bytes) {
  Open& spool = known(pipeline);
  return remove_rows(spool, spool.base + static_cast<int64_t>(from), UINT64_MAX, bytes);
}

Result<std::vector<std::string>> SpoolTable::not_empty() {
  // Once, at the start of the agent.
  constexpr const char* kNotEmpty =
      "SELECT pipeline FROM spools WHERE EXISTS(SELECT 1 FROM spool"
      "  WHERE id >= number << 44 AND id < (number + 1) << 44)";
  std::vector<std::string> out;
  sqlite3_stmt* rows = nullptr;
  if (sqlite3_prepare_v2(db_, kNotEmpty, -1, &rows, nullptr) != SQLITE_OK)
    return fail(error("read the spools"));
  while (sqlite3_step(rows) == SQLITE_ROW) out.emplace_back(bytes_column(rows, 0));
  if (sqlite3_finalize(rows) != SQLITE_OK) return fail(error("read the spools"));
  return out;
}

}  // namespace leat
