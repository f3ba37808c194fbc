// The SQL of spooled batches (FORMAT.md). A row is one batch as the spool gave it, compressed.
//
// Thread: the journal thread's. Lifetime: within the database's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leat {

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
  // Returns the bytes stored. `row.first` must not lie before the end.
  Result<uint64_t> append(const std::string& pipeline, const SpoolRow& row);
  // The first row that has a record numbered `from` or later. kData: it is damaged; `*end` is then
  // the number behind its last record.
  Result<std::optional<SpoolRow>> read(const std::string& pipeline, uint64_t from, uint64_t* end);
  // Removes the rows that end at or before `to`.
  Result<SpoolRemoved> remove(const std::string& pipeline, uint64_t to);
  // Removes rows from record number `from` on, the oldest first, until `bytes` are free.
  Result<SpoolRemoved> drop(const std::string& pipeline, uint64_t from, uint64_t bytes);

  // Pipelines that have something in their spool.
  Result<std::vector<std::string>> not_empty();

  // What became of the transaction.
  void committed();
  void rolled_back();
  // No row was ever seen here.
  bool seems_empty() const { return seems_empty_; }
  // The spools that were opened in `other`, of a journal that this one takes the place of.
  Status take_over(SpoolTable& other);

 private:
  struct Open {
    std::string epoch;
    enum class Made { kNo, kInThisTransaction, kYes } made = Made::kYes;  // its row in `spools`
    int64_t base = 0;                                                     // id of record 0
    uint64_t stored = 0;  // bytes stored since the beginning, of all rows that ever were
  };
  struct RowInfo {
    int64_t id;
    uint64_t records;
    uint64_t size;
  };
  Open& known(const std::string& pipeline) { return open_.at(pipeline); }
  // The first row at or behind `id`.
  Result<std::optional<RowInfo>> row_from(int64_t id, int64_t base);
  Result<bool> find(const std::string& pipeline, Open* spool);
  Status make(const std::string& pipeline, Open& spool);
  Result<SpoolRemoved> remove_rows(Open& spool, int64_t from, uint64_t to, uint64_t bytes);
  Error error(const char* what) const;

  sqlite3* db_;
  std::map<std::string, Open> open_;
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
};

// A row's content as it is stored: compressed when that makes it smaller, with a checksum.
std::string pack_row(std::string_view content);
// kData when `packed` is damaged.
Result<std::string> unpack_row(std::string_view packed);

}  // namespace leat
