// Windows of activity: a session goes on as long as a key's records are less than `gap` apart.
//
// An entry of the state has a key's open sessions, in order. Its group is when the first of them
// ends, or before: that a session goes on moves nothing, its end is looked at when it seemed to be
// there. A record that comes late may lie between two sessions and make them one.
#include "transform/windows.h"

namespace leat {
namespace {

constexpr size_t kMostOfKey = 1'000;  // sessions that are open at once

class SessionWindows final : public Windows {
 public:
  SessionWindows(const Options& options, WindowParts parts, Milliseconds gap)
      : Windows(options, std::move(parts), KeyedState::Kind::kMoving,
                " session " + std::to_string(gap.count()) + " ms"),
        gap_us_(gap.count() * 1000),
        nothing_(aggregates_.all().size()) {}

 private:
  // Before what is counted; behind that is what is kept of values, to a multiple of 8.
  struct Head {
    int64_t first_us;
    int64_t last_us;
    uint64_t kept_size;
  };
  // Where it lies in an entry's data.
  struct Session {
    char* data;
    Head& head() const { return *reinterpret_cast<Head*>(data); }
    Counted* counted() const { return reinterpret_cast<Counted*>(data + sizeof(Head)); }
  };

  std::span<char> kept_of(Session one) const {
    return {one.data + sizeof(Head) + aggregates_.size(),
            static_cast<size_t>(one.head().kept_size)};
  }
  size_t size_of(Session one) const {
    return sizeof(Head) + aggregates_.size() + padded(static_cast<size_t>(one.head().kept_size));
  }
  static size_t padded(size_t size) { return (size + 7) / 8 * 8; }
  int64_t end_of(Session one) const { return one.head().last_us + gap_us_; }

  void read_sessions(Entry& entry) {
    sessions_.clear();
    for (size_t at = 0; at < entry.data_size(); at += size_of(sessions_.back()))
      sessions_.push_back({entry.data() + at});
  }

  void take(size_t i, DeadLetters& dead) override {
    step_to(*batch_, i);
    if (!make_room_to_grow(*batch_)) return dead.add(*batch_, i, kNoRoom);
    sessions_.clear();
    entry_ = find();
    if (entry_ != nullptr) give_closed_of_entry();
    const Record& record = batch_->records[i];
    const int64_t time_us = record.time_us;
    // It is in those from `from` to before `to`: in none, in one, or between two that it joins.
    size_t from = 0;
    while (from < sessions_.size() && end_of(sessions_[from]) <= time_us) ++from;
    size_t to = from;
    while (to < sessions_.size() && sessions_[to].head().first_us < time_us + gap_us_) ++to;
    if (from == to && is_closed(time_us + gap_us_)) return too_late(i, dead);
    const bool is_new = entry_ == nullptr;
    if (is_new && (entry_ = remember(*batch_, i, 0, dead)) == nullptr) return;
    if (from == to && sessions_.size() >= kMostOfKey) {
      if (!evicts()) return dead.add(*batch_, i, kNoRoom);
      give_session(*entry_, sessions_.front());
      forget_first(1);
      if (from > 0) --from;
      to = from;
    }
    if (from == to) put(from, to, {time_us, time_us, 0}, nothing_.data(), {});
    if (to - from == 2) join(from);
    Head& head = sessions_[from].head();
    head.first_us = std::min(head.first_us, time_us);
    head.last_us = std::max(head.last_us, time_us);
    if (aggregates_.needs_room(sessions_[from].counted(), text_of(kept_of(sessions_[from]))))
      put_kept(from);
    if (!count(sessions_[from].counted(), kept_of(sessions_[from]), record)) put_kept(from);
    const int64_t end_us = end_of(sessions_.front());
    if (is_new || end_us < entry_->group()) entries_.move(*entry_, end_us);
    entries_.changed(*entry_);
  }

  // The session and the one behind it become one.
  void join(size_t i) {
    const Session one = sessions_[i];
    const Session other = sessions_[i + 1];
    aggregates_.add(one.counted(), text_of(kept_of(one)), other.counted(), text_of(kept_of(other)));
    put(i, i + 2, {one.head().first_us, other.head().last_us, 0}, one.counted(),
        aggregates_.kept());
  }

  // One in the place of those from `from` to before `to`, of which what it has may be a part.
  void put(size_t from, size_t to, Head head, const Counted* counted, std::string_view kept) {
    head.kept_size = kept.size();
    data_ = all_data().substr(0, place_of(from));
    data_.append(reinterpret_cast<const char*>(&head), sizeof(head));
    data_.append(reinterpret_cast<const char*>(counted), aggregates_.size());
    data_.append(kept).append(padded(kept.size()) - kept.size(), '\0');
    data_ += all_data().substr(place_of(to));
    entry_ = &entries_.replace(*entry_, data_);
    read_sessions(*entry_);
  }

  // With what the aggregates keep now.
  void put_kept(size_t i) {
    put(i, i + 1, sessions_[i].head(), sessions_[i].counted(), aggregates_.kept());
  }

  void forget_first(size_t count) {
    if (count == sessions_.size()) {
      entries_.remove(*entry_);
      entry_ = nullptr;
      return sessions_.clear();
    }
    data_ = all_data().substr(place_of(count));
    entry_ = &entries_.replace(*entry_, data_);
    read_sessions(*entry_);
  }

  std::string_view all_data() const { return {entry_->data(), entry_->data_size()}; }
  size_t place_of(size_t i) const {
    return i < sessions_.size() ? static_cast<size_t>(sessions_[i].data - entry_->data())
                                : entry_->data_size();
  }

  void give_session(const Entry& entry, Session one) {
    give(entry.key(), one.counted(), text_of(kept_of(one)), one.head().first_us, end_of(one));
  }

  // Those of entry_, which is none when there were no others; sessions_ are the others.
  void give_closed_of_entry() {
    read_sessions(*entry_);
    size_t closed = 0;
    for (; closed < sessions_.size() && is_closed(end_of(sessions_[closed])); ++closed)
      give_session(*entry_, sessions_[closed]);
    if (closed > 0) forget_first(closed);
  }

  int64_t next_end_us() const override { return entries_.groups().begin()->first; }
  int64_t begin_us(int64_t group) const override { return group - gap_us_; }

  void give_closed() override {
    while (entries_.size() > 0 && is_closed(next_end_us()) && may_give()) {
      entry_ = entries_.oldest();
      give_closed_of_entry();
      if (entry_ != nullptr) entries_.move(*entry_, end_of(sessions_.front()));
    }
  }

  void give_early(Entry& entry) override {
    read_sessions(entry);
    for (const Session& one : sessions_) {
      if (Aggregates::was_given(one.counted())) continue;
      give_session(entry, one);
      Aggregates::set_given(one.counted());
    }
  }

  void evict(Entry& entry) override {
    read_sessions(entry);
    for (const Session& one : sessions_) give_session(entry, one);
    sessions_.clear();
    entries_.remove(entry);
  }

  const int64_t gap_us_;
  const std::vector<Counted> nothing_;
  Entry* entry_ = nullptr;         // at hand
  std::vector<Session> sessions_;  // of it
  std::string data_;
};

}  // namespace

std::unique_ptr<Transform> make_session_windows(const Options& options, WindowParts parts) {
  return std::make_unique<SessionWindows>(options, std::move(parts),
                                          options.duration("session.gap"));
}

}  // namespace leat
