// Windows of a fixed length, one after the other or overlapping.
//
// A group of the state is a window, by its start; an entry holds what is counted of a key in it. It
// stays for `correctFor` where a late record makes its result another one, and is final then.
#include "transform/windows.h"

namespace leat {
namespace {

class FixedWindows final : public Windows {
 public:
  FixedWindows(const Options& options, WindowParts parts, Milliseconds every, Milliseconds slide)
      : Windows(options, std::move(parts), KeyedState::Kind::kGrouped,
                " every " + std::to_string(every.count()) + " ms by " +
                    std::to_string(slide.count()) + " ms"),
        every_us_(every.count() * 1000),
        slide_us_(slide.count() * 1000) {}

 private:
  // Of the windows that it is in, the one that begins last.
  int64_t start_of(int64_t time_us) const { return start_of_span(time_us, slide_us_); }

  void take(size_t i, DeadLetters& dead) override {
    const Record& record = batch_->records[i];
    const int64_t time_us = record.time_us;
    if (time_us < start_us_ || time_us - start_us_ >= slide_us_) start_us_ = start_of(time_us);
    if (is_over(start_us_)) return too_late(i, dead);
    key_.clear();
    keys_.read(*batch_, record, key_);
    for (int64_t start_us = start_us_; time_us - start_us < every_us_ && !is_over(start_us);
         start_us -= slide_us_)
      if (!take_in(start_us, record)) return dead.add(*batch_, i, kNoRoom);
  }

  // False for want of room.
  bool take_in(int64_t start_us, const Record& record) {
    // What first() and last() keep, and percentiles, grows under keys that are there.
    if (aggregates_.keeps_any() && !make_room_to_grow(*batch_)) return false;
    Entry* entry = entries_.find(start_us, key_);
    if (entry == nullptr) {
      if (!make_room(*batch_)) return false;
      entry = &entries_.add(start_us, key_, aggregates_.size());
      if (is_closed(start_us + every_us_)) aggregates_.set_final(counted_in(*entry));
    } else if (is_closed(start_us + every_us_)) {
      give_for_good(*entry);
    }
    if (aggregates_.needs_room(counted_in(*entry), text_of(kept_in(*entry))))
      entry = &with_kept(*entry);
    if (count(counted_in(*entry), kept_in(*entry), record))
      entries_.changed(*entry);
    else
      entry = &with_kept(*entry);
    if (is_final(*entry)) give_result(*entry, true);
    return true;
  }

  // With what the aggregates keep now.
  Entry& with_kept(Entry& entry) {
    data_.assign(entry.data(), aggregates_.size());
    data_ += aggregates_.kept();
    return entries_.replace(entry, data_);
  }

  // Nobody's record is counted there any more.
  bool is_over(int64_t start_us) const { return is_closed(start_us + every_us_ + correct_us_); }

  // Of those that stay to be corrected, the ones whose results were all given are passed over.
  int64_t next_end_us() const override {
    const int64_t over_us = entries_.groups().begin()->first + every_us_ + correct_us_;
    const auto next = entries_.groups().upper_bound(given_to_us_);
    return next == entries_.groups().end() ? over_us : std::min(over_us, next->first + every_us_);
  }

  void give_closed() override {
    if (given_to_us_ >= time_us()) given_to_us_ = INT64_MIN;  // time has begun anew
    while (correct_us_ > 0 && may_give()) {
      const auto next = entries_.groups().upper_bound(given_to_us_);
      if (next == entries_.groups().end() || !is_closed(next->first + every_us_)) break;
      Entry* entry = next->second.oldest;
      for (; entry != nullptr && may_give(); entry = entry->newer()) give_for_good(*entry);
      if (entry == nullptr) given_to_us_ = next->first;
    }
    while (entries_.size() > 0 && is_over(entries_.oldest()->group()) && may_give())
      evict(*entries_.oldest());
    if (entries_.size() == 0) given_to_us_ = INT64_MIN;
  }

  void give_for_good(Entry& entry) {
    if (is_final(entry)) return;
    give_result(entry);
    aggregates_.set_final(counted_in(entry));
    entries_.changed(entry);
  }

  void give_early(Entry& entry) override {
    if (aggregates_.was_given(counted_in(entry)) || is_final(entry)) return;
    give_result(entry);
    aggregates_.set_given(counted_in(entry));
  }

  void give_result(Entry& entry, bool corrects = false) {
    if (entry.data_size() < aggregates_.size()) return;
    give(entry.key(), counted_in(entry), text_of(kept_in(entry)), entry.group(),
         entry.group() + every_us_, corrects);
  }

  void evict(Entry& entry) override {
    if (!is_final(entry)) give_result(entry);
    entries_.remove(entry);
  }

  bool is_final(Entry& entry) const {
    return entry.data_size() >= aggregates_.size() && aggregates_.is_final(counted_in(entry));
  }
  static Counted* counted_in(Entry& entry) { return reinterpret_cast<Counted*>(entry.data()); }
  std::span<char> kept_in(Entry& entry) const {
    return std::span(entry.data(), entry.data_size()).subspan(aggregates_.size());
  }

  const int64_t every_us_;
  const int64_t slide_us_;           // from the start of one to that of the next
  int64_t given_to_us_ = INT64_MIN;  // where windows are corrected: what starts there, or before
  int64_t start_us_ = 0;             // of the record before this one, the last that it was in
  std::string key_;                  // of the record at hand
  std::string data_;
};

}  // namespace

std::unique_ptr<Transform> make_fixed_windows(const Options& options, WindowParts parts) {
  const Milliseconds every = options.duration("every");
  return std::make_unique<FixedWindows>(options, std::move(parts), every,
                                        options.has("slide") ? options.duration("slide") : every);
}

}  // namespace leat
