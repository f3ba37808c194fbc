// `deadband` with `tolerance`: of the records of a key those pass between which a straight line is
// never farther than that from any that was left out.
//
// The swinging door (E. H. Bristol, US patent 4,669,097 of 1987; I&CS, 1990, "Swinging door
// trending"): from the point that passed last two doors open to the points behind it, as far as
// they must for `tolerance`. There, a point is held as long as any line fits between the doors, and
// the one to the point that passes then may be farther away than that. Here, a point is held only
// when the line to itself lies between the doors, so the bound is one.
//
// Group 1 of the state has the keys that hold a record, the one that was heard of last as the
// newest; group 0 the others.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "transform/holding.h"
#include "transform/thinning.h"

namespace leat {
namespace {

constexpr int64_t kPassed = 0;
constexpr int64_t kHolds = 1;

// An entry's data; the record that is held follows.
struct Door {
  int64_t time_us;           // of the record that passed last
  double value;              // of that; NaN: it was no number
  double least = -INFINITY;  // of lines from there that fit, the slopes
  double most = INFINITY;
  int64_t held_us = 0;  // of the record that is held
  double held_value = 0;
  int64_t heard_ms = 0;  // when that came, by the loop's clock

  // Only from a time behind that of the door.
  double slope_to(int64_t to_us, double to) const {
    return (to - value) / (static_cast<double>(to_us - time_us) / 1e6);
  }
};

class SwingingDoor final : public Holding {
 public:
  SwingingDoor(const Options& options, double tolerance)
      : Holding("deadband", options, KeyedState::Kind::kMoving,
                " of " + json_quoted(options.string("field")) + " by lines"),
        field_({options.string("field")}),
        tolerance_(tolerance),
        max_silence_us_(options.duration("maxSilence").count() * 1000) {}

  std::optional<Milliseconds> due() const override {
    const Entry* entry = first_that_holds();
    if (entry == nullptr || (!at_end_ && max_silence_us_ == 0)) return std::nullopt;
    return at_end_ ? Milliseconds{0} : silent_at(*entry);
  }
  void end_of_input() override { at_end_ = first_that_holds() != nullptr; }
  size_t held() const override { return Holding::held() + places_.held(); }

 private:
  void begin() override {
    places_.trim(*batch_);
    look_for(field_, "field", *batch_);
    look_for(keys_.names(), "key", *batch_);
  }

  void take(size_t i, DeadLetters& dead) override {
    const Record& record = batch_->records[i];
    const int place = places_.get(
        *batch_, record.shape, [this](const Shape& shape) { return places_of(field_, shape); })[0];
    if (place < 0 || record.values[place].type == Type::kAbsent) return pass(record);
    const int64_t time_us = record.time_us;
    const double number = finite_of(record.values[place]);
    Entry* entry = find();
    if (entry == nullptr) {
      entry = remember(*batch_, i, sizeof(Door), dead);
      if (entry != nullptr) pass_and_begin(*entry, record, number);
      return;
    }
    Door door = door_of(*entry);
    const int64_t last_us = holds(*entry) ? door.held_us : door.time_us;
    const bool late = time_us < last_us;
    if (late && (max_silence_us_ == 0 || last_us - time_us < max_silence_us_)) return pass(record);
    const bool goes_on = !late && !std::isnan(number) && !std::isnan(door.value);
    if (holds(*entry) && !(goes_on && fits(door, time_us, number))) {
      give_held(*entry);
      door = Door{door.held_us, door.held_value};
      entry = &keep(*entry, door, nullptr);
    }
    if (!goes_on || !fits(door, time_us, number) ||
        (max_silence_us_ > 0 && time_us - door.time_us >= max_silence_us_))
      return pass_and_begin(*entry, record, number);
    // One of the same time as the door's is left out.
    if (time_us > door.time_us) hold(i, *entry, door, number, dead);
  }

  static double finite_of(const Value& value) {
    const double number = number_of(value);
    return std::isfinite(number) ? number : NAN;
  }

