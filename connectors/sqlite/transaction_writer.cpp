#include "transaction_writer.h"

#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace leat::sqlite {
namespace {

Answer answer_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kUnavailable:
      return Answer::retry(error.message());
    case ErrorKind::kData:
      return Answer::rejected({error.message(), "sqlite"});
    case ErrorKind::kUsage:
    case ErrorKind::kFatal:
      break;
  }
  return Answer::failed(error.message());
}

}  // namespace

Answer TransactionWriter::write(const Delivery& delivery) {
  Bad bad;
  Status written = write_transaction(delivery, bad);
  if (written) {
    tell_of_readers();
    return Answer::delivered();
  }
  undo();
  if (bad.in_doubt) return Answer::refused(std::move(bad.records.front().second));
  if (!bad.records.empty() && written.error().kind() == ErrorKind::kData)
    return Answer::rejected(std::move(bad.records));
  return answer_of(written.error());
}

// preSql may do anything to the table.
Status TransactionWriter::begin_job() {
  table_.forget();
  return job_.begin();
}

Status TransactionWriter::finish(bool also_empty) {
  Status finished = connection_.open();
  table_.forget();
  if (finished) finished = job_.finish(also_empty);
  if (!finished) undo();
  return finished;
}

Status TransactionWriter::write_transaction(const Delivery& delivery, Bad& bad) {
  if (Status opened = connection_.open(); !opened) return opened;
  if (delivery.records > 0 && !job_.begun())
    if (Status begun = begin_job(); !begun) return begun;
  if (Status begun = connection_.begin(); !begun) return begun;
  if (positions_.in_doubt()) {
    // Of this delivery, since the last attempt was at this one, too.
    Result<bool> done = positions_.was_committed();
    if (!done) return fail(done.error());
    if (*done) return commit(delivery);
  }
  if (Status ready = table_.prepare(delivery); !ready) return ready;
  if (Status written = write_records(delivery, bad); !written) return written;
  if (Status saved = positions_.save(delivery.positions); !saved) return saved;
  if (connection_.cancelled()) return fail(ErrorKind::kUnavailable, "sqlite: closing");
  return commit(delivery);
}

// That it failed does not mean that it did not happen.
Status TransactionWriter::commit(const Delivery& delivery) {
  if (!delivery.positions.empty()) positions_.committing();
  Status done = connection_.commit();
  if (done) positions_.committed();
  return done;
}

// Goes on behind a bad record, so that all that are bad are known at once and one more attempt does
// for the rest.
Status TransactionWriter::write_records(const Delivery& delivery, Bad& bad) {
  uint32_t index = 0;
  bool in_doubt = true;
  for (const Part& part : delivery.parts) {
    for (uint32_t i = 0; i < part.count; ++i, ++index) {
      Status written = table_.write(delivery, *part.batch, part.batch->records[part.first + i]);
      in_doubt = in_doubt && !written && table_.stopped_by_code();
      if (written) continue;
      if (written.error().kind() != ErrorKind::kData) return written;
      bad.records.emplace_back(index, Why{written.error().message(), "sqlite"});
      // RAISE(ROLLBACK) in a trigger: what follows would no longer be one transaction.
      if (!connection_.in_transaction()) return written;
    }
  }
  if (bad.records.empty()) return {};
  bad.in_doubt = in_doubt;
  return fail(ErrorKind::kData, bad.records.front().second.reason);
}

Result<std::vector<SavedPosition>> TransactionWriter::load_positions() {
  if (Status opened = connection_.open(); !opened) return fail(opened.error());
  return positions_.load();
}

// Once, until it is over: a transaction that somebody forgot to end would fill the disk.
void TransactionWriter::tell_of_readers() {
  constexpr int64_t kMuch = 16 << 20;  // a log without readers has 4 MB
  const int64_t held = connection_.held_in_log();
  if (held == 0) told_of_readers_ = false;
  if (held < kMuch || std::exchange(told_of_readers_, true)) return;
  log::warn(pipeline_, "sqlite: the write-ahead log of the database grows (" + format_bytes(held) +
                           "): another program has been reading for so long, in a transaction that "
                           "it does not end");
}

void TransactionWriter::undo() {
  // Statements are let go first: some may stand in the middle of a step, and what was prepared for
  // a table that this transaction created is of no use any more.
  table_.forget();
  positions_.forget();
  if (connection_.roll_back()) close();
}

void TransactionWriter::close() {
  table_.forget();
  positions_.forget();
  connection_.close();
}

}  // namespace leat::sqlite
