#include "journal/journal.h"

#include <pthread.h>

#include <mutex>
#include <utility>

#include "base/log.h"
#include "journal/database.h"

namespace leat {

struct JournalClient::Request {
  bool writes = false;                           // part of the transaction
  bool durable = false;                          // the transaction must reach the disk
  std::function<Status(JournalDatabase&)> work;  // on the journal thread
  Committed done;                                // on the loop
  Status status;
};

// The two rings between one loop and the journal thread. Shared, so that a client that goes away
// while the thread still works leaves nothing dangling.
struct Journal::Channel {
  // At most this many requests of a client are under way; so both rings always have room.
  static constexpr size_t kCapacity = 64;
  Ring<JournalClient::Request> requests{kCapacity};
  Ring<JournalClient::Request> replies{kCapacity};
  std::mutex mutex;        // guards `async`
  Async* async = nullptr;  // null when the client is gone

  void wake_client() {
    std::lock_guard lock(mutex);
    if (async != nullptr) async->send();
  }
};

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path) {
  Result<std::unique_ptr<JournalDatabase>> database = JournalDatabase::open(path);
  if (!database) return fail(database.error());
  return std::unique_ptr<Journal>(new Journal(std::move(*database)));
}

Journal::Journal(std::unique_ptr<JournalDatabase> database) : database_(std::move(database)) {
  uv_sem_init(&wake_, 0);
}

Journal::~Journal() {
  stopping_ = true;
  uv_sem_post(&wake_);
  if (thread_.joinable()) thread_.join();
  uv_sem_destroy(&wake_);
}

std::unique_ptr<JournalClient> Journal::make_client(uv_loop_t* loop) {
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
    if (stop) return;
  }
}

// Group commit: everything that waits, of all loops, goes into one transaction.
void Journal::serve_all() {
  std::vector<std::pair<Channel*, JournalClient::Request>> batch;
  bool writes = false;
  bool durable = false;
  for (const std::shared_ptr<Channel>& channel : channels_) {
    while (std::optional<JournalClient::Request> request = channel->requests.pop()) {
      writes |= request->writes;
      durable |= request->durable;
      batch.emplace_back(channel.get(), std::move(*request));
    }
  }
  Status status;
  if (writes) {
    status = database_->begin(durable);
    for (auto& [channel, request] : batch)
      if (request.writes && status) status = request.work(*database_);
    if (status) status = database_->commit();
    if (!status) {
      database_->rollback();
      database_->make_room();
    }
  }
  for (auto& [channel, request] : batch) {
    request.status = request.writes ? status : request.work(*database_);
    request.work = nullptr;
    channel->replies.push(std::move(request));
    channel->wake_client();
  }
}

Result<std::vector<std::string>> Journal::spooled_pipelines() {
  return database_->spool().not_empty();
}

JournalClient::JournalClient(Journal& journal, std::shared_ptr<Journal::Channel> channel,
                             uv_loop_t* loop)
    : journal_(journal), channel_(std::move(channel)), async_(loop, [this] { receive(); }) {
  channel_->async = &async_;
  async_.unref();
}

JournalClient::~JournalClient() {
  std::lock_guard lock(channel_->mutex);
  channel_->async = nullptr;
}

// The result travels in an object that the two functions share.
template <typename T>
void JournalClient::submit(bool writes, bool durable,
                           std::function<Result<T>(JournalDatabase&)> work, Got<T> done) {
  auto result = std::make_shared<T>();
  submit({writes,
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
          {}});
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
  submit({true,
          durability == Durability::kPower,
          [pipeline, positions = std::move(positions)](JournalDatabase& database) {
            return save_all(database, pipeline, positions);
          },
          std::move(done),
          {}});
}

void JournalClient::load(const std::string& pipeline, Got<std::vector<SavedPosition>> done) {
  submit<std::vector<SavedPosition>>(
      false, false, [pipeline](JournalDatabase& database) { return database.load(pipeline); },
      std::move(done));
}

void JournalClient::flush(std::function<void()> done) {
  submit({false,
          false,
          [](JournalDatabase&) { return Status{}; },
          [done = std::move(done)](const Status&) { done(); },
          {}});
}

void JournalClient::open_spool(const std::string& pipeline, Got<SpoolState> done) {
  submit<SpoolState>(
      true, false,
      [pipeline](JournalDatabase& database) { return database.spool().open(pipeline); },
      std::move(done));
}

void JournalClient::count_spooled(const std::string& pipeline, uint64_t from,
                                  Got<SpoolTotals> done) {
  submit<SpoolTotals>(
      false, false,
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
      true, durability == Durability::kPower,
      [pipeline, shared,
       positions = std::move(positions)](JournalDatabase& database) -> Result<uint64_t> {
        Result<uint64_t> stored = database.spool().append(pipeline, *shared);
        if (!stored) return stored;
        if (Status status = save_all(database, pipeline, positions); !status)
          return fail(status.error());
        return stored;
      },
      std::move(done));
}

void JournalClient::read_spool(const std::string& pipeline, uint64_t from, Got<SpoolRow> done) {
  submit<SpoolRow>(
      false, false,
      [pipeline, from](JournalDatabase& database) -> Result<SpoolRow> {
        uint64_t end = from;
        Result<std::optional<SpoolRow>> row = database.spool().read(pipeline, from, &end);
        if (row) return row->has_value() ? std::move(**row) : SpoolRow{};
        if (row.error().kind() != ErrorKind::kData) return fail(row.error());
        return SpoolRow{from, end - from, {}};
      },
      std::move(done));
}

void JournalClient::remove_spooled(const std::string& pipeline, uint64_t to,
                                   Got<SpoolRemoved> done) {
  submit<SpoolRemoved>(
      true, false,
      [pipeline, to](JournalDatabase& database) { return database.spool().remove(pipeline, to); },
      std::move(done));
}

void JournalClient::drop_spooled(const std::string& pipeline, uint64_t from, uint64_t bytes,
                                 Got<SpoolRemoved> done) {
  submit<SpoolRemoved>(
      true, false,
      [pipeline, from, bytes](JournalDatabase& database) {
        return database.spool().drop(pipeline, from, bytes);
      },
      std::move(done));
}

void JournalClient::submit(Request request) {
  if (waiting_.empty() && under_way_ == 0)
    async_.ref();  // a reply is awaited: the loop must not end
  waiting_.push_back(std::move(request));
  send_waiting();
}

void JournalClient::send_waiting() {
  bool sent = false;
  while (!waiting_.empty() && under_way_ < Journal::Channel::kCapacity) {
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
