// Work on another thread whose result goes to a continuation on the loop:
//
//   run_in_pool(loop, lifetime_, [path] { return read_all(path); },
//               [this](Result<std::string> text) { … });
//
// Here is what run_in_pool() (loop/pool.h) and JobThread::submit() have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat {

struct CarriedWork {
  std::function<void()> work;  // there
  std::function<void()> done;  // here, once `work` has run
};

// Neither need be copyable. What they hold goes on the loop's thread.
template <typename Work, typename Then>
CarriedWork carry(Work work, Then then) {
  struct Carried {
    Work work;
    Then then;
    std::optional<std::invoke_result_t<Work&>> result = {};
  };
  auto carried = std::make_shared<Carried>(Carried{std::move(work), std::move(then)});
  return {[carried] { carried->result.emplace(carried->work()); },
          [carried] { carried->then(std::move(*carried->result)); }};
}

}  // namespace leat