  bool fits(const Door& door, int64_t time_us, double number) const {
    if (time_us == door.time_us) return std::abs(number - door.value) <= tolerance_;
    const double slope = door.slope_to(time_us, number);
    return door.least <= slope && slope <= door.most;
  }

  void pass_and_begin(Entry& entry, const Record& record, double number) {
    keep(entry, Door{record.time_us, number}, nullptr);
    pass(record);
  }

  // Instead of the one that is held.
  void hold(size_t i, Entry& before, Door door, double number, DeadLetters& dead) {
    const Record& record = batch_->records[i];
    door.least = std::max(door.least, door.slope_to(record.time_us, number - tolerance_));
    door.most = std::min(door.most, door.slope_to(record.time_us, number + tolerance_));
    door.held_us = record.time_us;
    door.held_value = number;
    door.heard_ms = now_.count();
    text_.clear();
    put_record(text_, record);
    Entry* entry = &before;
    if (sizeof(Door) + text_.size() > entry->data_size()) {
      if (!make_room_to_grow(*batch_)) return dead.add(*batch_, i, kNoRoom);
      entry = find();
    }
    if (entry != nullptr) {
      keep(*entry, door, &text_);
      return;
    }
    // It was the oldest, and has given what it held.
    entry = remember(*batch_, i, sizeof(Door), dead);
    if (entry != nullptr) pass_and_begin(*entry, record, number);
  }

  Entry& keep(Entry& before, const Door& door, const std::string* held) {
    data_.assign(reinterpret_cast<const char*>(&door), sizeof(door));
    if (held != nullptr) data_ += *held;
    Entry& entry = entries_.replace(before, data_);
    const int64_t group = held == nullptr ? kPassed : kHolds;
    if (entry.group() != group || entry.newer() != nullptr) entries_.move(entry, group);
    return entry;
  }

  void give_due() override {
    while (Entry* entry = first_that_holds()) {
      if (!may_give() || (!at_end_ && (max_silence_us_ == 0 || silent_at(*entry) > now_))) return;
      const Door door = door_of(*entry);
      give_held(*entry);
      keep(*entry, Door{door.held_us, door.held_value}, nullptr);
    }
    at_end_ = false;
  }

  void evict(Entry& entry) override {
    if (holds(entry)) give_held(entry);
    entries_.remove(entry);
  }

  void give_held(const Entry& entry) {
    if (entry.data_size() > sizeof(Door))
      give({entry.data() + sizeof(Door), entry.data_size() - sizeof(Door)});
  }

  static bool holds(const Entry& entry) { return entry.group() == kHolds; }
  static Door door_of(const Entry& entry) {
    Door door{0, NAN};
    if (entry.data_size() >= sizeof(door)) std::memcpy(&door, entry.data(), sizeof(door));
    return door;
  }
  Entry* first_that_holds() const {
    const auto group = entries_.groups().find(kHolds);
    return group == entries_.groups().end() ? nullptr : group->second.oldest;
  }
  // When its key was heard of last, and maxSilence. What was saved may be of another clock.
  Milliseconds silent_at(const Entry& entry) const {
    const Milliseconds heard{door_of(entry).heard_ms};
    return (heard > now_ ? loaded_at_ : std::max(heard, loaded_at_)) +
           Milliseconds{max_silence_us_ / 1000};
  }

  void load_more(std::string_view) override { loaded_at_ = now_; }

  const std::vector<std::string> field_;  // one
  const double tolerance_;
  const int64_t max_silence_us_;  // 0: for ever
  ShapeCache<std::vector<int>> places_;
  bool at_end_ = false;  // all that is held is to come out
  Milliseconds loaded_at_{0};
  std::string text_;
  std::string data_;
};

}  // namespace

std::unique_ptr<Transform> make_swinging_door(const Options& options, double tolerance) {
  return std::make_unique<SwingingDoor>(options, tolerance);
}

}  // namespace leat
