// Keeps a callback that comes late from an object that is gone:
//
//   journal.load(name, lifetime_.guard([this](const Result<Saved>& saved) { … }));
//
// A member of that object, behind all that a callback touches: it is destroyed before that is.
// Thread: the object's.
#pragma once

#include <memory>
#include <utility>

namespace leat {

class Lifetime {
 public:
  Lifetime() = default;
  ~Lifetime() { *over_ = true; }
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  // `callback`, which does nothing once the object is gone.
  template <typename Callback>
  auto guard(Callback callback) const {
    return [over = witness(), callback = std::move(callback)](auto&&... what) {
      if (!*over) callback(std::forward<decltype(what)>(what)...);
    };
  }
  // True once the object is gone: for its own functions that go on after something which may
  // destroy it.
  std::shared_ptr<const bool> witness() const { return over_; }

 private:
  const std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

}  // namespace leat
