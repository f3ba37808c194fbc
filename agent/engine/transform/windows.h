// What all windows have in common: event time, what is counted, and how results are made and given.
// Where windows begin and end, and what an entry of the state is, fixed_windows and session_windows
// know.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transform/aggregates.h"
#include "transform/remembering.h"
#include "transform/watermark.h"

namespace leat {

// What `set` and `having` were made into.
struct WindowParts {
  Aggregates aggregates;
  std::unique_ptr<Transform> having;  // null: all
  Milliseconds correct_for{0};        // what `late` "emit" asks for; 0: nothing
};
std::unique_ptr<Transform> make_fixed_windows(const Options& options, WindowParts parts);
std::unique_ptr<Transform> make_session_windows(const Options& options, WindowParts parts);

class Windows : public Remembering {
 public:
  Status open(CodecContext& context) override;
  Status run(BatchRef& batch, DeadLetters& dead) override;
  // Windows that are closed are given in turns; those that are open, when nothing comes any more.
  std::optional<Milliseconds> due() const override;
  void end_of_input() override;
  size_t held() const override;

 protected:
  using Entry = KeyedState::Entry;
  using Counted = Aggregates::Counted;

  Windows(const Options& options, WindowParts parts, KeyedState::Kind kind,
          const std::string& identity);

  // --- what each kind does ---

  // Record i of the batch is counted, or too_late(), or finds no room.
  virtual void take(size_t i, DeadLetters& dead) = 0;
  // The event time at which the first window closes, or is forgotten, or before; there is one.
  virtual int64_t next_end_us() const = 0;
  // Gives those that are closed, as long as may_give(), and forgets those that nothing corrects.
  virtual void give_closed() = 0;
  // At or before the first record in an entry of this group.
  virtual int64_t begin_us(int64_t group) const { return group; }
  // Of those that are open in an entry what has changed since it was given.
  virtual void give_early(Entry& entry) = 0;

  // --- what they do it with ---

  int64_t time_us() const { return watermark_.time_us(); }
  bool is_closed(int64_t end_us) const { return end_us <= time_us(); }
  void too_late(size_t i, DeadLetters& dead);
  // As Aggregates::count() does.
  bool count(Counted* counted, std::span<char> kept, const Record& record);
  static std::string_view text_of(std::span<char> kept) { return {kept.data(), kept.size()}; }
  bool may_give() const { return batch_->made < enough_; }
  // A result; `corrects` one that was given for good.
  void give(std::string_view key, const Counted* counted, std::string_view kept, int64_t start_us,
            int64_t end_us, bool corrects = false);

  Aggregates aggregates_;
  const int64_t correct_us_;  // so long windows are corrected when they are closed; 0: never
  Batch* batch_ = nullptr;    // at hand

 private:
  using Place = std::pair<int64_t, std::string>;  // group and key

  void begin();
  void give_all_early();
  Entry* found_again(const Place& place) const;
  Entry* behind(const Entry& entry) const;

  void save_more(std::string& out) override { watermark_.save(out); }
  void load_more(std::string_view saved) override;

  const std::unique_ptr<Transform> having_;
  const Milliseconds early_;  // 0: never
  const bool late_are_dead_;
  ShapeRef shape_;  // of what is given: key, results, start, end, whether it is a correction
  ShapeCache<std::vector<int>> places_;
  std::vector<Value> values_;  // of the record at hand

  Watermark watermark_;
  size_t enough_ = 0;  // Batch::made, at which the others wait for another turn
  std::vector<Record> out_;
  std::optional<Milliseconds> next_early_;
  std::optional<Place> early_from_;  // where the next turn goes on
};

}  // namespace leat
