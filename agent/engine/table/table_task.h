// One task of a TableGroup: a table, or a range of one. It waits, is read, and has ended; one that
// has failed may wait again, and is then read on from behind the last row that it gave.
//
// Of the source's context it sees all but the end, which is its own.
//
// Thread and lifetime: as of the group.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage/source.h"
#include "table/position.h"
#include "table/table_source.h"

namespace leat::table {

class TableTask;

class TableTaskOwner {
 public:
  virtual ~TableTaskOwner() = default;
  // It has given its last batch; or has failed, and is to be stopped, too.
  virtual void ended(TableTask& task, const Status& status) = 0;
  // It gave something.
  virtual void gave() = 0;
  virtual void has_read(uint64_t bytes) = 0;
};

class TableTask final : public SourceContext {
 public:
  // `number`: its partition of the source. `expected`: as SourceTask's.
  TableTask(TableTaskOwner& owner, size_t number, std::string table, Part part, uint64_t expected);

  const std::string& table() const { return table_; }
  const Part& part() const { return part_; }
  const SourceTask& status() const { return status_; }
  ErrorKind kind() const { return kind_; }  // of why it failed
  size_t memory() const { return sizeof(TableTask) + status_.name.capacity() + table_.capacity(); }

  // Where it is read: as one of so many readers of a context, and one of all of the group.
  struct Place {
    SourceContext* context;
    size_t reader;
    size_t readers;
    size_t number;
  };
  Status begin(std::unique_ptr<TableSource> source, const Place& place);
  const Place& place() const { return place_; }
  TableSource* source() const { return source_.get(); }
  bool is_read() const { return status_.state == SourceTask::State::kRunning; }
  void end(const Status& status);
  // It has failed, and is to be begun once more, not before `due` on the loop's clock; and when all
  // that it gave is acknowledged.
  void wait_until(Milliseconds due);
  Milliseconds due() const { return due_; }
  bool may_begin_again(Milliseconds now) const { return source_ == nullptr && due_ <= now; }
  size_t failures() const { return failures_; }
  // Its source is stopped: what it is asked for of positions may be over.
  void stopped();

  void acked(const Position& position);
  SavedPosition saved_position(const Position& position);
  std::string describe(const Position& position);

  // SourceContext.
  Loop& loop() override { return all().loop(); }
  const std::string& pipeline() override { return all().pipeline(); }
  const std::string& agent() override { return all().agent(); }
  bool exactly_once() override { return all().exactly_once(); }
  size_t batch_bytes() const override;
  Budget& budget() override { return all().budget(); }
  const Framing* framing() override { return all().framing(); }
  bool needs_preamble() override { return all().needs_preamble(); }
  bool passes_rows() override { return all().passes_rows(); }
  const std::vector<SavedPosition>& saved() override;
  const std::vector<SavedPosition>& noted() override;
  BatchRef new_batch_for(size_t /*reader*/, Content content) override {
    return all().new_batch_for(place_.reader, content);
  }
  void emit(BatchRef batch) override;
  void finished(Status status) override { owner_.ended(*this, status); }
  void in_flight_full(bool full, Milliseconds patience) override {
    all().in_flight_full(full, patience);
  }
  void save(SavedPosition what, std::function<void(Status)> done) override {
    all().save(std::move(what), std::move(done));
  }
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override {
    all().note(std::move(what), survives, std::move(done));
  }
  void progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) override;

 private:
  SourceContext& all() { return *place_.context; }
  void leave_for(SourceContext& other);
  Position of_source(Position position) const;
  void let_go();

  TableTaskOwner& owner_;
  const uint32_t number_;
  const std::string table_;
  const Part part_;
  SourceTask status_;
  ErrorKind kind_ = ErrorKind::kFatal;
  size_t failures_ = 0;
  Milliseconds due_{0};
  Place place_{};
  std::unique_ptr<TableSource> source_;  // while it is read, and until all of it is acknowledged
  bool stopped_ = false;
  uint64_t bytes_ = 0;    // that `source_` has read
  uint64_t before_ = 0;   // rows that others have given before it
  uint64_t emitted_ = 0;  // rows, of all of them
  uint64_t acked_ = 0;
  std::vector<SavedPosition> stands_at_;  // behind these; empty: as the context says
};

}  // namespace leat::table
