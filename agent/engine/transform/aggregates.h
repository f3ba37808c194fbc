// SQL's aggregates, as what is counted of records that are not there any more: the same few numbers
// for each, whichever they are, and behind all of them the values of first() and last().
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "memory/arena.h"
#include "options/options.h"
#include "record/value.h"

namespace leat {

// What `set` says: {"temp": "avg(temp)", "n": "count(*)"}.
class Aggregates {
 public:
  enum class Function : uint8_t {
    kAvg,
    kCount,
    kFirst,
    kLast,
    kMax,
    kMedian,
    kMin,
    kPercentile,
    kStddev,
    kSum
  };
  struct Aggregate {
    std::string name;  // of the field that is made
    Function function;
    int field;           // into fields(); -1: of count(*)
    bool keeps = false;  // a value, of any type
    double share = 0;    // of a percentile
    int digest = -1;     // of a percentile: the first one of that field, which has the cells
    bool is_percentile() const {
      return function == Function::kMedian || function == Function::kPercentile;
    }
  };
  struct Cells {
    uint32_t used;
    uint32_t room;
  };
  // Of a run of records, as it is saved: zeros at first.
  struct Counted {
    uint64_t count;  // of values that count, and two bits, which aggregates.cpp knows
    union {
      int64_t integer;  // sum, least, greatest; of first() and last() the event time
      double real;      // the same when there were others; mean
    };
    union {
      double squares;  // of the distances from the mean; of a real sum 1: it is kept scaled down
      int64_t over;    // of a whole sum: how often it went over the end of 64 bits, or under it
      Cells cells;     // of a percentile
    };
  };

  // kUsage, of the option's path, when it says something else.
  static Result<Aggregates> parse(const Options& options, std::string_view name);

  const std::vector<Aggregate>& all() const { return all_; }
  // "avg(\"temp\"), count(*)": the same for the same ones, however they were written.
  std::string text() const;
  // That are looked at.
  const std::vector<std::string>& fields() const { return fields_; }
  // Something is kept behind what is counted: the cells of percentiles, and then what first() and
  // last() are.
  bool keeps_any() const { return keeps_any_; }
  size_t size() const { return all_.size() * sizeof(Counted); }

  // Percentiles need more room before another record is counted: then kept() is what is kept, with
  // more room, to be put in the place of `old`.
  bool needs_room(Counted* counted, std::string_view old);
  // Counts a record with these values (of fields()) in `counted`, behind which is `old`. False when
  // what first() and last() keep has changed: then kept() is that of all, to be put in its place.
  bool count(Counted* counted, std::span<char> old, const Value* values, int64_t time_us);
  const std::string& kept() const { return kept_; }
  // Adds what was counted of other records. What is kept of both is kept() then.
  void add(Counted* into, std::string_view kept, const Counted* from, std::string_view from_kept);

  // Its results, as they are now, were given: until more is counted.
  static bool was_given(const Counted* counted);
  static void set_given(Counted* counted);
  // They were given for good; what is counted from then on corrects them.
  static bool is_final(const Counted* counted);
  static void set_final(Counted* counted);

  // The values, one for each of all().
  void results(const Counted* counted, std::string_view kept, Arena& arena, Value* out) const;

 private:
  bool has_cells(size_t i) const { return all_[i].digest == static_cast<int>(i); }
  size_t size_of_cells(const Counted* counted) const;
  Value percentile(size_t i, const Counted* counted, std::string_view kept) const;

  std::vector<Aggregate> all_;
  std::vector<std::string> fields_;
  bool keeps_any_ = false;
  bool has_digests_ = false;
  std::string kept_;
};

}  // namespace leat
