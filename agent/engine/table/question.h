// What is asked of a database when a run begins, before anything is read; again for as long as the
// reason why it gives no answer may pass.
//
// Thread: the loop's. Lifetime: as of a Database, which it owns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "loop/timer.h"
#include "table/attempts.h"
#include "table/database.h"

namespace leat::table {

class Question {
 public:
  // `what`: for people.
  Question(std::unique_ptr<Database> database, std::string what);
  virtual ~Question() = default;
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  // The answer comes from the loop. Errors are those of Source::open().
  Status open(SourceContext& context);
  void close(std::function<void()> closed);

 protected:
  virtual void ask() = 0;
  Database& database() { return *database_; }
  // There was none. nullopt: it is asked again.
  std::optional<Error> failed(const Error& error);

 private:
  const std::unique_ptr<Database> database_;
  const std::string what_;
  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after close()
  Attempts attempts_{true};
};

}  // namespace leat::table
