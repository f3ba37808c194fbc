// The addresses of a name, found by the system's resolver. Internal to net/.
//
// The resolver blocks, for half a minute and more when a name server is silent, and cannot be
// interrupted. So each name that is looked up has a thread of its own, for as long as that takes,
// and none waits for another. Whoever asks for the same name meanwhile, on whatever loop, gets the
// same answer: there are never more threads than names. Nobody waits for them, neither a Lookup
// that is given up nor the end of the process. A name that was not found before, or in time, and is
// now, is news of the network (NetworkWatch).
//
// Thread: the loop's thread. Lifetime: destroying it gives up, and `done` is not called any more;
// `done` may destroy it.
#pragma once

#include <sys/socket.h>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "loop/handles.h"

namespace leat {

class Lookup {
 public:
  using Answer = Result<std::vector<sockaddr_storage>>;  // ports are 0
  using Done = std::function<void(Answer)>;
  // `host` → its addresses, or an error that says in a few words why there are none.
  using Resolver = std::function<Answer(const std::string& host)>;

  // Starts at once; `done` comes from the loop.
  Lookup(Loop& loop, const std::string& host, Done done);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  // For tests: who answers the look-ups that start from now on; nullptr: the system. It is called
  // on threads.
  static void resolve_with(Resolver resolver);
  // Names that are looked up at present, by any loop or by nobody any more.
  static size_t under_way();

 private:
  struct Shared;
  struct Registry;
  static Registry& registry();
  static void* run(void* shared);
  void answered();

  Done done_;
  Async async_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace leat
