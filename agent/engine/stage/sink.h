// A sink delivers batches and says what became of each. Retrying, splitting, backing off and
// acknowledging are the engine's work; a sink only tries once and answers.
//
// Thread: everything here is called on, and must call back on, the pipeline's loop thread. A sink
// whose library blocks does its work on a JobThread (loop/job_thread.h).
// Lifetime: make → open → deliver* → close → closed() called back → destroyed.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "options/options.h"
#include "record/batch.h"
#include "stage/format.h"
#include "stage/source.h"

namespace leat {

class Caches;  // cache/caches.h

// Part of a batch: records or slices [first, first + count).
struct Part {
  BatchRef batch;
  uint32_t first = 0;
  uint32_t count = 0;
};

// What a sink gets: records (or slices) of one or several batches, in order.
struct Delivery {
  std::vector<Part> parts;
  size_t records = 0;
  size_t bytes = 0;  // of the slices; for records an estimate of what they hold
  // Of these records and no others. The same whenever they are tried again, also after a kill when
  // the source finds its place by offsets that last: 32 hex digits.
  std::string key;
  // Positions that are reached when this and all earlier deliveries are done. A sink that stores
  // positions (SinkType::stores_positions) writes them in the same transaction when not empty; such
  // a delivery may have no records at all.
  std::vector<SavedPosition> positions;

  template <typename F>
  void each_slice(F&& f) const {  // f(const Slice&)
    for (const Part& part : parts)
      for (uint32_t i = 0; i < part.count; ++i) f(part.batch->slices[part.first + i]);
  }
  template <typename F>
  void each_record(F&& f) const {  // f(const Record&)
    for (const Part& part : parts)
      for (uint32_t i = 0; i < part.count; ++i) f(part.batch->records[part.first + i]);
  }
};

enum class Outcome {
  kDelivered,  // the peer has it for good
  kRetry,      // not now: the same delivery may succeed later
  kCutOff,     // as kRetry, but the peer, which is well otherwise, broke off in the middle of it
  kRejected,   // something in it is bad: the engine splits it until the bad records stand alone
  kFailed,     // the pipeline cannot go on: a person must change something
};

// Why a record is refused.
struct Why {
  Why(std::string line, std::string word = {}) : reason(std::move(line)), code(std::move(word)) {}
  Why(const char* line) : reason(line) {}
  std::string reason;  // one line, for people
  std::string code;    // one word that stays the same, for programs: "http-400"
};

struct Answer {
  Outcome outcome = Outcome::kDelivered;
  std::string reason;           // one line, but for kDelivered
  Milliseconds retry_after{0};  // kRetry, kCutOff: what the peer asked for; 0 when not
  // kRejected, when the sink knows which: ascending indices into the delivery's records. Nothing of
  // the delivery was stored, or the sink knows it again; the engine takes these out and delivers
  // the rest again as one. Empty: the engine finds out by halving.
  std::vector<uint32_t> bad_records;
  // Of bad_records, one each, where they differ; none: `reason` and `code` are those of all.
  std::vector<Why> bad_reasons;

  // kRejected: the peer stopped at the first bad record (of bad_records, where it is named). Those
  // before it are good, and what lies behind it may hold more.
  bool only_the_first = false;
  // kRejected: what the peer says may as well be about all that comes. A record is only to blame
  // when others get through (delivery/suspects.h).
  bool in_doubt = false;
  std::string code = {};  // kRejected, kCutOff: as of Why

  Why why(size_t bad) const {
    return bad < bad_reasons.size() ? bad_reasons[bad] : Why{reason, code};
  }

  static Answer delivered() { return {}; }
  static Answer retry(std::string reason, Milliseconds after = Milliseconds{0}) {
    return {Outcome::kRetry, std::move(reason), after, {}, {}};
  }
  // An accident, or a record at which the peer does so each time: the engine finds out, and rejects
  // such a record in the end. So it must not be what an outage looks like, where the peer's death
  // is hidden by something on the way that takes connections for it.
  static Answer cut_off(std::string reason) {
    Answer answer{Outcome::kCutOff, std::move(reason), {}, {}, {}};
    answer.code = "cut-off";
    return answer;
  }
  static Answer rejected(Why why, std::vector<uint32_t> bad_records = {}) {
    Answer answer{Outcome::kRejected, std::move(why.reason), {}, std::move(bad_records), {}};
    answer.code = std::move(why.code);
    return answer;
  }
  static Answer refused(Why why) {
    Answer answer = rejected(std::move(why));
    answer.in_doubt = true;
    return answer;
  }
  // Each for its own reason; not empty.
  static Answer rejected(std::vector<std::pair<uint32_t, Why>> bad) {
    Answer answer = rejected(bad.front().second);
    for (auto& [record, why] : bad) {
      answer.bad_records.push_back(record);
      answer.bad_reasons.push_back(std::move(why));
    }
    return answer;
  }
  static Answer failed(std::string reason) {
    return {Outcome::kFailed, std::move(reason), {}, {}, {}};
  }
};

// Which sink it is of several that deliver side by side for one run of a pipeline
// (SinkType::lanes). The first is asked for the positions, before the others deliver anything.
struct SinkLane {
  size_t number = 0;
  uint64_t run = 0;  // unlike that of any other; 0 where there is but one sink
};

// What the engine gives a sink. Outlives the sink.
class SinkContext {
 public:
  virtual ~SinkContext() = default;
  virtual Loop& loop() = 0;
  virtual const std::string& pipeline() = 0;
  // The agent's id, for sinks that many agents share: with it, names of pipelines need not differ.
  virtual const std::string& agent() = 0;
  virtual Budget& budget() = 0;
  // How slices become a document. Ask anew for each document.
  virtual DocumentWrap wrap() = 0;
  // The format written, for Content-Type and file names; null for sinks that write none.
  virtual const WriteFormat* format() = 0;
  // For a sink that takes records (SinkType::takes) and writes them in its format by itself.
  virtual Result<std::unique_ptr<Encoder>> new_encoder() {
    return fail(ErrorKind::kUsage, "this sink writes no format");
  }
  // Nothing was known of an earlier run when this one began: what it reads is all that there is.
  virtual bool began_anew() { return false; }
  // As SourceContext::channels().
  virtual Channels* channels() { return nullptr; }
  // As CodecContext::caches().
  virtual Caches* caches() { return nullptr; }
  virtual SinkLane lane() { return {}; }
  // Of a pipeline that runs on one agent of a group at a time: greater than that of any agent that
  // ran it before, none of which may change anything once this one has begun. 0: of no group.
  virtual uint64_t fence() { return 0; }
};

class Sink {
 public:
  using Done = std::function<void(Answer)>;

