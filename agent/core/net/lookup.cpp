#include "net/lookup.h"

#include <netdb.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "net/network_watch.h"

namespace leat {

// One name that is looked up, and who waits for it. Its thread owns a share, so that it needs
// nobody to be there when it ends.
struct Lookup::Shared {
  std::string host;
  Resolver resolver;
  std::vector<Async*> waiting;
  std::optional<Answer> answer;
};

// Its mutex guards all that threads and loops share; it is never held while a name is looked up.
struct Lookup::Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Shared>> under_way;
  std::set<std::string> not_found;  // when they were looked up last
  Resolver resolver;
};

// Never destroyed: at the end of the process a thread may still be in the resolver.
Lookup::Registry& Lookup::registry() {
  static auto* the_one = new Registry;
  return *the_one;
}

namespace {

// Twice what musl gives each of its threads; glibc keeps long answers on the heap.
constexpr size_t kStackSize = size_t{256} * 1024;

std::string words_of(int code, int error_number) {
  switch (code) {
    case EAI_NONAME:
      return uv_strerror(UV_EAI_NONAME);
    case EAI_AGAIN:
      return uv_strerror(UV_EAI_AGAIN);
    case EAI_NODATA:
      return uv_strerror(UV_EAI_NODATA);
    case EAI_FAIL:
      return uv_strerror(UV_EAI_FAIL);
    case EAI_SYSTEM:
      return uv_strerror(uv_translate_sys_error(error_number));
    default:
      return gai_strerror(code);
  }
}

Lookup::Answer ask_system(const std::string& host) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) return fail(ErrorKind::kUnavailable, words_of(code, errno));
  std::vector<sockaddr_storage> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_addrlen > sizeof(sockaddr_storage)) continue;
    std::memcpy(&addresses.emplace_back(), entry->ai_addr, entry->ai_addrlen);
  }
  freeaddrinfo(list);
  return addresses;
}

// A detached thread: not libuv's, whose end must be waited for. 0 or an errno value.
int start_thread(void* (*run)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_t thread;
  int error_number = pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  return error_number;
}

}  // namespace

Lookup::Lookup(Loop& loop, const std::string& host, Done done)
    : done_(std::move(done)), async_(loop, [this] { answered(); }) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::shared_ptr<Shared>& slot = all.under_way[host];
  if (slot) {
    shared_ = slot;
    shared_->waiting.push_back(&async_);
    return;
  }
  slot = shared_ = std::make_shared<Shared>(Shared{host, all.resolver, {&async_}, {}});
  auto share = std::make_unique<std::shared_ptr<Shared>>(shared_);
  if (int error_number = start_thread(run, share.get()); error_number != 0) {
    all.under_way.erase(host);
    shared_->answer =
        fail(ErrorKind::kUnavailable,
             fail_errno("no thread to look the name up", error_number).value().message());
    async_.send();
    return;
  }
  (void)share.release();  // run() frees it
}

void* Lookup::run(void* argument) {
  pthread_setname_np(pthread_self(), "lookup");
  std::unique_ptr<std::shared_ptr<Shared>> share(static_cast<std::shared_ptr<Shared>*>(argument));
  Shared& shared = **share;
  Answer answer = shared.resolver ? shared.resolver(shared.host) : ask_system(shared.host);
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  all.under_way.erase(shared.host);
  // Others may have failed for the same reason; and who asked may have given up long ago.
  const bool news = answer && (all.not_found.erase(shared.host) > 0 || shared.waiting.empty());
  if (!answer) all.not_found.insert(shared.host);
  shared.answer = std::move(answer);
  for (Async* async : shared.waiting) async->send();
  if (news) NetworkWatch::tell_all();
  return nullptr;
}

Lookup::~Lookup() {
  std::lock_guard lock(registry().mutex);
  std::erase(shared_->waiting, &async_);
}

void Lookup::answered() {
  std::unique_lock lock(registry().mutex);
  Answer answer = *shared_->answer;
  lock.unlock();
  Done done = std::move(done_);
  done(std::move(answer));  // may destroy this
}

void Lookup::resolve_with(Resolver resolver) {
  std::lock_guard lock(registry().mutex);
  registry().resolver = std::move(resolver);
}

size_t Lookup::under_way() {
  std::lock_guard lock(registry().mutex);
  return registry().under_way.size();
}

}  // namespace leat
