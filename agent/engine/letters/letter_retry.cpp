#include "letters/letter_retry.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "loop/pool.h"

namespace leat {
namespace {

constexpr const char* kSavedAs = "dead-letters";  // by sinks that store positions

constexpr const char* kEnded = "the pipeline has ended before all of them were tried";

// How one is named there.
std::string name_of(uint64_t id, uint32_t attempt) {
  return letter_id_text(id) + ':' + std::to_string(attempt);
}

std::vector<std::string> names_in(const std::vector<SavedPosition>& saved) {
  std::vector<std::string> out;
  for (const SavedPosition& one : saved) {
    if (one.partition != kSavedAs) continue;
    std::string_view rest = one.value;
    while (!rest.empty()) {
      out.emplace_back(rest.substr(0, rest.find(' ')));
      rest.remove_prefix(std::min(rest.size(), out.back().size() + 1));
    }
  }
  return out;
}

}  // namespace

// What the pool thread works on; one job at a time.
struct LetterRetry::Reading {
  std::string path;
  LetterFilter filter;
  size_t most_bytes = 0;  // but one line
  std::optional<LetterReader> reader;
  size_t line_bytes = 0;  // that the reader holds
  std::deque<Fetched> fetched;
  bool at_end = false;
  Status status;

  void read() {
    if (!reader) {
      Result<LetterReader> opened = LetterReader::open(path);
      if (!opened) {
        status = fail(opened.error());
        return;
      }
      reader = std::move(*opened);
    }
    size_t bytes = 0;
    LetterLine line;
    while (fetched.size() < kMostUnmarked && bytes < most_bytes) {
      Result<bool> more = reader->next(line);
      if (!more) status = fail(more.error());
      if (!more || !*more) {
        at_end = true;
        line_bytes = 0;
        reader.reset();
        return;
      }
      line_bytes = std::max(line_bytes, line.text.size());
      if (line.state != LetterState::kOpen || !filter.may_match(line.id)) continue;
      std::optional<Letter> letter = read_letter(line.text);
      if (!letter || !filter.matches(*letter)) continue;
      bytes += line.text.size();
      fetched.push_back({std::string(line.text), line.place, line.id});
    }
  }
};

// Offsets of its own, far from those of sources: keys of deliveries are made of them.
LetterRetry::LetterRetry(FeedHost& host, LetterRetrySetup setup)
    : host_(host),
      setup_(std::move(setup)),
      batches_(host),
      reading_(std::make_shared<Reading>()),
      held_(host.budget()),
      known_(names_in(host.saved())),
      offset_(uint64_t{1} << 62 | random_number() >> 3) {
  reading_->path = setup_.path;
  reading_->filter = setup_.filter;
  reading_->most_bytes = most_bytes();
  read_on();
}

LetterRetry::~LetterRetry() {
  end(fail(ErrorKind::kUnavailable, kEnded));
}

void LetterRetry::read_on() {
  std::shared_ptr<Reading> reading = std::exchange(reading_, nullptr);
  count_held();
  run_in_pool(
      host_.loop(), [reading] { reading->read(); },
      lifetime_.guard([this, reading] { have_read(reading); }));
}

void LetterRetry::have_read(const std::shared_ptr<Reading>& reading) {
  reading_ = reading;
  at_end_ = reading->at_end;
  fetched_ = std::exchange(reading->fetched, {});
  count_held();
  if (!reading->status) {
    at_end_ = true;
    result_.status = std::exchange(reading->status, {});
  }
  host_.wake();
  end_if_done();
}

Feed::Given LetterRetry::next() {
  while (!stopped_ && !over_ && tried_.size() + unmarked_.size() < kMostUnmarked &&
         tried_bytes_ < kMostBytes) {
    if (fetched_.empty()) {
      if (!at_end_ && reading_ != nullptr) read_on();
      break;
    }
    Fetched one = std::move(fetched_.front());
    fetched_.pop_front();
    std::optional<Letter> letter = read_letter(one.line);
    const uint32_t attempt = letter ? letter->attempt : 1;
    const LetterMark mark{one.place, one.id};
    if (!setup_.edited.empty()) {
      if (result_.retried > 0) {  // an older try of it, whose mark a crash has cost
        settle(mark, attempt);
        continue;
      }
      letter = read_letter(setup_.edited);
    }
    if (!letter) {
      ++result_.refused;
      note_reason(one.id, "it is no dead letter");
      continue;
    }
    if (std::ranges::find(known_, name_of(one.id, attempt)) != known_.end()) {
      ++result_.known;
      settle(mark, attempt);
      continue;
    }
    Result<Given> given = batches_.make(*letter, setup_.from, offset_ + 1);
    if (!given) {
      ++result_.refused;
      note_reason(one.id, given.error().message());
      continue;
    }
    ++result_.retried;
    offset_ = given->batch->end.offset;
    tried_.push_back({offset_, mark, attempt, std::move(letter->source),
                      std::string(letter->metadata), one.line.size()});
    tried_bytes_ += one.line.size();
    count_held();
    return std::move(*given);
  }
  count_held();
  mark();
  end_if_done();
  return {};
}

LetterRetry::Tried* LetterRetry::at(const Position& position) {
  auto found = std::ranges::lower_bound(tried_, position.offset, {}, &Tried::end);
  return found == tried_.end() ? nullptr : &*found;
}

Brought LetterRetry::brought_by(const Position& behind) {
  Tried* one = at(behind);
  if (one == nullptr) return {};
  if (std::exchange(one->named, true)) return {.metadata = one->metadata, .attempt = 1};
  return {.metadata = one->metadata, .attempt = one->attempt + 1, .letter = one->mark.id};
}

void LetterRetry::rejected(Rejection& rejection) {
  Tried* one = at(rejection.position);
  if (one == nullptr) return;
  note_reason(one->mark.id, rejection.reason);
  if (std::exchange(one->dead, true)) return;  // another record of the same payload: a new letter
  ++result_.dead_again;
  rejection.id = one->mark.id;
  rejection.attempt = one->attempt + 1;
}

void LetterRetry::acked(const Position& position) {
  while (!tried_.empty() && tried_.front().end <= position.offset) {
    tried_bytes_ -= tried_.front().bytes;
    settle(tried_.front().mark, tried_.front().attempt);
    tried_.pop_front();
  }
  count_held();
  mark();
  host_.wake();
}

void LetterRetry::settle(const LetterMark& mark, uint32_t attempt) {
  to_mark_.push_back(mark);
  unmarked_.push_back(name_of(mark.id, attempt));
}

void LetterRetry::mark() {
  if (marking_ > 0 || to_mark_.empty()) return;
  struct Job {
    std::string path;
    std::vector<LetterMark> marks;
    Status status;
  };
  auto job = std::make_shared<Job>(Job{setup_.path, std::exchange(to_mark_, {}), {}});
  marking_ = job->marks.size();
  run_in_pool(
      host_.loop(), [job] { job->status = mark_letters(job->path, job->marks); },
      lifetime_.guard([this, job] {
        unmarked_.erase(unmarked_.begin(), unmarked_.begin() + static_cast<std::ptrdiff_t>(
                                                                   std::exchange(marking_, 0)));
        if (!job->status) {
          stopped_ = true;
          fetched_.clear();
          count_held();
          result_.status = fail(ErrorKind::kUnavailable,
                                "what was tried cannot be marked, and would be tried again: " +
                                    job->status.error().message());
        }
        mark();
        host_.wake();
        end_if_done();
      }));
}

SavedPosition LetterRetry::saved_position(const Position& position) {
  if (!host_.config().delivery.exactly_once) return {};
  std::string names;
  for (const std::string& name : unmarked_) names += (names.empty() ? "" : " ") + name;
  for (const Tried& one : tried_) {
    if (one.end > position.offset) break;
    names += (names.empty() ? "" : " ") + name_of(one.mark.id, one.attempt);
  }
  return {kSavedAs, std::move(names)};
}

std::string LetterRetry::describe(const Position& position) {
  const Tried* one = at(position);
  return one == nullptr ? "a dead letter" : one->source;
}

std::string LetterRetry::metadata_of(const Position& position) {
  const Tried* one = at(position);
  return one == nullptr ? "" : one->metadata;
}

void LetterRetry::stop() {
  stopped_ = true;
  if (result_.status && (!at_end_ || !fetched_.empty()))
    result_.status = fail(ErrorKind::kUnavailable, kEnded);
  fetched_.clear();
  count_held();
}

void LetterRetry::end_if_done() {
  if (!fetched_.empty() || !tried_.empty() || !unmarked_.empty() || reading_ == nullptr) return;
  if (!at_end_ && !stopped_) return;
  end(std::move(result_.status));
  host_.wake();
}

void LetterRetry::end(Status status) {
  if (std::exchange(over_, true)) return;
  result_.status = std::move(status);
  setup_.done(std::move(result_));
}

// A few of each.
void LetterRetry::count_held() {
  size_t bytes = reading_ == nullptr ? most_bytes() : reading_->line_bytes;
  for (const Fetched& one : fetched_) bytes += sizeof one + one.line.size();
  for (const Tried& one : tried_) bytes += sizeof one + one.source.size() + one.metadata.size();
  held_.set(bytes);
}

void LetterRetry::note_reason(uint64_t id, std::string_view reason) {
  if (result_.reasons.size() < kMostReasons) result_.reasons.emplace_back(id, reason);
}

}  // namespace leat
