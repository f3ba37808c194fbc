#include "table/job_finish.h"

#include <utility>

#include "base/log.h"

namespace leat::table {

void JobFinish::start(Attempt attempt, Done done) {
  attempt_ = std::move(attempt);
  done_ = std::move(done);
  delay_.reset();
  go();
}

void JobFinish::go() {
  attempt_([this](const Status& status) { ended(status); });
}

void JobFinish::ended(const Status& status) {
  if (!status && status.error().kind() == ErrorKind::kUnavailable) {
    if (delay_.is_first())
      log::warn(pipeline_, status.error().message() +
                               "; all is delivered, trying again until postSql is done, too");
    timer_.start(delay_.next(), [this] { go(); });
    return;
  }
  std::exchange(done_, nullptr)(status);
}

}  // namespace leat::table
