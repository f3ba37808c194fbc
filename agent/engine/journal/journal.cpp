#include "journal/journal.h"

#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/counted.h"
#include "base/log.h"
#include "base/units.h"
#include "journal/database.h"
#include "journal/schema.h"
#include "journal/sqlite_error.h"

namespace leat {
namespace {

// A journal that exists holds what must not be forgotten, and can be opened without room.
bool is_new_and_without_room(const std::string& path, const Error& error) {
  struct stat info {};
  bool holds_nothing = ::stat(path.c_str(), &info) != 0 || info.st_size <= kPageSize;
  return holds_nothing && is_no_room(error);
}

}  // namespace

struct JournalRequest {
  JournalWork kind;                              // all but kReads are part of the transaction
  bool durable = false;                          // the transaction must reach the disk
  std::function<Status(JournalDatabase&)> work;  // on the journal thread
  JournalClient::Committed done;                 // on the loop
  Status status;
  size_t bytes = 0;  // of what is added
};

// The two rings between one loop and the journal thread. Shared, so that a client that goes away
// while the thread still works leaves nothing dangling.
struct Journal::Channel {
  // At most this many requests of a client are under way; so both rings always have room.
  static constexpr size_t kCapacity = 64;
  Ring<JournalRequest> requests{kCapacity};
  Ring<JournalRequest> replies{kCapacity};
  std::mutex mutex;        // guards `async`
  Async* async = nullptr;  // null when the client is gone

  void wake_client() {
    std::lock_guard lock(mutex);
    if (async != nullptr) async->send();
  }
};

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path, const Clock& clock) {
  Result<std::unique_ptr<JournalDatabase>> database = JournalDatabase::open(path, clock);
  if (!database && is_new_and_without_room(path, database.error())) {
    log::error("leat", database.error().message() +
                           ": no journal can be made there; records are delivered without it, and "
                           "nothing that is not delivered is acknowledged, until there is room");
    database = JournalDatabase::open_stand_in(path, clock);
  }
  if (!database) return fail(database.error());
  return std::unique_ptr<Journal>(new Journal(path, clock, std::move(*database)));
}

Journal::Journal(std::string path, const Clock& clock, std::unique_ptr<JournalDatabase> database)
    : path_(std::move(path)), clock_(clock), database_(std::move(database)) {
  uv_sem_init(&wake_, 0);
}

Journal::~Journal() {
  (void)finish();
  uv_sem_destroy(&wake_);
}

Status Journal::finish() {
  stopping_ = true;
  uv_sem_post(&wake_);
  if (thread_.joinable()) thread_.join();
  return end_;
}

std::unique_ptr<JournalClient> Journal::make_client(Loop& loop) {
  channels_.push_back(std::make_shared<Channel>());
  return std::unique_ptr<JournalClient>(new JournalClient(*this, channels_.back(), loop));
}

void Journal::start() {
  thread_ = std::thread([this] { run(); });
}

void Journal::run() {
  pthread_setname_np(pthread_self(), "leat-journal");
  while (true) {
    uv_sem_wait(&wake_);
    bool stop = stopping_;
    serve_all();
    if (!stop) continue;
    end_ = save_what_is_lost();
    return;
  }
}

// The last chance: the files that are open are the only place that has it.
Status Journal::save_what_is_lost() {
  std::string lost = database_->lost_file();
  replace_again_ = {};
  if (lost.empty() || replace(lost) || database_->stand_in()) return {};
  uint64_t records = 0;
  Result<std::vector<std::string>> pipelines = database_->spool().not_empty();
  for (const std::string& pipeline : pipelines ? *pipelines : std::vector<std::string>())
    if (Result<SpoolTotals> totals = database_->spool().totals(pipeline, 0); totals)
      records += totals->records;
  return fail(ErrorKind::kUnavailable, lost + ": " +
                                           format_count(records, "spooled record", "is", "are") +
                                           " lost, and the saved positions");
}

