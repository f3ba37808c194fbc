// exactlyOnce: where the source is, stored in the transaction of the records it stands for.
//
// The row with an empty partition says whose the positions are: each session takes them over before
// it uses them, and each transaction begins with changing that row, from its own session's hands.
// So a transaction of an earlier session, which the server may still be busy with or has not even
// seen yet, is either waited for or cannot be carried out any more: what was read after the taking
// over holds. The same row numbers the transactions, so that one whose end we never heard of is
// found by its number. The positions' own text plays no part in this: it is the source's, and may
// differ when it is made a second time.
//
// Where several sinks deliver for one run (SinkLane) each has such a row of its own, so that none
// waits for another. The first one takes the positions over for all: it removes the rows of the
// others of an earlier run, and a later one of this run makes its row only while the first one's
// is of this run.
//
// Of a pipeline that runs on one agent of a group the name of the hands ends in the fencing number
// of its lease: hands with a smaller one take them over from nobody that has a greater one. So an
// agent that was stopped, and comes back, finds out before it has changed anything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocols/postgres/server_message.h"
#include "stage/sink.h"

namespace leat::postgres {

class Positions {
 public:
  // `fence`: as SinkContext::fence().
  Positions(std::string agent, std::string pipeline, SinkLane lane = {}, uint64_t fence = 0);

  // leat_positions(agent, pipeline, partition, value, delivery)
  static constexpr std::string_view kTable = "leat_positions";
  // In the error of a transaction that found them in other hands.
  static constexpr std::string_view kMoved = "leat:position";

  static std::string exists_sql();
  static std::string create_sql();
  // For each new session: whose they are; then they are taken over, and read.
  std::string owner_sql() const;
  // False: somebody else has taken them since we had them.
  bool found(const std::vector<Row>& rows);
  // They are in the hands of an agent of the group that has come behind us.
  bool fenced() const { return fenced_; }
  std::string take_sql();
  Status taken(const std::vector<Row>& rows);

  // They are ours, and what is known is what is stored.
  bool known() const { return known_; }
  // The session is gone; a transaction of it may still be carried out.
  void forget() { known_ = false; }
  // They are taken over from whoever has them: this run of the pipeline begins.
  void begin_anew();
  // Somebody else was faster, or they were set back.
  bool moved() const { return moved_; }
  std::vector<SavedPosition> all() const;

  // It was carried out, though we did not hear of it. Asked once.
  bool was_stored(const Delivery& delivery);
  // Goes to the start of the transaction. The first statement waits for one that is on its way.
  std::string save_sql(const Delivery& delivery);
  void saved() { stored_ = attempt_; }

 private:
  std::string mark() const { return owner_ + "/" + std::to_string(session_); }
  std::string where_mine() const;
  std::string where_hands() const;
  std::string fence_text() const;
  std::string run_of_lanes() const;
  std::string from_our_run() const;
  std::string remove_others() const;

  const std::string agent_;
  const std::string pipeline_;
  const SinkLane lane_;
  const uint64_t fence_;
  const std::string hands_;            // partition of the row that says whose they are
  std::string owner_;                  // unlike that of any other run of any agent
  std::optional<std::string> holder_;  // whose they were found to be
  bool mine_ = false;                  // it is this run
  bool taken_ = false;                 // they were, and the server has said so
  uint64_t session_ = 0;               // that has taken them
  uint64_t attempt_ = 0;               // number of the transaction tried last
  uint64_t stored_ = 0;                // and of the one known to be carried out
  std::string attempt_key_;            // Delivery::key of `attempt_`
  std::string unheard_of_;             // the same, when it turned out to be carried out
  bool known_ = false;
  bool moved_ = false;
  bool fenced_ = false;
  std::map<std::string, std::string, std::less<>> values_;  // by partition
};

}  // namespace leat::postgres
