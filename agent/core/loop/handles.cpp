#include "loop/handles.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "base/log.h"

namespace leat {
namespace {

// Starting a handle fails only for reasons that are bugs here (a closed loop, no callback).
void must(int uv_code, const char* what) {
  if (uv_code == 0) return;
  log::error("leat", std::string(what) + ": " + uv_strerror(uv_code));
  std::abort();
}

template <typename State>
void close_and_free(State* state) {
  state->callback = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

// Runs a copy: the callback may replace itself, or destroy the wrapper.
template <typename State, typename Handle>
void call(Handle* handle) {
  auto* state = static_cast<State*>(handle->data);
  std::function<void()> callback = state->callback;
  if (callback) callback();
}

}  // namespace

struct Async::State {
  uv_async_t handle;
  std::function<void()> callback;
};

Async::Async(Loop& loop, std::function<void()> callback) : state_(new State) {
  state_->callback = std::move(callback);
  must(uv_async_init(loop.uv(), &state_->handle, call<State, uv_async_t>), "async");
  state_->handle.data = state_;
}

Async::~Async() {
  close_and_free(state_);
}

void Async::send() {
  uv_async_send(&state_->handle);
}

void Async::unref() {
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->handle));
}

void Async::ref() {
  uv_ref(reinterpret_cast<uv_handle_t*>(&state_->handle));
}

struct Idle::State {
  uv_idle_t handle;
  std::function<void()> callback;
};

Idle::Idle(Loop& loop, std::function<void()> callback) : state_(new State) {
  state_->callback = std::move(callback);
  must(uv_idle_init(loop.uv(), &state_->handle), "idle");
  state_->handle.data = state_;
}

Idle::~Idle() {
  close_and_free(state_);
}

void Idle::start() {
  must(uv_idle_start(&state_->handle, call<State, uv_idle_t>), "idle");
}

void Idle::stop() {
  uv_idle_stop(&state_->handle);
}

bool Idle::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0;
}

struct Poll::State {
  uv_poll_t handle;
  std::function<void()> callback;
};

Result<std::unique_ptr<Poll>> Poll::make(Loop& loop, int fd, std::function<void()> callback) {
  auto state = std::make_unique<State>();
  state->callback = std::move(callback);
  // Where it fails the handle is not in the loop yet, so it can go at once.
  if (int code = uv_poll_init(loop.uv(), &state->handle, fd); code != 0)
    return fail_uv("poll", code);
  state->handle.data = state.get();
  return std::unique_ptr<Poll>(new Poll(state.release()));
}

Poll::~Poll() {
  close_and_free(state_);
}

void Poll::start(int events) {
  must(uv_poll_start(&state_->handle, events,
                     [](uv_poll_t* handle, int /*status*/, int /*events*/) {
                       call<State, uv_poll_t>(handle);
                     }),
       "poll");
}

void Poll::stop() {
  uv_poll_stop(&state_->handle);
}

}  // namespace leat
