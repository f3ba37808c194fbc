#include "table/table_list.h"

#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "loop/loop.h"

namespace leat::table {

bool is_pattern(std::string_view table) {
  return table.find('%') != std::string_view::npos && table.find('"') == std::string_view::npos;
}

std::string like_of(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    if (c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Result<std::string> found(const std::string& pattern,
                          const Result<std::vector<std::string>>& names) {
  if (!names) return fail(names.error());
  if (names->empty()) return fail(ErrorKind::kUsage, "there is no table of the name " + pattern);
  return pattern + ": " + format_count(names->size(), "table");
}

TableList::TableList(std::unique_ptr<Database> database, std::string pattern)
    : database_(std::move(database)), pattern_(std::move(pattern)) {}

Status TableList::open(SourceContext& context, Done done) {
  context_ = &context;
  if (Status opened = database_->open(context); !opened) return opened;
  done_ = std::move(done);
  timer_.emplace(context.loop());
  timer_->start_next_turn([this] { ask(); });
  return {};
}

void TableList::close(std::function<void()> closed) {
  timer_.reset();
  database_->close(std::move(closed));
}

void TableList::ask() {
  database_->list([this](Result<std::vector<std::string>> names) { listed(std::move(names)); });
}

void TableList::listed(Result<std::vector<std::string>> names) {
  const std::string what = "the tables " + pattern_;
  if (names && names->empty())
    return done_(fail(ErrorKind::kUsage, "there is no table of the name " + pattern_));
  if (names) return done_(std::move(names));
  if (names.error().kind() != ErrorKind::kUnavailable)
    return done_(fail(names.error().kind(), what + ": " + names.error().message()));
  const int64_t now = context_->loop().clock().monotonic_us();
  Result<Milliseconds> wait = attempts_.failed(names.error(), now);
  if (!wait) return done_(fail(ErrorKind::kUnavailable, what + ": " + wait.error().message()));
  if (attempts_.to_be_said(now))
    log::warn(context_->pipeline(),
              what + ": " + names.error().message() + "; trying again until they can be listed");
  timer_->start(*wait, [this] { ask(); });
}

}  // namespace leat::table
