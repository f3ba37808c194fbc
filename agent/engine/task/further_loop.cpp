#include "task/further_loop.h"

#include <algorithm>

namespace leat {

Result<std::unique_ptr<FurtherLoop>> FurtherLoop::make(const PipelineConfig& config,
                                                       const Plan& plan,
                                                       const std::vector<ParallelRun>& runs,
                                                       CodecContext& codecs) {
  std::unique_ptr<FurtherLoop> made(new FurtherLoop(codecs.loop().clock()));
  FurtherLoop* loop = made.get();
  Rejections rejections{.add = [loop](const Rejection& rejection) { loop->refuse(rejection); },
                        .full = [loop] { return loop->refused_.size() >= kMostRefused; }};
  Result<Chain> chain =
      Chain::make(config, plan, std::move(rejections), SIZE_MAX, codecs, runs, true);
  if (!chain) return fail(chain.error());
  loop->chain_.emplace(std::move(*chain));
  loop->thread_ = std::make_unique<JobThread>(codecs.loop(), "leat-parallel", kMost);
  return made;
}

void FurtherLoop::give(std::shared_ptr<Parcel> parcel, std::function<void()> done) {
  thread_->submit([this, parcel = std::move(parcel)] { run(*parcel); }, std::move(done));
}

void FurtherLoop::run(Parcel& parcel) {
  if (parcel.unwanted) return;
  const int64_t begun_us = clock_.monotonic_us();
  parcel_ = &parcel;
  budget_.set_limit(parcel.share);
  chain_->set_quantum(parcel.quantum);
  lent_ = BatchRef::make(pool_, Content::kRecords);
  lent_->records = std::move(parcel.records);
  for (const ShapeRef& shape : parcel.shapes) lent_->adopt(shape);
  lent_->acknowledger = parcel.acknowledger;
  lent_->begin = parcel.begin;
  lent_->end = parcel.end;
  lent_->arrival_us = parcel.arrival_us;
  lent_->made = parcel.made;
  // The task's batch has the memory itself.
  static const char borrowed = 0;
  if (parcel.borrows) lent_->borrow({std::shared_ptr<void>(), &borrowed}, 0);
  run_all(parcel);
  refused_.clear();
  lent_.reset();
  parcel.counters = chain_->take_counters();
  parcel.held = chain_->held();
  parcel_ = nullptr;
  parcel.busy_us = clock_.monotonic_us() - begun_us;
}

// In turns. What is left when this has made as much as was expected, or rejected too many, is run
// at home.
void FurtherLoop::run_all(Parcel& parcel) {
  std::vector<ChainLeft> out;
  const size_t behind = chain_->behind_run(parcel.first);
  chain_->take(lent_, parcel.first);
  while (chain_->busy() && !parcel.unwanted) {
    if (!out.empty() && (budget_.used() >= parcel.charged || refused_.size() >= kMostRefused))
      break;
    Result<BatchRef> piece = chain_->next();
    if (!piece) {
      parcel.status = fail(piece.error());
      break;
    }
    out.push_back({std::move(*piece), behind});
  }
  for (ChainLeft& left : chain_->take_left()) {
    left.here = true;
    out.push_back(std::move(left));
  }
  // Nothing is made in these any more.
  for (const ChainLeft& one : out) add(one);
  for (const Refused& one : refused_) {
    size_t bytes = 0;
    Parcel::Refused& refused = parcel.refused[one.of];
    refused.memory = memory_of(one.in, bytes);
  }
}

// None that is made there has slices of a source.
Parcel::Of FurtherLoop::of(const Batch& batch) const {
  if (&batch == &*lent_) return Parcel::Of::kLent;
  return &batch.source_holder() == &*lent_ ? Parcel::Of::kRest : Parcel::Of::kOther;
}

void FurtherLoop::add(const ChainLeft& out) {
  Parcel::Piece piece;
  piece.records = std::move(out.batch->records);
  piece.shapes = out.batch->shapes();
  piece.begin = out.batch->begin;
  piece.end = out.batch->end;
  piece.made = out.batch->made;
  piece.step = out.step;
  piece.here = out.here;
  piece.of = of(*out.batch);
  piece.memory = memory_of(out.batch, piece.bytes);
  parcel_->pieces.push_back(std::move(piece));
}

Memory FurtherLoop::memory_of(const BatchRef& batch, size_t& bytes) {
  const size_t before = budget_.used();
  Memory memory = batch->give_away_memory();
  bytes = before - budget_.used();
  std::erase_if(memory, [](const auto& piece) { return piece.use_count() == 0; });
  return memory;
}

void FurtherLoop::refuse(const Rejection& rejection) {
  const Batch& batch = *rejection.batch;
  const Record& record = batch.records[rejection.index];
  Parcel::Refused refused{.step = rejection.step - 1,
                          .reason = std::string(rejection.reason),
                          .begin = batch.begin,
                          .end = batch.end,
                          .of = of(batch),
                          .record = record,
                          .shape = {},
                          .memory = {}};
  for (const ShapeRef& shape : batch.shapes())
    if (shape.get() == record.shape) refused.shape = shape;
  const auto ends_there = [&](size_t i) {
    return i < batch.records.size() && batch.records[i].end_offset == record.end_offset;
  };
  refused.alone =
      !(rejection.index > 0 && ends_there(rejection.index - 1)) && !ends_there(rejection.index + 1);
  refused_.push_back({parcel_->refused.size(), BatchRef(const_cast<Batch*>(&batch))});
  parcel_->refused.push_back(std::move(refused));
}

}  // namespace leat
