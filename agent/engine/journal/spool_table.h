// The SQL of spooled batches (FORMAT.md). A row is one batch as the spool gave it, compressed.
//
// Thread: the journal thread's. Lifetime: within the database's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/position.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leat {

// A row's id in the table: which spool, and the number of its first record there.
inline constexpr int kRecordBits = 44;  // 500,000 spools of 17 trillion records each
constexpr int64_t row_id(int64_t spool, uint64_t record) {
  return (spool << kRecordBits) + static_cast<int64_t>(record);
}
constexpr int64_t spool_number(int64_t id) {
  return id >> kRecordBits;
}
constexpr uint64_t record_number(int64_t id) {
  return static_cast<uint64_t>(id) & ((uint64_t{1} << kRecordBits) - 1);
}

// What is spooled of one pipeline: records [first, end), numbered since its spool was made.
struct SpoolState {
  std::string epoch;  // tells this numbering from that of a journal that was lost
  uint64_t first = 0;
  uint64_t end = 0;
};

// What is there. Between `first` and `end` rows can be missing, so this is no matter of the ends.
struct SpoolTotals {
  uint64_t records = 0;
  uint64_t bytes = 0;  // as stored
};

struct SpoolRow {
  uint64_t first = 0;  // number of its first record
  uint64_t records = 0;
  std::string content;
  // Records come so fast that packing must not take its time.
  bool in_haste = false;
};

// Whose a row is, as the row itself says.
struct RowIdentity {
  std::string pipeline;
  std::string epoch;
  uint64_t first = 0;
  uint64_t records = 0;
  // The number behind the last row before it; not always its first, since a row that found no room
  // keeps its numbers. 0: not known.
  uint64_t previous = 0;
  std::vector<SavedPosition> positions;  // where the source was behind it
};

struct SpoolRemoved {
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t end = 0;  // number behind the last removed record; 0 when none was
};

class SpoolTable {
 public:
  explicit SpoolTable(sqlite3* db) : db_(db) {}
  ~SpoolTable();
  SpoolTable(const SpoolTable&) = delete;
  SpoolTable& operator=(const SpoolTable&) = delete;
  Status prepare();

  // Finds the spool of `pipeline`; one that is new is written with its first row. To be called
  // before the others.
  Result<SpoolState> open(const std::string& pipeline);
  // The records numbered from `from` on, and the bytes of all rows. Reads each row's head.
  Result<SpoolTotals> totals(const std::string& pipeline, uint64_t from);
  // No row of it was ever committed.
  bool is_new(const std::string& pipeline) { return known(pipeline).made == Open::Made::kNo; }
  // Returns the bytes stored. `row.first` must not lie before the end.
  Result<uint64_t> append(const std::string& pipeline, const SpoolRow& row,
                          const std::vector<SavedPosition>& positions = {});
  // The first row that has a record numbered `from` or later. kData: it is damaged; `*end` is then
  // the number behind its last record.
  Result<std::optional<SpoolRow>> read(const std::string& pipeline, uint64_t from, uint64_t* end);
  // Removes the rows that end at or before `to`.
  Result<SpoolRemoved> remove(const std::string& pipeline, uint64_t to);
  // Removes rows from record number `from` on, the oldest first, until `bytes` are free.
  Result<SpoolRemoved> drop(const std::string& pipeline, uint64_t from, uint64_t bytes);

  // Pipelines that have something in their spool.
  Result<std::vector<std::string>> not_empty();

  const std::string& epoch(const std::string& pipeline) { return known(pipeline).epoch; }
  // Where the source was behind the last row that ends at or before `to`.
  Result<std::vector<SavedPosition>> reached(const std::string& pipeline, uint64_t to);
  // Every row, in order. Damaged is also one that says it is another's.
  struct Seen {
    uint64_t first = 0;
    uint64_t end = 0;
    uint64_t previous = 0;  // as RowIdentity::previous
    bool damaged = false;
    std::vector<SavedPosition> positions;
  };
  Status each(const std::string& pipeline, const std::function<void(const Seen&)>& seen);
  Status remove_one(const std::string& pipeline, uint64_t first);

  // What became of the transaction.
  void committed();
  void rolled_back();
  // No row was ever seen here.
  bool seems_empty() const { return seems_empty_; }
  // The spools that were opened, for a journal that takes the place of this one.
  struct Open {
    std::string epoch;
    enum class Made { kNo, kInThisTransaction, kYes } made = Made::kYes;  // its row in `spools`
    int64_t base = 0;                                                     // id of record 0
    uint64_t end = 0;          // behind the last row that was committed; 0: not known
    uint64_t pending_end = 0;  // and with those of this transaction
    bool saves = true;         // its rows may say where the source was
  };
  using Opened = std::map<std::string, Open>;
  const Opened& opened() const { return open_; }
  Status take_over(const Opened& opened);

 private:
  Open& known(const std::string& pipeline) { return open_.at(pipeline); }
  bool is_of(const Open& spool, const std::string& pipeline, int64_t id, uint64_t records,
             std::string_view batch, RowIdentity* whose) const;
  struct RowInfo {
    int64_t id;
    uint64_t records;
    uint64_t size;
  };
  // The first row at or behind `id`.
  Result<std::optional<RowInfo>> row_from(int64_t id, int64_t base);
  Result<bool> find(const std::string& pipeline, Open* spool);
  Status make(const std::string& pipeline, Open& spool);
  Result<SpoolRemoved> remove_rows(Open& spool, int64_t from, uint64_t to, uint64_t bytes);
  Error error(const char* what) const;

  sqlite3* db_;
  Opened open_;
  int64_t next_number_ = 1;  // of a spool that is new
  bool seems_empty_ = true;
  sqlite3_stmt* find_ = nullptr;
  sqlite3_stmt* make_ = nullptr;
  sqlite3_stmt* ends_ = nullptr;
  sqlite3_stmt* totals_ = nullptr;
  sqlite3_stmt* append_ = nullptr;
  sqlite3_stmt* last_before_ = nullptr;
  sqlite3_stmt* next_ = nullptr;
  sqlite3_stmt* content_ = nullptr;
  sqlite3_stmt* delete_ = nullptr;
  sqlite3_stmt* each_ = nullptr;
};

// A row's content as it is stored: compressed when that makes it smaller, with whose it is, and
// with a checksum of all that.
// In haste, it takes a fifth of the time and half as many bytes again.
std::string pack_row(const RowIdentity& identity, std::string_view content, bool in_haste = false);
// kData when `packed` is damaged.
Result<std::string> unpack_row(std::string_view packed);
// nullopt when it is damaged, or of version 2, which does not say.
std::optional<RowIdentity> identify_row(std::string_view packed);
bool is_old_row(std::string_view packed);  // intact, and of version 2

}  // namespace leat
