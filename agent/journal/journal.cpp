#include "journal/journal.h"

#include <pthread.h>

#include <mutex>
#include <utility>

#include "base/log.h"
#include "journal/database.h"

namespace leat {

struct JournalClient::Request {
  enum class Kind { kCommit, kLoad } kind = Kind::kCommit;
  std::string pipeline;
  std::vector<SavedPosition> positions;  // to save; for kLoad what was found
  Committed committed;
  Loaded loaded;
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
  bool commits = false;
  for (const std::shared_ptr<Channel>& channel : channels_) {
    while (std::optional<JournalClient::Request> request = channel->requests.pop()) {
      commits |= request->kind == JournalClient::Request::Kind::kCommit;
      batch.emplace_back(channel.get(), std::move(*request));
    }
  }
  Status status;
  if (commits) {
    status = database_->begin();
    for (auto& [channel, request] : batch)
      for (const SavedPosition& position : request.positions)
        if (status) status = database_->save(request.pipeline, position);
    if (status) status = database_->commit();
    if (!status) database_->rollback();
  }
  for (auto& [channel, request] : batch) {
    if (request.kind == JournalClient::Request::Kind::kCommit) {
      request.status = status;
    } else if (Result<std::vector<SavedPosition>> found = database_->load(request.pipeline)) {
      request.positions = std::move(*found);
    } else {
      request.status = fail(found.error());
    }
    channel->replies.push(std::move(request));
    channel->wake_client();
  }
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

void JournalClient::commit(const std::string& pipeline, std::vector<SavedPosition> positions,
                           Committed done) {
  submit({Request::Kind::kCommit, pipeline, std::move(positions), std::move(done), nullptr, {}});
}

void JournalClient::load(const std::string& pipeline, Loaded done) {
  submit({Request::Kind::kLoad, pipeline, {}, nullptr, std::move(done), {}});
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
    if (reply->kind == Request::Kind::kCommit) {
      reply->committed(std::move(reply->status));
    } else if (reply->status) {
      reply->loaded(std::move(reply->positions));
    } else {
      reply->loaded(fail(reply->status.error()));
    }
  }
  send_waiting();
}

}  // namespace leat
