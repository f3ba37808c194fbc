#include "task/tap.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "base/time_format.h"

namespace leat {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kShareOfTime = 20;  // one part in so many

// Records that an expression fails for are shown to nobody.
class Nobody final : public DeadLetters {
 public:
  void add(const Batch&, size_t, std::string_view) override {}
  void add_text(std::string_view, const Position&, std::string_view) override {}
};

// The same records, to be sorted out without touching the batch; not to be kept longer than it.
BatchRef copy_of(const Batch& batch, std::vector<Record> records) {
  BatchRef out = BatchRef::make(batch.pool(), Content::kRecords);
  out->acknowledger = batch.acknowledger;
  out->begin = batch.begin;
  out->end = batch.end;
  out->arrival_us = batch.arrival_us;
  for (const ShapeRef& shape : batch.shapes()) out->adopt(shape);
  out->records = std::move(records);
  return out;
}

std::string known_stages(const std::vector<std::string>& stages) {
  std::string out;
  for (size_t i = 0; i < stages.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(i + 1) + " \"" + stages[i] + "\"";
  return out;
}

// Of several with one name the first; the others go by their numbers.
Result<size_t> find_stage(const std::string& at, const std::vector<std::string>& stages) {
  if (stages.empty())
    return fail(
        ErrorKind::kUsage,
        "there is no stage between source and sink to look behind: the sink gets what the "
        "source gives, as it is (`leat explain` shows that); a filter where \"true\" between "
        "them makes one");
  for (size_t i = 0; i < stages.size(); ++i)
    if (stages[i] == at || std::to_string(i + 1) == at) return i;
  return fail(ErrorKind::kUsage,
              "there is no stage \"" + at + "\"; there are " + known_stages(stages));
}

}  // namespace

Tap::Tap(const Clock& clock, std::shared_ptr<TapLines> lines)
    : clock_(clock), lines_(std::move(lines)), refilled_us_(clock.monotonic_us()) {
  said_skipped_us_ = refilled_us_;
}

Result<std::unique_ptr<Tap>> Tap::make(const TapRequest& request,
                                       const std::vector<std::string>& stages,
                                       size_t last_of_records, const Clock& clock,
                                       std::shared_ptr<TapLines> lines) {
  Result<size_t> stage =
      request.at.empty() && !stages.empty() ? last_of_records : find_stage(request.at, stages);
  if (!stage) return fail(stage.error());
  std::unique_ptr<Tap> tap(new Tap(clock, std::move(lines)));
  tap->stage_ = *stage;
  tap->name_ = stages[*stage];
  tap->dropped_ = request.dropped;
  tap->rate_ = tap->left_ = request.rate;
  if (request.where.empty()) return tap;
  const TransformType* filter = find_transform("filter");
  Options options(filter->options, "tap");
  options.set("where", request.where);
  Result<std::unique_ptr<Transform>> where = filter->make(options);
  if (!where) return fail(where.error());
  tap->where_ = std::move(*where);
  return tap;
}

void Tap::before(const Batch& batch) {
  if (dropped_) before_ = batch.records;
}

void Tap::behind(const Batch& batch) {
  const int64_t now_us = clock_.monotonic_us();
  refill(now_us);
  if (now_us < not_before_us_ || left_ < 1) {
    skipped_ += dropped_ ? 0 : batch.count();
    before_.clear();
    return;
  }
  show(batch);
  before_.clear();
  const int64_t done_us = clock_.monotonic_us();
  not_before_us_ = done_us + (done_us - now_us) * (kShareOfTime - 1);
}

void Tap::refill(int64_t now_us) {
  left_ = std::min(rate_, left_ + rate_ * static_cast<double>(now_us - refilled_us_) / kSecondUs);
  refilled_us_ = now_us;
  if (skipped_ == 0 || now_us - said_skipped_us_ < kSecondUs) return;
  said_skipped_us_ = now_us;
  if (lines_->give("{\"skipped\":" + std::to_string(skipped_) + "}")) skipped_ = 0;
}

void Tap::show(const Batch& batch) {
  if (!dropped_ && !where_) return give(batch);
  BatchRef shown = dropped_ ? dropped_from(batch) : BatchRef();
  if (where_) shown = kept_by_where(shown ? *shown : batch);
  if (shown) give(*shown);
}

// Null when there is nothing to be asked for fields.
BatchRef Tap::kept_by_where(const Batch& batch) {
  if (batch.content != Content::kRecords) return {};
  BatchRef out = copy_of(batch, batch.records);
  Nobody nobody;
  if (!where_->run(out, nobody)) return {};
  return out;
}

// A stage that sorts records out gives the same ones on; one that makes new ones leaves them where
// they end in the source.
BatchRef Tap::dropped_from(const Batch& behind) {
  std::unordered_set<const Value*> values;
  std::unordered_set<uint32_t> ends;
  auto note = [&](const Batch& given) {
    for (const Record& record : given.records) values.insert(record.values);
    for (size_t i = 0; i < given.count(); ++i) ends.insert(given.end_offset_of(i));
  };
  note(behind);
  if (behind.rest)
    for (const Record& record : behind.rest->records) values.insert(record.values);
  const bool same_ones = std::ranges::any_of(
      before_, [&](const Record& record) { return values.contains(record.values); });
  const uint64_t end = behind.end.offset - behind.begin.offset;
  std::vector<Record> gone;
  for (const Record& record : before_) {
    const bool there = same_ones ? values.contains(record.values)
                                 : ends.contains(record.end_offset) || record.end_offset > end;
    if (!there) gone.push_back(record);
  }
  return copy_of(behind, std::move(gone));
}

void Tap::give(const Batch& batch) {
  for (size_t i = 0; i < batch.count(); ++i) {
    std::string line = "{\"stage\":\"";
    append_json_escaped(line, name_);
    if (batch.content == Content::kRecords) {
      const Record& record = batch.records[i];
      line += '"';
      if (can_be_written(record.time_us)) line += ",\"time\":\"" + rfc3339(record.time_us) + "\"";
      line += ",\"record\":";
      append_json(line, record);
    } else {
      std::string_view bytes = batch.slices[i].view();
      while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r'))
        bytes.remove_suffix(1);
      const bool text = is_utf8(bytes);
      line += text ? "\",\"text\":\"" : "\",\"base64\":\"";
      if (text) append_json_escaped(line, bytes);
      if (!text) line += base64(bytes);
      line += '"';
    }
    line += '}';
    if (left_ < 1 || !lines_->give(std::move(line))) {
      skipped_ += batch.count() - i;
      return;
    }
    left_ -= 1;
  }
}

}  // namespace leat