// Group commit: everything that waits, of all loops, goes into one transaction.
void Journal::serve_all() {
  std::vector<std::pair<Channel*, JournalRequest>> batch;
  for (const std::shared_ptr<Channel>& channel : channels_)
    while (std::optional<JournalRequest> request = channel->requests.pop())
      batch.emplace_back(channel.get(), std::move(*request));
  std::vector<JournalRequest*> writing;
  for (auto& [channel, request] : batch)
    if (request.kind != JournalWork::kReads) writing.push_back(&request);
  if (!writing.empty()) write(std::move(writing));
  for (auto& [channel, request] : batch) {
    if (request.kind == JournalWork::kReads) request.status = read(request);
    request.work = nullptr;
    channel->replies.push(std::move(request));
    channel->wake_client();
  }
}

// What adds rows may find no room; what removes them, and what saves positions, must find it.
void Journal::write(std::vector<JournalRequest*> requests) {
  auto adds = [](const JournalRequest* request) { return request->kind == JournalWork::kAdds; };
  auto without_those_that_add = [&requests, adds](const Status& why) {
    for (JournalRequest* request : requests)
      if (adds(request)) request->status = why;
    std::erase_if(requests, adds);
  };
  if (database_->stand_in() && !make_file()) {
    for (JournalRequest* request : requests) request->status = database_->no_room();
    return;
  }
  bool any_adds = std::any_of(requests.begin(), requests.end(), adds);
  uint64_t bytes = 0;
  for (const JournalRequest* request : requests) bytes += request->bytes;
  if (any_adds && !database_->admits_rows(bytes)) {
    without_those_that_add(database_->no_room());
    any_adds = false;
  }
  if (requests.empty()) return;
  if (std::string lost = database_->lost_file(); !lost.empty()) replace(lost);
  Status status = transact(requests);
  if (!status && database_damaged_ && replace(status.error().message()))
    status = transact(requests);
  if (!status && database_->out_of_room()) {
    database_->checkpoint();
    if (any_adds) {
      database_->room().rows_failed(database_->now_us());
      without_those_that_add(status);
    }
    if (!requests.empty()) status = transact(requests);
    if (!status && database_->out_of_room() && database_->room().release())
      status = transact(requests);
    if (!status && database_->out_of_room())
      database_->room().positions_failed(database_->now_us());
  }
  for (JournalRequest* request : requests) {
    request->status = status;
    if (status && request->kind == JournalWork::kRemoves) database_->room().rows_were_removed();
  }
}

// For what is damaged, or whose file is gone. False when that must wait.
bool Journal::replace(const std::string& why) {
  int64_t now = database_->now_us();
  if (!replace_again_.due(now)) return false;
  Status status = JournalDatabase::replace(database_, why);
  if (status) {
    replace_again_ = {};
  } else {
    log::error("leat", "the journal cannot be made anew: " + status.error().message());
    replace_again_.failed(now);
    database_->note_beyond_repair();
  }
  return status.has_value();
}

// What a stand-in is told would be forgotten, and what it tells is nothing.
Status Journal::not_there() const {
  return fail(ErrorKind::kUnavailable, path_ + ": it could not be made anew; trying again");
}

Status Journal::read(JournalRequest& request) {
  if (database_->stands_in_for_lost() && !make_file()) return not_there();
  Status status = request.work(*database_);
  if (!status && database_->damaged() && replace(status.error().message()))
    status = request.work(*database_);
  return status;
}

// A request that fails by itself, not for want of room or by damage, is answered and left out, and
// the others are tried again: they are other pipelines'.
Status Journal::transact(std::vector<JournalRequest*>& requests) {
  database_damaged_ = false;
  if (database_->stand_in()) return not_there();  // since replace() failed
  while (!requests.empty()) {
    bool durable = false;
    bool adds = false;
    for (const JournalRequest* request : requests) {
      durable |= request->durable;
      adds |= request->kind == JournalWork::kAdds;
    }
    database_damaged_ = false;
    std::string lost = database_->lost_file();
    Status status =
        lost.empty() ? database_->begin(durable) : Status(fail(ErrorKind::kUnavailable, lost));
    auto failed = requests.end();
    for (auto one = requests.begin(); one != requests.end() && status; ++one)
      if (status = (*one)->work(*database_); !status) failed = one;
    if (status) status = database_->commit(adds);
    if (status) return status;
    database_damaged_ = database_->damaged();
    database_->rollback();
    if (failed == requests.end() || database_damaged_ || database_->out_of_room()) return status;
    (*failed)->status = status;
    requests.erase(failed);
  }
  return {};
}

