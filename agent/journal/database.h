// All SQL of the journal. The format is described in FORMAT.md.
//
// Thread: opened on one thread, then used by the journal thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "stage/source.h"

struct sqlite3;
struct sqlite3_stmt;

namespace leat {

class JournalDatabase {
 public:
  static Result<std::unique_ptr<JournalDatabase>> open(const std::string& path);
  ~JournalDatabase();

  Status begin();
  Status commit();
  void rollback();

  Status save(const std::string& pipeline, const SavedPosition& position);
  Result<std::vector<SavedPosition>> load(const std::string& pipeline);

 private:
  JournalDatabase(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  static Result<std::unique_ptr<JournalDatabase>> open_file(const std::string& path);
  Status prepare();
  Error error(const std::string& what) const;

  sqlite3* db_;
  std::string path_;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* rollback_ = nullptr;
  sqlite3_stmt* save_ = nullptr;
  sqlite3_stmt* load_ = nullptr;
};

}  // namespace leat
