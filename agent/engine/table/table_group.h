// Several tables in one source, read one after the other: each is a partition with positions of its
// own, so a run that was cut short goes on in the table where it was, and what is done is not
// repeated. To its sink the whole is one job.
//
// Not more than one is open at a time: they share the credit of one task, so that two at once would
// only wait for each other.
//
// Thread and lifetime: as of any source.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop/timer.h"
#include "stage/source.h"
#include "table/settings.h"

namespace leat::table {

class TableGroup final : public Source {
 public:
  // Of a connector's options for one table.
  using MakeOne = Result<std::unique_ptr<Source>> (*)(const Options& options);
  // With several `tables` a group, else what `make_one` makes.
  static Result<std::unique_ptr<Source>> make(const Options& options, MakeOne make_one);

  ~TableGroup() override;

  Status open(SourceContext& context) override;
  void resume() override;
  void stop(std::function<void()> closed) override;
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  std::string describe(const Position& position) override;

 private:
  class Member;

  TableGroup(const Options& options, MakeOne make_one);
  Status begin(size_t index);
  void finished(const Status& status);
  void next();
  void closed();

  const Options options_;
  const MakeOne make_one_;
  std::vector<std::unique_ptr<Member>> members_;  // by their numbers as partitions
  size_t current_ = 0;
  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after stop()
  bool closing_ = false;        // the current one
  std::function<void()> on_closed_;
};

}  // namespace leat::table
