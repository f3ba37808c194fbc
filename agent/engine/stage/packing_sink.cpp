#include "stage/packing_sink.h"

#include <algorithm>
#include <utility>

namespace leat {
namespace {

// Bytes that are packed in a turn, or one slice of them.
constexpr size_t kQuantum = 64 * 1024;

// The records of a delivery as one batch, each by its number.
BatchRef gathered(const Delivery& delivery) {
  BatchRef out = BatchRef::make(delivery.parts[0].batch->pool(), Content::kRecords);
  out->arrival_us = delivery.parts[0].batch->arrival_us;
  out->records.reserve(delivery.records);
  for (const Part& part : delivery.parts)
    for (const ShapeRef& shape : part.batch->shapes()) out->adopt(shape);
  delivery.each_record([&out](const Record& record) {
    out->records.push_back(record);
    out->records.back().end_offset = out->records.back().end_line =
        static_cast<uint32_t>(out->records.size());
  });
  out->end.offset = out->records.size();
  out->quantum = kQuantum;
  out->charge_vectors();
  return out;
}

}  // namespace

// What the inner sink is told: all as the outer one is, but for what stands around a document.
class PackingSink::Context final : public SinkContext {
 public:
  explicit Context(SinkContext& outer) : outer_(outer) {}
  void set_encoder(const Encoder& encoder) { encoder_ = &encoder; }

  Loop& loop() override { return outer_.loop(); }
  const std::string& pipeline() override { return outer_.pipeline(); }
  const std::string& agent() override { return outer_.agent(); }
  Budget& budget() override { return outer_.budget(); }
  DocumentWrap wrap() override { return outer_.format()->wrap(encoder_); }
  const WriteFormat* format() override { return outer_.format(); }
  Result<std::unique_ptr<Encoder>> new_encoder() override { return outer_.new_encoder(); }
  bool began_anew() override { return outer_.began_anew(); }
  Channels* channels() override { return outer_.channels(); }
  Caches* caches() override { return outer_.caches(); }
  SinkLane lane() override { return outer_.lane(); }
  uint64_t fence() override { return outer_.fence(); }

 private:
  SinkContext& outer_;
  const Encoder* encoder_ = nullptr;
};

// By the numbers that the records have in the delivery.
class PackingSink::Refusals final : public DeadLetters {
 public:
  explicit Refusals(Job& job) : job_(job) {}
  void add(const Batch&, size_t index, std::string_view reason) override {
    job_.bad.emplace_back(static_cast<uint32_t>(job_.taken + index),
                          Why(std::string(reason), "encode"));
  }
  void add_text(std::string_view, const Position&, std::string_view) override {}

 private:
  Job& job_;
};

PackingSink::PackingSink(std::unique_ptr<Sink> inner) : inner_(std::move(inner)) {}
PackingSink::~PackingSink() = default;

Status PackingSink::open(SinkContext& context) {
  context_ = std::make_unique<Context>(context);
  Result<std::unique_ptr<Encoder>> made = context.new_encoder();
  if (!made) return fail(made.error());
  encoder_ = std::move(*made);
  context_->set_encoder(*encoder_);
  held_ = Charge(context.budget());
  turn_.emplace(context.loop());
  opened_ = true;
  return inner_->open(*context_);
}

void PackingSink::deliver(const Delivery& delivery, Done done) {
  if (delivery.records == 0) return inner_->deliver(delivery, std::move(done));
  to_pack_.push_back(&jobs_.emplace_back(Job{.records = &delivery, .done = std::move(done)}));
  if (!turn_->active()) turn_->start_next_turn([this] { turn(); });
}

void PackingSink::turn() {
  Job& job = *to_pack_.front();
  if (!job.left && job.taken == 0) job.left = gathered(*job.records);
  std::optional<Answer> refused = pack(job);
  held_.set(encoder_->held());
  const bool ready = refused || !job.left;
  if (ready) to_pack_.pop_front();
  if (!to_pack_.empty()) turn_->start_next_turn([this] { turn(); });
  if (refused) return answer(job, std::move(*refused));
  if (ready) hand_on(job);
}

// A slice or so of what is left. An answer: this delivery goes no further.
std::optional<Answer> PackingSink::pack(Job& job) {
  const size_t before = job.left->records.size();
  job.left->begin_stage();
  Refusals refusals(job);
  Result<BatchRef> encoded = encoder_->encode(*job.left, refusals);
  if (!encoded) return Answer::failed(encoded.error().message());
  if (!*encoded) return Answer::retry("the format waits for what is not here");
  BatchRef& made = *encoded;
  const auto count = static_cast<uint32_t>(made->slices.size());
  for (const Slice& slice : made->slices) job.packed.bytes += slice.size;
  made->charge_vectors();
  job.packed.parts.push_back({made, 0, count});
  job.packed.records += count;
  const size_t done = before - made->not_encoded;
  job.taken += done;
  if (made->not_encoded == 0) {
    job.left.reset();
  } else {
    job.left->leave_records(done);
    job.left = std::exchange(job.left->rest, {});  // or they would hold each other
    job.left->charge_vectors();
  }
  if (job.left || job.bad.empty()) return std::nullopt;
  return Answer::rejected(std::move(job.bad));
}

void PackingSink::hand_on(Job& job) {
  job.packed.key = job.records->key;
  job.packed.positions = job.records->positions;
  inner_->deliver(job.packed, [this, &job](Answer said) {
    // Of slices: which records they were only single ones tell.
    if (job.packed.records != job.records->records) {
      said.bad_records.clear();
      said.bad_reasons.clear();
      said.only_the_first = false;
    }
    answer(job, std::move(said));
  });
}

void PackingSink::answer(Job& job, Answer answer) {
  Done done = std::move(job.done);
  std::erase_if(jobs_, [&job](const Job& one) { return &one == &job; });
  done(std::move(answer));  // may destroy this
}

// What the inner sink has is kept until it is closed.
void PackingSink::close(std::function<void()> closed) {
  turn_.reset();
  to_pack_.clear();
  if (!opened_) return closed();
  inner_->close(std::move(closed));
}

}  // namespace leat
