// What the transforms have in common that hold records back: of what they take some pass at once,
// and what is held passes later, maybe when nothing comes any more.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <string_view>
#include <vector>

#include "transform/held_record.h"
#include "transform/remembering.h"

namespace leat {

class Holding : public Remembering {
 public:
  // Without records: what is due() is given, in turns.
  Status run(BatchRef& batch, DeadLetters& dead) override;
  size_t held() const override { return Remembering::held() + heap_bytes_of(out_); }

 protected:
  using Entry = KeyedState::Entry;
  using Remembering::Remembering;

  virtual void begin() {}
  // Record i of the batch passes, is held, or is left out.
  virtual void take(size_t i, DeadLetters& dead) = 0;
  // Gives what is held for long enough, as long as may_give().
  virtual void give_due() = 0;

  bool may_give() const { return batch_->made < enough_; }
  void pass(const Record& record) { out_.push_back(record); }
  // What put_record() has written. Before the record at hand, and ends where that does.
  void give(std::string_view held);

  Batch* batch_ = nullptr;  // at hand

 private:
  HeldRecords records_;
  std::vector<Record> out_;
  size_t enough_ = 0;  // Batch::made, at which the others wait for another turn
  uint32_t end_offset_ = 0;
  uint32_t end_line_ = 0;
};

}  // namespace leat
