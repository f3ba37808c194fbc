// exactlyOnce: where the source is, stored in the transaction of the records it stands for.
//
// A COMMIT that failed may have been carried out all the same: with a write-ahead log, when the
// frame that ends the transaction was written and only its fsync failed. So each transaction leaves
// a mark of its own beside the positions, in the row with an empty partition, and after such a
// COMMIT the next attempt looks for it. The positions themselves would not do for that: their text
// is the source's, and may differ when it is made a second time.
//
// Thread: one at a time (the sink's job thread). All but load() in a transaction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client.h"
#include "stage/source.h"

namespace leat::sqlite {

// leat_positions(agent, pipeline, partition, value): as SavedPosition, one row for each partition.
// A table without the agents, of an older leat, gets them with the first position that is saved.
inline constexpr std::string_view kPositionsTable = "leat_positions";

class Positions {
 public:
  Positions(Connection& connection, std::string agent, std::string pipeline);

  Result<std::vector<SavedPosition>> load();
  Status save(const std::vector<SavedPosition>& positions);

  // What save() wrote is about to be committed; it was.
  void committing() { in_doubt_ = true; }
  void committed() { in_doubt_ = false; }
  // Whether a COMMIT has failed since, so that nobody knows.
  bool in_doubt() const { return in_doubt_; }
  // It was carried out. When it was not, it never will be.
  Result<bool> was_committed();

  // Lets go of all statements.
  void forget() { save_one_.reset(); }

 private:
  enum class Kept { kNot, kByPipeline, kByAgent };  // as the table is now
  Result<Kept> kept();
  // With the agent and the pipeline bound, which both outlive it.
  Result<Statement> prepare(std::string_view sql);
  Status make_ready();
  Status save_one(const std::string& partition, const std::string& value);
  std::string mark() const { return writer_ + "/" + std::to_string(transaction_); }

  Connection& connection_;
  const std::string agent_;
  const std::string pipeline_;
  const std::string writer_;  // unlike that of any other, also of this pipeline's earlier runs
  uint64_t transaction_ = 0;
  bool in_doubt_ = false;
  Statement save_one_;
};

}  // namespace leat::sqlite
