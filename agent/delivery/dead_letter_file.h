// The file of dead letters: one JSON object a line, appended and fsync'ed before the position
// behind the record is acknowledged. Opened when the first one comes.
//
//   {"time":"2026-01-02T03:04:05Z","pipeline":"press-line","stage":"filter",
//    "reason":"filter: malformed JSON","source":"/data/a.jsonl:17","record":{"ts":1,…}}
//
// Bytes that never became a record stand under "raw" (text) or "rawBase64" (not UTF-8).
//
// Thread: the pipeline's loop thread; the writing happens on the thread pool.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "delivery/delivery_config.h"
#include "loop/handles.h"

namespace leat {

class DeadLetterFile {
 public:
  DeadLetterFile(uv_loop_t* loop, std::string scope, DeadLetterConfig config);
  ~DeadLetterFile();

  // Takes a line (without its newline). Its number is last() afterwards.
  void append(const std::string& line);

  uint64_t last() const { return last_; }        // number of the newest line taken
  uint64_t durable() const { return durable_; }  // all up to this one are on disk
  size_t pending_bytes() const;                  // not on disk yet
  // Called when durable() has moved.
  void on_durable(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  struct Writer;
  void write_next();
  void written(const Status& status);

  uv_loop_t* loop_;
  const std::string scope_;
  const DeadLetterConfig config_;
  std::string waiting_;
  uint64_t last_ = 0;
  uint64_t writing_ = 0;  // number of the last line under way, 0 when idle
  uint64_t durable_ = 0;
  bool failed_ = false;  // the last write failed, and that was logged
  std::shared_ptr<Writer> writer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer retry_;
  std::function<void()> listener_;
};

}  // namespace leat
