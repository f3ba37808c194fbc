// The file of dead letters: one JSON object a line, appended and fsync'ed before the position
// behind the record is acknowledged. Opened when the first one comes.
//
// People and programs tidy up such files: before each write, and after its fsync, the file open is
// compared with what the path names. When it was removed, renamed, emptied or replaced meanwhile,
// what is to be written goes into the file that has the name now, made anew where there is none.
//
//   {"id":"0123456789abcdef","time":"2026-01-02T03:04:05Z","pipeline":"press-line",
//    "stage":"filter","reason":"filter: malformed JSON","source":"/data/a.jsonl:17",
//    "record":{"ts":1,…},"payload":"{\"ts\":1,…}\n"}
//
// All members: task/dead_letter_line.h. What has been tried again or dropped is noted in a file
// beside it (letters/letter_files.h).
//
// Thread: the pipeline's loop thread; the writing happens on the thread pool.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/lifetime.h"
#include "base/result.h"
#include "delivery/delivery_config.h"
#include "loop/handles.h"
#include "memory/budget.h"

namespace leat {

class DeadLetterFile {
 public:
  // What waits counts against `budget`; null: it is not counted.
  DeadLetterFile(Loop& loop, std::string scope, DeadLetterConfig config, Budget* budget = nullptr);
  ~DeadLetterFile();

  // Takes a line (without its newline). Its number is last() afterwards.
  void append(const std::string& line);

  uint64_t last() const { return last_; }        // number of the newest line taken
  uint64_t durable() const { return durable_; }  // all up to this one are on disk
  size_t pending_bytes() const;                  // not on disk yet
  // So much waits that no record may be taken on that could become another one. Ends with
  // on_durable().
  bool full() const { return pending_bytes() >= kMostPending; }
  // Called when durable() has moved; until `whose` is forgotten. No listener may add or forget one.
  void on_durable(const void* whose, std::function<void()> listener) {
    listeners_[whose] = std::move(listener);
  }
  void forget(const void* whose) { listeners_.erase(whose); }

 private:
  static constexpr size_t kMostPending = 256 * 1024;
  struct LineAppender;
  void write_next();
  void written(const Status& status);

  Loop& loop_;
  const std::string scope_;
  const DeadLetterConfig config_;
  std::string waiting_;
  Charge charge_;  // pending_bytes()
  uint64_t last_ = 0;
  uint64_t writing_ = 0;  // number of the last line under way, 0 when idle
  uint64_t durable_ = 0;
  bool failed_ = false;  // the last write failed, and that was logged
  std::shared_ptr<LineAppender> appender_;
  Lifetime lifetime_;
  Timer retry_;
  std::map<const void*, std::function<void()>> listeners_;
};

}  // namespace leat