// There may be room by now for the journal that could not be made at the start.
bool Journal::make_file() {
  int64_t now = database_->now_us();
  if (!make_again_.due(now)) return false;
  Result<std::unique_ptr<JournalDatabase>> made = JournalDatabase::open(path_, clock_);
  Status status =
      made ? (*made)->spool().take_over(database_->spool().opened()) : fail(made.error());
  if (!status) {
    make_again_.failed(now);
    return false;
  }
  database_ = std::move(*made);
  log::info("leat", path_ + ": there is room for the journal now");
  return true;
}

void Journal::ask_room(std::function<uint64_t()> free_on_disk) {
  database_->room().ask(std::move(free_on_disk));
}

Result<std::vector<std::string>> Journal::spooled_pipelines() {
  return database_->spool().not_empty();
}

JournalClient::JournalClient(Journal& journal, std::shared_ptr<Journal::Channel> channel,
                             Loop& loop)
    : journal_(journal),
      channel_(std::move(channel)),
      async_(loop, [this] { receive(); }),
      rhythm_(
          loop, journal.commit_every_, [this] { gathering_ = true; },
          [this] {
            gathering_ = false;
            send_waiting();
          }) {
  channel_->async = &async_;
  async_.unref();
}

JournalClient::~JournalClient() {
  std::lock_guard lock(channel_->mutex);
  channel_->async = nullptr;
}

// The result travels in an object that the two functions share.
template <typename T>
void JournalClient::submit(JournalWork kind, bool durable,
                           std::function<Result<T>(JournalDatabase&)> work, Got<T> done,
                           size_t bytes) {
  auto result = std::make_shared<T>();
  submit({kind,
          durable,
          [result, work = std::move(work)](JournalDatabase& database) -> Status {
            Result<T> got = work(database);
            if (!got) return fail(got.error());
            *result = std::move(*got);
            return {};
          },
          [result, done = std::move(done)](const Status& status) {
            if (status) {
              done(std::move(*result));
            } else {
              done(fail(status.error()));
            }
          },
          {},
          bytes});
}

namespace {

Status save_all(JournalDatabase& database, const std::string& pipeline,
                const std::vector<SavedPosition>& positions) {
  for (const SavedPosition& position : positions)
    if (Status status = database.save(pipeline, position); !status) return status;
  return {};
}

}  // namespace

void JournalClient::commit(const std::string& pipeline, std::vector<SavedPosition> positions,
                           Committed done, Durability durability) {
#ifdef LEAT_CLUSTER  // else nobody watches
  if (auto found = watchers_.find(pipeline); found != watchers_.end())
    done = [saved = found->second, positions, done = std::move(done)](const Status& status) {
      if (status) saved(positions);
      done(status);
    };
#endif
  submit({JournalWork::kSaves,
          durability == Durability::kPower,
          [pipeline, positions = std::move(positions)](JournalDatabase& database) {
            return save_all(database, pipeline, positions);
          },
          std::move(done),
          {},
          0});
}

void JournalClient::watch(const std::string& pipeline, Saved saved) {
  if (saved)
    watchers_[pipeline] = std::move(saved);
  else
    watchers_.erase(pipeline);
}

void JournalClient::load(const std::string& pipeline, Got<std::vector<SavedPosition>> done) {
  submit<std::vector<SavedPosition>>(
      JournalWork::kReads, false,
      [pipeline](JournalDatabase& database) { return database.load(pipeline); }, std::move(done));
}

void JournalClient::flush(std::function<void()> done) {
  submit({JournalWork::kReads,
          false,
          [](JournalDatabase&) { return Status{}; },
          [done = std::move(done)](const Status&) { done(); },
          {},
          0});
}

void JournalClient::open_spool(const std::string& pipeline, Got<SpoolState> done, bool can_replay) {
  submit<SpoolState>(
      JournalWork::kReads, false,
      [pipeline, can_replay](JournalDatabase& database) {
        return database.open_spool(pipeline, can_replay);
      },
      std::move(done));
}

