// The journal: the one SQLite file in which the agent keeps what must survive it (FORMAT.md).
//
// One thread owns the one connection. Each loop talks to it through a JournalClient: requests and
// replies travel in rings, and all requests that wait are put into one transaction.
//
// Durability: a commit survives the death of the process at once. A commit of positions alone is
// not fsync'ed, since a lost position only means that records are read again; SQLite syncs it at
// its next checkpoint. What was spooled and is acknowledged on the strength of that is, unless the
// pipeline asks for less.
#pragma once

#include <uv.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "journal/position_rhythm.h"
#include "journal/room.h"
#include "journal/spool_table.h"
#include "loop/handles.h"
#include "memory/ring.h"
#include "record/position.h"

namespace leat {

class JournalDatabase;
class JournalClient;
struct JournalRequest;
enum class JournalWork { kReads, kSaves, kRemoves, kAdds };

class Journal {
 public:
  // Opens or creates `path`; takes an exclusive lock. A damaged file is set aside as
  // "<path>.damaged-<n>", what can be read of it is carried over, and a warning says so.
  // Where there is no room to make a new one, requests that write fail until there is. `clock`
  // must outlive it.
  // Errors: kUnavailable when another agent holds it, kUsage when the folder cannot be written.
  static Result<std::unique_ptr<Journal>> open(const std::string& path, const Clock& clock);

  // Finishes what was submitted, then closes the file. All clients must be gone.
  ~Journal();
  // Only finishes it. Fails when the file was taken away, and cannot be made again: what is said to
  // have been spooled then ends with the process.
  Status finish();

  // A client for `loop`. Call before start(), from any thread.
  std::unique_ptr<JournalClient> make_client(Loop& loop);
  void start();
  // Serves what waits, on this thread: for a test that takes the place of the journal's own, and
  // never calls start().
  void serve_all();

  // How long positions wait for each other that may (JournalClient::at_next_commit). 0, and at the
  // start: not at all. Any thread.
  void set_commit_every(Milliseconds every) { commit_every_.ms = every.count(); }

  // For tests, before start(): who says what is free on the disk.
  void ask_room(std::function<uint64_t()> free_on_disk);
  // Pipelines that have something spooled. Before start().
  Result<std::vector<std::string>> spooled_pipelines();

 private:
  friend class JournalClient;
  struct Channel;
  Journal(std::string path, const Clock& clock, std::unique_ptr<JournalDatabase> database);
  void run();
  Status save_what_is_lost();
  void write(std::vector<JournalRequest*> requests);
  Status transact(std::vector<JournalRequest*>& requests);
  Status read(JournalRequest& request);
  Status not_there() const;
  bool replace(const std::string& why);
  bool make_file();

  std::string path_;
  const Clock& clock_;
  SpacedTries replace_again_;
  Status end_;                     // of the thread
  bool database_damaged_ = false;  // that is why the last transaction failed
  SpacedTries make_again_;         // while there was no room for a file at the start
  std::unique_ptr<JournalDatabase> database_;
  std::vector<std::shared_ptr<Channel>> channels_;
  uv_sem_t wake_;
  std::atomic<bool> stopping_{false};
  PositionRhythm::Period commit_every_;
  std::thread thread_;
};

// Thread: one loop's.
class JournalClient {
 public:
  using Committed = std::function<void(Status)>;
  template <typename T>
  using Got = std::function<void(Result<T>)>;
  enum class Durability { kProcess, kPower };  // survives kill -9; survives a power cut

  ~JournalClient();

  // All `done` are called later, on the loop, in the order of the requests; after an error nothing
  // of the request was stored.

  // Replaces the saved positions of these partitions of `pipeline`; removes those without a value.
  void commit(const std::string& pipeline, std::vector<SavedPosition> positions, Committed done,
              Durability durability = Durability::kProcess);
  // Positions whose loss costs nothing but repetition may wait for those of the other pipelines:
  // `save` is called when it is time, once, and what it asks for goes into one transaction with
  // what they do.
  void at_next_commit(std::function<void()> save) { rhythm_.at_next(std::move(save)); }
  // What is worth no write of its own: `save` is called when this client next writes something
  // else, and what it asks for goes into the same transaction. Until it says true it is called at
  // each. `id` is the caller's.
  void ride_along(uint64_t id, std::function<bool()> save) { riders_[id] = std::move(save); }
  void get_off(uint64_t id) { riders_.erase(id); }
  // False: each is to be committed at once.
  bool positions_wait() const { return rhythm_.waits(); }
  // All saved positions of `pipeline`.
  void load(const std::string& pipeline, Got<std::vector<SavedPosition>> done);

  // From now on `saved` is told of all that commit() has stored for `pipeline`, before `done` is
  // called; null: nobody is any more.
  using Saved = std::function<void(const std::vector<SavedPosition>&)>;
  void watch(const std::string& pipeline, Saved saved);

  // Called when all that this client was asked before is through. Requests of two clients have no
  // order: who takes over what another loop wrote to must wait for this there.
  void flush(std::function<void()> done);

  // The spool of a pipeline (journal/spool_table.h). open_spool() comes before the others, and
  // makes it when there is none.
  // `can_replay`: the source can go back to a saved position. When rows are missing those do.
  void open_spool(const std::string& pipeline, Got<SpoolState> done, bool can_replay = false);
  // Records numbered from `from` on, and the bytes of all.
  void count_spooled(const std::string& pipeline, uint64_t from, Got<SpoolTotals> done);
  // Adds a row, and with it saves where the source is. Gives the bytes stored.
  void append(const std::string& pipeline, SpoolRow row, std::vector<SavedPosition> positions,
              Durability durability, Got<uint64_t> done);
  // The row with record `from`, or the next one; a row without records when there is none. When it
  // is damaged its content is empty.
  void read_spool(const std::string& pipeline, uint64_t from, Got<SpoolRow> done);
  void remove_spooled(const std::string& pipeline, uint64_t to, Got<SpoolRemoved> done);
  void drop_spooled(const std::string& pipeline, uint64_t from, uint64_t bytes,
                    Got<SpoolRemoved> done);

  // For what an operator asks (engine/tools): `work` has the whole journal, and may put another
  // database in its place. With `changes` it runs in a transaction that is on the disk when `done`
  // comes; else in none.
  using Work = std::function<Result<std::string>(std::unique_ptr<JournalDatabase>&)>;
  void work_on(bool changes, Work work, Got<std::string> done);

 private:
  friend class Journal;
  JournalClient(Journal& journal, std::shared_ptr<Journal::Channel> channel, Loop& loop);
  using Request = JournalRequest;
  template <typename T>
  void submit(JournalWork kind, bool durable, std::function<Result<T>(JournalDatabase&)> work,
              Got<T> done, size_t bytes = 0);
  void submit(Request request);
  void let_ride();
  void send_waiting();
  void receive();

  Journal& journal_;
  std::shared_ptr<Journal::Channel> channel_;
  std::deque<Request> waiting_;  // not sent yet
  size_t under_way_ = 0;         // sent, and no reply yet
  bool gathering_ = false;       // more comes that is to go together with what waits
  std::map<uint64_t, std::function<bool()>> riders_;
  std::map<std::string, Saved> watchers_;  // by pipeline
  Async async_;
  PositionRhythm rhythm_;
};

}  // namespace leat
