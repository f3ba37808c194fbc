// Feeds dead letters to the running task of their pipeline once more.
//
// A letter is done when what came of it is delivered, or durable in the spool; or is a dead letter
// again, with the same id and one attempt more, on the disk: then it is marked (letter_files.h), a
// few at a time. A crash in between has it tried once more; where the sink stores positions with
// the data (exactlyOnce), the letters that are not marked yet are named there, and are recognised.
//
// Only letters that are there when it begins are tried, so one that fails again is not tried again.
// A few at a time are read, and held; what is held counts against the task's budget.
//
// Thread: the task's loop; files are read and marked on the thread pool.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lifetime.h"
#include "letters/letter_batch.h"
#include "letters/letter_files.h"
#include "memory/budget.h"
#include "task/feed.h"

namespace leat {

struct LetterRetryResult {
  Status status;            // what ended it before its time
  uint64_t retried = 0;     // those below, and those that are neither: delivered, or in the spool
  uint64_t dead_again = 0;  // of them
  uint64_t refused = 0;     // could not be tried
  uint64_t known = 0;       // were delivered before a crash, as the sink says
  std::vector<std::pair<uint64_t, std::string>> reasons = {};  // of the two, by id; the first ones
};

struct LetterRetrySetup {
  std::string path;
  LetterFilter filter;
  LetterFrom from = LetterFrom::kBest;
  std::string edited = {};  // to be tried in the place of the one that is meant: a line
  // Called once, at the end, or as it goes.
  std::function<void(LetterRetryResult)> done = nullptr;
};

class LetterRetry final : public Feed {
 public:
  LetterRetry(FeedHost& host, LetterRetrySetup setup);
  ~LetterRetry() override;

  Given next() override;
  Brought brought_by(const Position& behind) override;
  void rejected(Rejection& rejection) override;
  void stop() override;
  bool over() const override { return over_; }

  // Acknowledger.
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  std::string describe(const Position& position) override;
  std::string metadata_of(const Position& position) override;

 private:
  static constexpr size_t kMostUnmarked = 128;
  static constexpr size_t kMostBytes = 256 * 1024;
  static constexpr size_t kMostReasons = 16;
  static constexpr size_t kShare = 8;  // of the budget may be read at a time

  struct Fetched {
    std::string line;
    LetterPlace place;
    uint64_t id;
  };
  struct Tried {
    uint64_t end;  // its offset
    LetterMark mark;
    uint32_t attempt;
    std::string source;
    std::string metadata;
    size_t bytes;
    bool dead = false;
    bool named = false;  // in the spool
  };
  struct Reading;

  void read_on();
  void have_read(const std::shared_ptr<Reading>& reading);
  void mark();
  void settle(const LetterMark& mark, uint32_t attempt);
  void end_if_done();
  void end(Status status);
  void note_reason(uint64_t id, std::string_view reason);
  Tried* at(const Position& position);
  size_t most_bytes() const { return std::min(kMostBytes, host_.budget().limit() / kShare); }
  void count_held();

  FeedHost& host_;
  LetterRetrySetup setup_;
  LetterBatches batches_;
  std::shared_ptr<Reading> reading_;  // null while it is on the pool
  bool at_end_ = false;
  std::deque<Fetched> fetched_;
  std::deque<Tried> tried_;  // not acknowledged
  size_t tried_bytes_ = 0;
  Charge held_;  // fetched_, tried_ and the line that the reader has
  std::vector<LetterMark> to_mark_;
  std::vector<std::string> unmarked_;  // names in saved positions of to_mark_ and what is under way
  size_t marking_ = 0;                 // of them
  std::vector<std::string> known_;     // delivered before
  uint64_t offset_;                    // of the next
  bool stopped_ = false;
  bool over_ = false;
  LetterRetryResult result_;
  Lifetime lifetime_;
};

}  // namespace leat
