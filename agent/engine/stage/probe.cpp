#include "stage/probe.h"

#include <utility>

#include "base/lifetime.h"
#include "loop/handles.h"
#include "loop/pool.h"

namespace leat {
namespace {

class InPool final : public PeerProbe {
 public:
  InPool(Loop& loop, std::function<Result<std::string>()> work, Probed done) {
    auto answer = std::make_shared<Result<std::string>>();
    run_in_pool(
        loop, [answer, work = std::move(work)] { *answer = work(); },
        lifetime_.guard([answer, done = std::move(done)] { done(std::move(*answer)); }));
  }

 private:
  Lifetime lifetime_;
};

class Failed final : public PeerProbe {
 public:
  Failed(Loop& loop, const Error& why, Probed done) : later_(loop) {
    later_.start_next_turn([why, done = std::move(done)] { done(fail(why)); });
  }

 private:
  Timer later_;
};

}  // namespace

std::unique_ptr<PeerProbe> probe_in_pool(Loop& loop, std::function<Result<std::string>()> work,
                                         Probed done) {
  return std::make_unique<InPool>(loop, std::move(work), std::move(done));
}

std::unique_ptr<PeerProbe> probe_that_failed(Loop& loop, const Error& why, Probed done) {
  return std::make_unique<Failed>(loop, why, std::move(done));
}

}  // namespace leat
