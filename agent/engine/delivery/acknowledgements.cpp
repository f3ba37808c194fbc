#include "delivery/acknowledgements.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

// What could not be saved is tried again after, and at most after: each failed attempt may write.
constexpr Milliseconds kSaveAgain{1'000};
constexpr Milliseconds kSaveAgainMost{60'000};

bool has(const std::vector<SavedPosition>& positions, const std::string& partition) {
  return std::any_of(positions.begin(), positions.end(),
                     [&partition](const SavedPosition& one) { return one.partition == partition; });
}

}  // namespace

Acknowledgements::Acknowledgements(Loop& loop, std::string pipeline, JournalClient& journal,
                                   bool in_the_sink)
    : pipeline_(std::move(pipeline)),
      journal_(journal),
      in_the_sink_(in_the_sink),
      again_(loop),
      delay_(kSaveAgain) {}

Acknowledgements::~Acknowledgements() {
  *alive_ = false;
}

bool Acknowledgements::release(std::function<void()> then) {
  bool waits = then != nullptr;
  if (waits) {
    then_ = std::move(then);
    covered_ = false;
  }
  if (saving_) return false;  // it goes on when that is through
  if (!go_on()) return false;
  if (waits) then_ = nullptr;
  return true;
}

// Who took over debts settles them, and with that more may be released.
void Acknowledgements::collect() {
  while (ledger_.any_reached()) {
    for (const Reached& one : ledger_.take_reached()) {
      one.by->released(one.position);
      merge(waiting_, one);
    }
  }
}

// True when nothing is left to do.
bool Acknowledgements::go_on() {
  covered_ = true;
  for (;;) {
    collect();
    if (waiting_.empty()) return true;
    releasing_ = std::exchange(waiting_, {});
    std::vector<SavedPosition> positions;
    for (const Reached& one : releasing_) {
      if (in_the_sink_) break;
      SavedPosition position = one.by->saved_form(one.position);
      if (position.partition.empty()) continue;
      if (is_along(position.partition)) {
        keep_unsaved(std::move(position));  // a later one is on its way
      } else {
        positions.push_back(std::move(position));
      }
    }
    if (!positions.empty()) {
      save(std::move(positions));
      return false;
    }
    for (const Reached& one : std::exchange(releasing_, {})) one.by->acked(one.position);
    if (saving_) return false;  // something that was told has begun it
  }
}

// With those that could not be saved before, unless they are overtaken.
void Acknowledgements::save(std::vector<SavedPosition> positions) {
  again_.stop();
  for (SavedPosition& old : std::exchange(unsaved_, {})) {
    if (has(positions, old.partition)) continue;
    (is_along(old.partition) ? unsaved_ : positions).push_back(std::move(old));
  }
  if (positions.empty()) return save_again_later();
  saving_ = true;
  journal_.commit(pipeline_, positions, [this, alive = alive_, positions](const Status& status) {
    if (*alive) saved(status, positions);
  });
}

void Acknowledgements::saved(const Status& status, const std::vector<SavedPosition>& positions) {
  std::shared_ptr<bool> alive = alive_;
  saving_ = false;
  if (!status)
    for (const SavedPosition& position : positions) keep_unsaved(position);
  say(status);
  std::function<void()> then;
  if (covered_) then = std::exchange(then_, nullptr);
  for (const Reached& one : std::exchange(releasing_, {})) one.by->acked(one.position);
  if (then) then();
  if (!*alive || saving_ || !go_on()) return;
  then = std::exchange(then_, nullptr);
  if (then) then();
}

void Acknowledgements::say(const Status& status) {
  if (status) delay_ = kSaveAgain;
  if (!unsaved_.empty()) save_again_later();
  if (!status) delay_ = std::min(delay_ * 2, kSaveAgainMost);
  if (!status && !failed_)
    log::error(pipeline_, "the position cannot be saved (" + status.error().message() +
                              "): records delivered from now on would be sent again after a "
                              "crash; delivering goes on");
  if (status && failed_) log::info(pipeline_, "positions are saved again");
  failed_ = !status;
}

void Acknowledgements::save_again_later() {
  again_.start(delay_, [this] {
    if (!saving_ && !unsaved_.empty()) save({});
  });
}

// --- together with something else ---------------------------------------------------------------

std::vector<SavedPosition> Acknowledgements::take_along(const Owed& owed) {
  along_ = ledger_.reached_with({&owed});
  along_as_.clear();
  for (const Reached& one : along_) {
    SavedPosition position = one.by->saved_form(one.position);
    if (!position.partition.empty()) along_as_.push_back(std::move(position));
  }
  return along_as_;
}

void Acknowledgements::stored(Owed owed) {
  owed.settle();
  for (const SavedPosition& one : std::exchange(along_as_, {}))
    std::erase_if(unsaved_,
                  [&one](const SavedPosition& old) { return old.partition == one.partition; });
  collect();
  for (const Reached& one : std::exchange(along_, {})) {
    auto is_it = [&one](const Reached& other) {
      return other.by == one.by && other.position.partition == one.position.partition;
    };
    auto reached = std::find_if(waiting_.begin(), waiting_.end(), is_it);
    // More has been released meanwhile: that is to be saved, too.
    if (reached == waiting_.end() || reached->position.offset != one.position.offset) continue;
    Reached saved = *reached;
    waiting_.erase(reached);
    // In order with what is told when it is saved.
    auto before = std::find_if(releasing_.begin(), releasing_.end(), is_it);
    if (before != releasing_.end()) {
      before->position = saved.position;
    } else {
      saved.by->acked(saved.position);
    }
  }
  (void)release();
}

void Acknowledgements::not_stored() {
  along_.clear();
  along_as_.clear();
  if (!unsaved_.empty() && !saving_) save_again_later();
}

bool Acknowledgements::is_along(const std::string& partition) const {
  return has(along_as_, partition);
}

void Acknowledgements::keep_unsaved(SavedPosition position) {
  std::erase_if(unsaved_, [&position](const SavedPosition& old) {
    return old.partition == position.partition;
  });
  unsaved_.push_back(std::move(position));
}

}  // namespace leat
