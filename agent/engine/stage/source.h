// A source reads records or bytes and remembers where it is.
//
// Thread: everything here is called on, and must call back on, the pipeline's loop thread.
// Lifetime: make → open → (resume, acked)* → stop → closed() called back → destroyed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "loop/loop.h"
#include "options/options.h"
#include "record/batch.h"
#include "record/ledger.h"
#include "stage/agent_events.h"
#include "stage/agent_numbers.h"
#include "stage/codec.h"
#include "stage/probe.h"
#include "stage/source_tasks.h"

namespace leat {

class Channels;  // channel/channels.h

// What the engine gives a source. Outlives the source.
// Of a job whose tasks the agents of a group share (plan/shared_job.h): what of it a run is to do.
struct StageShare {
  enum class Part : uint8_t {
    kAll,
    kAsks,     // finds out which tasks there are, notes them (kTaskList), and ends
    kNothing,  // ends
    kOne,      // one of these tasks
  };
  Part part = Part::kAll;
  std::string what = {};                  // of kOne: as it stands in the list
  std::vector<SavedPosition> noted = {};  // of kOne: what kAsks has noted beside that
  bool operator==(const StageShare&) const = default;
};
// Noted by kAsks: a table or the number of a range each, with a zero between them.
inline constexpr std::string_view kTaskList = "tasks";

class SourceContext {
 public:
  virtual ~SourceContext() = default;

  virtual Loop& loop() = 0;
  virtual const std::string& pipeline() = 0;  // name, for log lines
  virtual const std::string& agent() = 0;     // its id
  // True with delivery.guarantee exactlyOnce: what was accepted must be recognised when it is sent
  // again (Replay::kHoldsAckOnce).
  virtual bool exactly_once() = 0;
  // Bytes one batch should aim at; smaller where the memory budget is small.
  virtual size_t batch_bytes() const = 0;
  // What the source keeps outside of batches counts against it, too, when its input can make that
  // grow (a member Charge beside the buffer). It must not fill the budget alone: no batch could be
  // made of it then.
  virtual Budget& budget() = 0;
  // How the stream is cut into records. Null for sources that frame their own messages.
  virtual const Framing* framing() = 0;
  // For sources that frame their own messages: false where a message without any bytes is no record
  // in the format that is read, and must be rejected rather than handed on as nothing.
  virtual bool takes_empty() { return true; }
  // True when on resume the decoder must see the start of the partition first (Batch::preamble).
  virtual bool needs_preamble() = 0;
  // True when the sink takes rows as this source has them (SinkType::rows), and nothing between
  // has to look into them: batches may have Batch::rows.
  virtual bool passes_rows() { return false; }
  virtual StageShare share() { return {}; }
  // What was saved, in no particular order.
  virtual const std::vector<SavedPosition>& saved() = 0;

  // A new batch when there is credit for one. Null: stop reading; resume() will be called. Credit
  // is for one batch at a time: one that is asked for takes the place of one that was not emitted.
  BatchRef new_batch(Content content) { return new_batch_for(0, content); }
  // The same for one of several readers, each with a credit of its own; from 0, and few.
  virtual BatchRef new_batch_for(size_t reader, Content content) = 0;
  // Hands on the batch that new_batch() gave last. `batch->begin`, `end` and `arrival_us` must be
  // set.
  virtual void emit(BatchRef batch) = 0;
  // The source has given its last batch: bounded input is at its end (ok), or it cannot go on.
  virtual void finished(Status status) = 0;
  // The peer sends nothing more before something is acknowledged (its window is full): what is
  // collected then goes out without lingering, and when that does not help within `patience`, it is
  // spooled. Said again whenever it changes.
  virtual void in_flight_full(bool full, Milliseconds patience) = 0;
  // Saves the durable form of what the source must not forget but no position expresses, replacing
  // the entry of its partition. `done` comes from the loop, when a crash of the process (and, with
  // delivery.durability "power", of the machine) cannot undo it, or with the error.
  virtual void save(SavedPosition what, std::function<void(Status)> done) = 0;
  // Saves like a position what spares work or repetitions after a restart; replaces the entry of
  // each partition, or with an empty value removes it. In one order with the positions of what was
  // emitted before and after. With kPowerCut (and delivery.durability "power") it is on the disk
  // when `done` comes, and so is all that was noted before.
  enum class Survives { kKill, kPowerCut };
  virtual void note(std::vector<SavedPosition> what, Survives survives,
                    std::function<void(Status)> done) = 0;
  // What note() saved, when it is the sink that keeps positions (exactlyOnce); else it is in
  // saved().
  virtual const std::vector<SavedPosition>& noted() = 0;
  // How all pipelines of this agent do. `done` comes from the loop, once; never where there is no
  // agent, or when a loop of it is stuck.
  virtual void ask_agent(std::function<void(const AgentNumbers&)> done) { (void)done; }
  // What happens to them, as HearAgent has it. `heard` comes from the loop, also after stop().
  virtual void hear_agent(HearEvent heard) { (void)heard; }
  // Through which the pipelines of this agent hand records to each other. Null where there is no
  // agent.
  virtual Channels* channels() { return nullptr; }
  // For the progress display: bytes that this run has read so far and, where known, has to read.
  virtual void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) = 0;
};

