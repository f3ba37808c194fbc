// Writes what a pipeline can never deliver to its dead-letter file, counts it, and tells the log of
// it: of the first for each reason (as far as they are told apart), and then of their number once a
// minute. The file tells of each.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "delivery/dead_letter_file.h"
#include "task/dead_letter_reasons.h"
#include "task/rejection.h"

namespace leat {

// Where they are, with the default for a pipeline of this name.
std::string dead_letter_path(const DeadLetterConfig& config, const std::string& pipeline,
                             const std::string& data_dir);

class DeadLetterWriter {
 public:
  // What waits for the disk counts against `budget`; both outlive this.
  DeadLetterWriter(Loop& loop, std::string pipeline, const DeadLetterConfig& config,
                   Budget& budget);

  // `where` is the place in the source for people ("/data/a.jsonl:17"). One without an id gets one.
  void write(Rejection rejection, const std::string& where);
  // Of those that were none before.
  uint64_t count() const { return count_; }
  const DeadLetterReasons& reasons() const { return reasons_; }

  DeadLetterFile& file() { return file_; }
  bool all_durable() const { return file_.durable() >= file_.last(); }

 private:
  const Clock& clock_;
  const std::string pipeline_;
  const std::string path_;
  uint64_t last_id_;
  DeadLetterFile file_;
  log::OnceAMinute said_;
  uint64_t count_ = 0;
  DeadLetterReasons reasons_;
};

}  // namespace leat