void JournalClient::count_spooled(const std::string& pipeline, uint64_t from,
                                  Got<SpoolTotals> done) {
  submit<SpoolTotals>(
      JournalWork::kReads, false,
      [pipeline, from](JournalDatabase& database) {
        return database.spool().totals(pipeline, from);
      },
      std::move(done));
}

void JournalClient::append(const std::string& pipeline, SpoolRow row,
                           std::vector<SavedPosition> positions, Durability durability,
                           Got<uint64_t> done) {
  auto shared = std::make_shared<SpoolRow>(std::move(row));  // a std::function is copyable
  submit<uint64_t>(
      JournalWork::kAdds, durability == Durability::kPower,
      [pipeline, shared,
       positions = std::move(positions)](JournalDatabase& database) -> Result<uint64_t> {
        Result<uint64_t> stored = database.append(pipeline, *shared, positions);
        if (!stored) return stored;
        if (Status status = save_all(database, pipeline, positions); !status)
          return fail(status.error());
        return stored;
      },
      std::move(done), shared->content.size());
}

void JournalClient::read_spool(const std::string& pipeline, uint64_t from, Got<SpoolRow> done) {
  submit<SpoolRow>(
      JournalWork::kReads, false,
      [pipeline, from](JournalDatabase& database) -> Result<SpoolRow> {
        uint64_t end = from;
        Result<std::optional<SpoolRow>> row = database.spool().read(pipeline, from, &end);
        if (row) return row->has_value() ? std::move(**row) : SpoolRow{};
        // When it is the file that is damaged, and not the row alone, that is to be mended first:
        // else all that is behind it would be given up.
        bool of_the_row = row.error().kind() == ErrorKind::kData && end > from;
        if (!of_the_row || (database.damaged() && !database.beyond_repair()))
          return fail(row.error());
        return SpoolRow{from, end - from, {}};
      },
      std::move(done));
}

void JournalClient::remove_spooled(const std::string& pipeline, uint64_t to,
                                   Got<SpoolRemoved> done) {
  submit<SpoolRemoved>(
      JournalWork::kRemoves, false,
      [pipeline, to](JournalDatabase& database) { return database.remove(pipeline, to); },
      std::move(done));
}

void JournalClient::drop_spooled(const std::string& pipeline, uint64_t from, uint64_t bytes,
                                 Got<SpoolRemoved> done) {
  submit<SpoolRemoved>(
      JournalWork::kRemoves, false,
      [pipeline, from, bytes](JournalDatabase& database) {
        return database.drop(pipeline, from, bytes);
      },
      std::move(done));
}

void JournalClient::work_on(bool changes, Work work, Got<std::string> done) {
  submit<std::string>(
      changes ? JournalWork::kSaves : JournalWork::kReads, changes,
      [&journal = journal_, work = std::move(work)](JournalDatabase&) {
        return work(journal.database_);
      },
      std::move(done));
}

void JournalClient::submit(Request request) {
  if (waiting_.empty() && under_way_ == 0)
    async_.ref();  // a reply is awaited: the loop must not end
  const bool writes = request.kind != JournalWork::kReads;
  waiting_.push_back(std::move(request));
  if (writes && !riders_.empty()) let_ride();
  send_waiting();
}

// What they ask for is no reason to ask them again.
void JournalClient::let_ride() {
  auto riders = std::exchange(riders_, {});
  const bool gathering = std::exchange(gathering_, true);
  std::erase_if(riders, [](const auto& rider) { return rider.second(); });
  gathering_ = gathering;
  riders_.merge(riders);
}

void JournalClient::send_waiting() {
  bool sent = false;
  while (!gathering_ && !waiting_.empty() && under_way_ < Journal::Channel::kCapacity) {
    channel_->requests.push(std::move(waiting_.front()));
    waiting_.pop_front();
    ++under_way_;
    sent = true;
  }
  if (sent) uv_sem_post(&journal_.wake_);
}

void JournalClient::receive() {
  while (std::optional<Request> reply = channel_->replies.pop()) {
    if (--under_way_ == 0 && waiting_.empty()) async_.unref();
    reply->done(std::move(reply->status));
  }
  send_waiting();
}

}  // namespace leat