class Source : public Acknowledger {
 public:
  // Starts reading. Errors that a person must mend (no such file) are returned here; later ones go
  // to finished().
  virtual Status open(SourceContext& context) = 0;
  // Credit is there again after new_batch() returned null. May be called more often than needed.
  virtual void resume() = 0;
  // The agent is to end: stops reading, emits nothing from now on, but goes on acknowledging until
  // stop(). False when acknowledging needs nothing that stop() would release; stop() is then called
  // at once instead.
  virtual bool drain() { return false; }
  // Stops reading for good and releases every handle; calls `closed` when that is done. Batches
  // already emitted are still delivered, so acked() and saved_position() may still be called after
  // it.
  virtual void stop(std::function<void()> closed) = 0;
  // None where it reads one thing.
  virtual SourceTasks tasks() const { return {}; }
  // How often one of them has begun or ended so far; nothing where it reads one thing.
  virtual std::optional<uint64_t> task_changes() const { return std::nullopt; }
  // One more source, which gives a part of what this one reads, into a data path of its own; on the
  // same loop. Asked before open(), where SourceType::at_once is more than one. It is opened when
  // this has been, and ends with it; this outlives it.
  virtual std::unique_ptr<Source> lane() { return nullptr; }
};

class OptionErrors;  // options/option_errors.h

enum class Produces { kBytes, kSlices, kRecords };

// How a source can make good for what was not delivered before a crash (engine/delivery/README.md).
enum class Replay {
  kFromPosition,  // it reads again from the saved position: no payload needs to be journaled
  kHoldsAck,      // the peer sends again what was not acknowledged
  kHoldsAckOnce,  // and what it sends again is recognised, by what saved_position() and save() kept
  kNone,          // what is lost here is lost
};

// For a SourceType::replay that does not depend on the options.
template <Replay kReplay>
Replay replays(const Options&) {
  return kReplay;
}

// A device of this machine that a source can be told to read from. "" where it is not known.
struct PortInfo {
  std::string name;  // as in the source's options
  std::string description;
  std::string usb_id;  // "vendor:product" in hex: "0403:6001"
  std::string serial_number;
};

// Where an operator wants a saved position to go.
struct PositionTarget {
  std::string file = {};  // only if it is that of this file; "": whatever it is of
  enum class To { kStart, kEnd, kOffset } to = To::kStart;
  uint64_t offset = 0;  // kOffset
};
struct MovedPosition {
  SavedPosition position;
  std::string what;   // it is of: a path
  uint64_t from = 0;  // in what the source counts
  uint64_t to = 0;
};

struct SourceType {
  std::string_view name;
  std::string_view help;  // one or two sentences
  Produces produces = Produces::kBytes;
  Replay (*replay)(const Options& options);
  std::span<const Option> options;
  // Of the read formats, all of which it can be used with; "" for kRecords. Where the build lacks
  // it, the first of those that there are is the default.
  std::string_view default_format = {};
  // True when it ends by itself with these options. Null: never.
  bool (*bounded)(const Options& options) = nullptr;
  // It is there once for the process: a second run would find its end.
  bool read_once = false;
  // True when a run by a schedule is to read all of it again with these options, and not to go on
  // where the last one that succeeded has ended. Null: never.
  bool (*begins_anew)(const Options& options) = nullptr;
  // How many things it reads at once with these options, which may each have a data path of its own
  // (Source::lane). Null: one.
  size_t (*at_once)(const Options& options) = nullptr;
  // True when its batches have message_fields with these options. Null: never.
  bool (*has_fields)(const Options& options) = nullptr;
  // Adds to a batch the fields that a message from `address` (an MQTT topic) would bring, whose
  // slice is the batch's last: for trials, without a peer. Null: has_fields is never true.
  Status (*add_fields)(const Options& options, std::string_view address, Batch& batch) = nullptr;
  // Fails with kUsage for combinations that the table cannot express.
  Result<std::unique_ptr<Source>> (*make)(const Options& options);
  // Warns of what can be run and may not be meant, of options that `make` takes. Null: of nothing.
  void (*warn)(const Options& options, OptionErrors& warnings) = nullptr;
  // Reads the files that options name which `make` takes (certificates, keys), as open() will, and
  // lets go of them: errors are of OptionErrors. Null: they name none.
  Status (*check_files)(const Options& options) = nullptr;
  // Asks the peer of a stage with options that `make` takes; they outlive the probe. Null: it has
  // none.
  std::unique_ptr<PeerProbe> (*probe)(const Options& options, const ProbeContext& context,
                                      Probed done) = nullptr;
  // What the tasks of its job are, as the options have them, for people; "" where it reads one
  // thing. Null: it always does.
  std::string (*tasks)(const Options& options) = nullptr;
  // Asks the peer of one that has tasks which they are in a run that begins anew: a line for each.
  // Else as `probe`. Null: nobody knows before it runs.
  std::unique_ptr<PeerProbe> (*ask_tasks)(const Options& options, const ProbeContext& context,
                                          Probed done) = nullptr;
  // A saved position in another place. May block. nullopt: it is not of the target's file, or none
  // of this source. Null: such a source can only begin anew, without any.
  Result<std::optional<MovedPosition>> (*move_position)(const SavedPosition& saved,
                                                        const PositionTarget& target) = nullptr;
  // What this machine has that such a source can read from, for `leat ports`. May block. Null: the
  // question makes no sense.
  Result<std::vector<PortInfo>> (*ports)() = nullptr;
  // Of kRecords: the name of the form that rows have by themselves, when they can pass through in
  // it to a sink that takes it. "": they cannot.
  std::string_view rows = {};
  // True when it looks into its rows itself with these options, so that none passes through. Null:
  // never.
  bool (*looks_into_rows)(const Options& options) = nullptr;
  // Its option that says from which channel it takes what other pipelines give. "": it reads from
  // outside.
  std::string_view channel = {};
};

}  // namespace leat
