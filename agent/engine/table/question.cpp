#include "table/question.h"

#include <utility>

#include "base/log.h"
#include "loop/loop.h"

namespace leat::table {

Question::Question(std::unique_ptr<Database> database, std::string what)
    : database_(std::move(database)), what_(std::move(what)) {}

Status Question::open(SourceContext& context) {
  context_ = &context;
  if (Status opened = database_->open(context); !opened) return opened;
  timer_.emplace(context.loop());
  timer_->start_next_turn([this] { ask(); });
  return {};
}

void Question::close(std::function<void()> closed) {
  timer_.reset();
  database_->close(std::move(closed));
}

std::optional<Error> Question::failed(const Error& error) {
  if (error.kind() != ErrorKind::kUnavailable)
    return Error(error.kind(), what_ + ": " + error.message());
  const int64_t now = context_->loop().clock().monotonic_us();
  const Result<Milliseconds> wait = attempts_.failed(error, now);
  if (!wait) return Error(ErrorKind::kUnavailable, what_ + ": " + wait.error().message());
  if (attempts_.to_be_said(now))
    log::warn(context_->pipeline(),
              what_ + ": " + error.message() + "; trying again until the database answers");
  timer_->start(*wait, [this] { ask(); });
  return std::nullopt;
}

}  // namespace leat::table
