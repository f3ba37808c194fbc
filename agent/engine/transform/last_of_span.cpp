// `sample` with `pick` "last": of each span of event time the last record of each key.
//
// A group of the state is a span, by its start; an entry holds the record that is the last one so
// far of a key in it.
#include "stage/codec.h"
#include "transform/holding.h"
#include "transform/thinning.h"
#include "transform/watermark.h"

namespace leat {
namespace {

// For a source of several partitions, and for one that gives nothing any more.
constexpr Milliseconds kIdle{60'000};

class LastOfSpan final : public Holding {
 public:
  explicit LastOfSpan(const Options& options)
      : Holding("sample", options, KeyedState::Kind::kGrouped,
                " last of span " + std::to_string(options.duration("span").count())),
        span_us_(options.duration("span").count() * 1000),
        watermark_(Milliseconds{0}, kIdle, options.duration("maxAhead")) {}

  Status open(CodecContext& context) override {
    watermark_.use(context.loop().clock());
    return {};
  }

  std::optional<Milliseconds> due() const override {
    if (entries_.size() == 0) return std::nullopt;
    return watermark_.reaches(next_end_us());
  }
  void end_of_input() override {
    watermark_.end_of_input();
    if (entries_.size() == 0) watermark_.begin_anew();
  }
  size_t held() const override { return Holding::held() + watermark_.held(); }

 private:
  int64_t next_end_us() const { return entries_.groups().begin()->first + span_us_; }

  void begin() override {
    look_for(keys_.names(), "key", *batch_);
    if (batch_->records.empty()) return;
    if (!watermark_.begin(*batch_, now_)) say_that_time_begins_anew();
  }

  void take(size_t i, DeadLetters& dead) override {
    const Record& record = batch_->records[i];
    if (watermark_.is_ahead(record.time_us)) return dead.add(*batch_, i, Watermark::kAhead);
    watermark_.seen(record.time_us);
    const int64_t start_us = start_of_span(record.time_us, span_us_);
    if (start_us + span_us_ <= watermark_.time_us()) return;  // that one is over
    Entry* entry = find_in(start_us);
    if (entry != nullptr && record.time_us < time_of(*entry)) return;
    text_.clear();
    put_record(text_, record);
    if (entry != nullptr && text_.size() > entry->data_size()) {
      if (!make_room_to_grow(*batch_)) return dead.add(*batch_, i, kNoRoom);
      entry = find_in(start_us);  // it may have been the oldest
    }
    if (entry == nullptr) {
      if (!make_room(*batch_)) return dead.add(*batch_, i, kNoRoom);
      entry = &entries_.add(start_us, key(), 0);
    }
    entries_.replace(*entry, text_);
  }

  // By the last record that came, what is over; those that are not, when nothing comes any more.
  // What begins beyond the limit came before the clock was put back: time does not come there.
  void give_due() override {
    while (entries_.size() > 0 && may_give()) {
      const auto& [start_us, last] = *entries_.groups().rbegin();
      if (!watermark_.is_ahead(start_us)) break;
      evict(*last.oldest);
    }
    if (batch_->end.last) watermark_.end_partition(*batch_);
    if (batch_->records.empty()) watermark_.advance_in_silence(now_);
    while (entries_.size() > 0 && next_end_us() <= watermark_.time_us() && may_give())
      evict(*entries_.oldest());
    if (watermark_.is_at_end() && entries_.size() == 0) watermark_.begin_anew();
  }

  void evict(Entry& entry) override {
    give({entry.data(), entry.data_size()});
    entries_.remove(entry);
  }

  Entry* find_in(int64_t start_us) const { return entries_.find(start_us, key()); }
  // As put_record() writes it, before all else.
  static int64_t time_of(const Entry& entry) {
    return ByteReader{{entry.data(), entry.data_size()}}.signed_number();
  }

  void save_more(std::string& out) override { watermark_.save(out); }
  void load_more(std::string_view saved) override {
    ByteReader reader{saved};
    watermark_.load(reader, now_);
  }

  const int64_t span_us_;
  Watermark watermark_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Transform> make_last_of_span(const Options& options) {
  return std::make_unique<LastOfSpan>(options);
}

}  // namespace leat
