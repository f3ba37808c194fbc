#include "delivery/acknowledgements.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

bool has(const std::vector<SavedPosition>& positions, const std::string& partition) {
  return std::any_of(positions.begin(), positions.end(),
                     [&partition](const SavedPosition& one) { return one.partition == partition; });
}

}  // namespace

Acknowledgements::Acknowledgements(Loop& loop, std::string pipeline, JournalClient& journal,
                                   bool in_the_sink)
    : pipeline_(std::move(pipeline)), journal_(journal), in_the_sink_(in_the_sink), again_(loop) {}

Acknowledgements::~Acknowledgements() = default;

bool Acknowledgements::release(std::function<void()> then) {
  bool waits = then != nullptr;
  ++releases_;
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
    collected_ = releases_;
    if (waiting_.empty()) {
      if (unsaved_.empty()) saved_releases_ = collected_;
      return true;
    }
    releasing_ = std::exchange(waiting_, {});
    std::vector<SavedPosition> positions;
    bool later = false;
    for (const Reached& one : releasing_) {
      if (in_the_sink_) break;
      SavedPosition position = one.by->saved_position(one.position);
      if (position.partition.empty()) continue;
      if (is_along(position.partition)) {
        keep_unsaved(std::move(position));  // a later one is on its way
      } else if (may_wait(*one.by)) {
        keep_unsaved(std::move(position));
        later = true;
      } else {
        positions.push_back(std::move(position));
      }
    }
    if (!positions.empty()) {
      save(std::move(positions));
      return false;
    }
    if (later) save_later();
    for (const Reached& one : std::exchange(releasing_, {})) one.by->acked(one.position);
    if (saving_) return false;  // something that was told has begun it
  }
}

bool Acknowledgements::may_wait(const Acknowledger& by) const {
  return &by == late_ && !stopped_ && journal_.positions_wait();
}

// With those that wait, unless they are overtaken.
void Acknowledgements::save(std::vector<SavedPosition> positions) {
  again_.stop();
  take_unsaved(positions);
  if (positions.empty()) return save_again_later();
  saving_ = true;
  covered_releases_ = unsaved_.empty() ? collected_ : saved_releases_;
  under_way_ = positions;
  journal_.commit(pipeline_, std::move(positions),
                  lifetime_.guard([this](const Status& status) { saved(status); }));
}

// Those stay of which a later one is on its way with something else.
void Acknowledgements::take_unsaved(std::vector<SavedPosition>& into) {
  for (const SavedPosition& position : into) unsaved_.erase(position.partition);
  for (auto one = unsaved_.begin(); one != unsaved_.end();) {
    if (is_along(one->first)) {
      ++one;
    } else {
      into.push_back({one->first, std::move(one->second)});
      one = unsaved_.erase(one);
    }
  }
}

void Acknowledgements::saved(const Status& status) {
  auto gone = lifetime_.witness();
  saving_ = false;
  if (status) saved_releases_ = covered_releases_;
  for (SavedPosition& position : std::exchange(under_way_, {}))
    if (!status) unsaved_.try_emplace(std::move(position.partition), std::move(position.value));
  say(status);
  std::function<void()> then;
  if (covered_) then = std::exchange(then_, nullptr);
  for (const Reached& one : std::exchange(releasing_, {})) one.by->acked(one.position);
  if (then) then();
  if (*gone || saving_ || !go_on()) return;
  then = std::exchange(then_, nullptr);
  if (then) then();
}

void Acknowledgements::say(const Status& status) {
  if (status) delay_.reset();
  if (!unsaved_.empty()) status ? save_later() : save_again_later();
  if (!status) (void)delay_.next();
  if (!status && !failed_)
    log::error(pipeline_, "the position cannot be saved (" + status.error().message() +
                              "): records delivered from now on would be sent again after a "
                              "crash; delivering goes on");
  if (status && failed_) log::info(pipeline_, "positions are saved again");
  failed_ = !status;
}

void Acknowledgements::save_later() {
  if (stopped_ || !journal_.positions_wait()) return save_again_later();
  if (again_.active() || std::exchange(waits_, true)) return;
  journal_.at_next_commit(lifetime_.guard([this] {
    if (!std::exchange(waits_, false)) return;
    save_now();
  }));
}

void Acknowledgements::save_now() {
  if (!unsaved_.empty() && !saving_ && !again_.active()) save({});
}

void Acknowledgements::save_again_later() {
  if (stopped_) return;
  again_.start(delay_.current(), [this] {
    if (!saving_ && !unsaved_.empty()) save({});
  });
}

void Acknowledgements::overtaken_by(const std::vector<SavedPosition>& what) {
  for (const SavedPosition& one : what) {
    unsaved_.erase(one.partition);
    std::erase_if(under_way_, [&one](const auto& old) { return old.partition == one.partition; });
  }
}

void Acknowledgements::stop() {
  stopped_ = true;
  again_.stop();
  std::vector<SavedPosition> last;
  take_unsaved(last);
  if (last.empty()) return;
  journal_.commit(
      pipeline_, std::move(last), [pipeline = pipeline_, said = failed_](const Status& status) {
        if (!status && !said)
          log::error(pipeline, "the position cannot be saved (" + status.error().message() +
                                   "): what was delivered last would be sent again");
      });
}

// --- together with something else ---------------------------------------------------------------

std::vector<SavedPosition> Acknowledgements::take_along(const Owed& owed, With with) {
  Along& along = this->along(with);
  along = {.reached = ledger_.reached_with({&owed}), .as = {}};
  for (const Reached& one : along.reached) {
    SavedPosition position = one.by->saved_position(one.position);
    if (!position.partition.empty()) along.as.push_back(std::move(position));
  }
  return along.as;
}

void Acknowledgements::stored(Owed owed, With with) {
  owed.settle();
  const Along along = std::exchange(this->along(with), {});
  for (const SavedPosition& one : along.as) unsaved_.erase(one.partition);
  collect();
  for (const Reached& one : along.reached) {
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

void Acknowledgements::not_stored(With with) {
  along(with) = {};
  if (!unsaved_.empty() && !saving_) save_later();
}

bool Acknowledgements::is_along(const std::string& partition) const {
  return has(along_[0].as, partition) || has(along_[1].as, partition);
}

void Acknowledgements::keep_unsaved(SavedPosition position) {
  unsaved_.insert_or_assign(std::move(position.partition), std::move(position.value));
}

}  // namespace leat
