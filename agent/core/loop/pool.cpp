#include "loop/pool.h"

#include <utility>

namespace leat {
namespace {

struct Request {
  uv_work_t handle;
  std::function<void()> work;
  std::function<void()> done;
};

}  // namespace

void run_in_pool(Loop& loop, std::function<void()> work, std::function<void()> done) {
  auto* request = new Request{{}, std::move(work), std::move(done)};
  request->handle.data = request;
  // Fails only without a work callback.
  uv_queue_work(
      loop.uv(), &request->handle, [](uv_work_t* w) { static_cast<Request*>(w->data)->work(); },
      [](uv_work_t* w, int /*status*/) {
        auto* finished = static_cast<Request*>(w->data);
        std::function<void()> callback = std::move(finished->done);
        delete finished;
        callback();
      });
}

}  // namespace leat
