#include "control/loop_host.h"

#include <pthread.h>

namespace leat {

LoopHost::LoopHost(Journal& journal, std::unique_ptr<Loop> loop)
    : loop_(std::move(loop)), journal_(journal.make_client(*loop_)) {}

LoopHost::~LoopHost() {
  close();
}

bool LoopHost::close() {
  if (std::exchange(closed_, true)) return true;
  loop_->stop();
  if (thread_.joinable()) thread_.join();
  pipelines.clear();
  journal_.reset();
  constexpr Milliseconds kGrace{500};
  return loop_->close(kGrace);
}

void LoopHost::start_thread() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "leat-worker");
    loop_->run();
  });
}

}  // namespace leat