  virtual ~Sink() = default;

  // Makes ready. A peer that is away is no error here: deliver() will answer kRetry. What a person
  // must mend (a certificate that cannot be read) is. An older run of the same pipeline may still
  // be open beside this one: what only one can have is taken with the first delivery.
  virtual Status open(SinkContext& context) = 0;

  // Tries once; calls `done` exactly once, later (never from inside deliver()). `delivery` stays
  // valid until then, or until `closed` when close() drops it: a sink with a thread of its own
  // cannot let go of it sooner. At most SinkType::max_in_flight (or the `inFlight` option) are
  // under way.
  virtual void deliver(const Delivery& delivery, Done done) = 0;

  // A bounded source has ended and all of it is delivered: the place for last words (postgres:
  // postSql). Not called when the agent is told to stop before that. Calls `done` once;
  // close() follows, and may come before `done`, which is then not called. An error means that the
  // pipeline has failed.
  virtual void finish(std::function<void(Status)> done) { done({}); }

  // No more deliveries follow. What is under way still, since the pipeline was told to end and that
  // has not been answered in time, is dropped without calling its `done`. Releases every handle,
  // then calls `closed`.
  virtual void close(std::function<void()> closed) = 0;

  // exactlyOnce only: the positions stored with the data, called once after open(). The engine
  // retries on kUnavailable.
  virtual void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) {
    done(std::vector<SavedPosition>{});
  }
};

struct BatchLimits {
  int64_t records = 1000;
  int64_t bytes = 1024 * 1024;
  // How long a record waits for others to go with it, at most.
  Milliseconds linger{200};
  // Less than that when the sink is idle: then a delivery goes so long after the last one. 0: it
  // lingers all the same, as is right where a delivery costs much, however small (a commit to
  // flash), and where the user wants another linger.
  Milliseconds spacing{0};
  bool operator==(const BatchLimits&) const = default;
};

enum class Consumes { kSlices, kRecords };

struct SinkType {
  std::string_view name;
  std::string_view help;  // one or two sentences
  Consumes consumes = Consumes::kSlices;
  // Of kSlices: kRecords with options for which the sink must look into the records. It then
  // encodes them itself (SinkContext::new_encoder). Null: whatever the options are.
  Consumes (*takes)(const Options& options) = nullptr;
  // Options of its own; the engine adds `format` (kSlices), `batch` and, where max_in_flight > 1,
  // `inFlight` to them.
  std::span<const Option> options;
  // As SourceType::default_format, of the write formats.
  std::string_view default_format = {};
  // A document is gone on with after each delivery: no format will do that closes it ("]").
  bool appends = false;
  int max_in_flight = 1;
  int default_in_flight = 1;
  bool keeps_order = false;  // of deliveries that are under way together
  BatchLimits batch = {};
  bool stores_positions = false;  // can do exactlyOnce
  bool sends_keys = false;        // Delivery::key: it must be the same after a kill
  // True when several of it may deliver for one pipeline at the same time with these options, each
  // what comes from other partitions, also with exactlyOnce; finish() is called on one of them.
  // Null: never.
  bool (*lanes)(const Options& options) = nullptr;
  Result<std::unique_ptr<Sink>> (*make)(const Options& options);
  // As SourceType::warn.
  void (*warn)(const Options& options, OptionErrors& warnings) = nullptr;
  // As SourceType::check_files.
  Status (*check_files)(const Options& options) = nullptr;
  // As SourceType::probe.
  std::unique_ptr<PeerProbe> (*probe)(const Options& options, const ProbeContext& context,
                                      Probed done) = nullptr;
  // Of kRecords: the form (SourceType::rows) in which it takes rows that nobody has looked into.
  std::string_view rows = {};
  // As SourceType::channel: to which it gives. What is in flight there has a bound of its own, and
  // max_in_flight is no option.
  std::string_view channel = {};
  // Its option that says which cache it fills; such pipelines live on the main loop. "": none.
  std::string_view cache = {};
};

}  // namespace leat
