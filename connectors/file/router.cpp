#include "connectors/file/router.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "stage/dead_letter.h"

namespace leat::file {
namespace {

// Of one batch that is encoded, by the numbers that its records have in the delivery.
struct Refusals final : DeadLetters {
  explicit Refusals(std::vector<uint32_t> of) : numbers(std::move(of)) {}
  void add(const Batch&, size_t index, std::string_view reason) override {
    bad.emplace_back(numbers[index], Why(std::string(reason), "encode"));
  }
  void add_text(std::string_view, const Position&, std::string_view) override {}

  const std::vector<uint32_t> numbers;
  std::vector<std::pair<uint32_t, Why>> bad;
};

const ShapeRef& owner_of(const Delivery& delivery, const Shape* shape) {
  for (const Part& part : delivery.parts)
    for (const ShapeRef& one : part.batch->shapes())
      if (one.get() == shape) return one;
  std::abort();  // a record whose shape nobody keeps alive
}

}  // namespace

std::shared_ptr<RoutedDelivery> Router::route(const Delivery& delivery) {
  auto out = std::make_shared<RoutedDelivery>();
  if (!find_paths(delivery, *out)) return out;
  out->own.key = delivery.key;
  // One batch for all, and not one a path, of which each would take a block of memory.
  BatchRef written = BatchRef::make(delivery.parts[0].batch->pool(), Content::kSlices);
  written->slices.reserve(items_.size());
  for (size_t i = 0; i < firsts_.size(); ++i)
    if (!encode(delivery, i, written, *out)) break;
  written->charge_vectors();
  return out;
}

// False when one has none.
bool Router::find_paths(const Delivery& delivery, RoutedDelivery& out) {
  std::vector<std::pair<uint32_t, Why>> bad;
  std::map<std::string, size_t> routes;
  size_t at = 0;  // the route of the record before
  items_.clear();
  firsts_.clear();
  delivery.each_record([&](const Record& record) {
    const auto number = static_cast<uint32_t>(items_.size());
    items_.push_back({&record, kEnd, number});
    Status found = path_.find(record);
    if (!found) return bad.emplace_back(number, Why(found.error().message(), "path")), void();
    const std::string& path = path_.path();
    if (out.routes.empty() || out.routes[at].path != path) {
      at = routes.emplace(path, out.routes.size()).first->second;
      if (at == out.routes.size()) {
        out.routes.push_back({.path = path});
        return firsts_.push_back(number);
      }
    }
    Item& first = items_[firsts_[at]];
    items_[std::exchange(first.last, number)].next = number;
  });
  if (!path_.missed().empty() && !std::exchange(warned_, true))
    log::warn(context_.pipeline(), "file: at least one record has no field \"" +
                                       excerpt(path_.missed()) +
                                       "\", which is in the path; it is taken for null");
  if (!bad.empty()) out.refused = Answer::rejected(std::move(bad));
  return !out.refused;
}

// The records of a route.
bool Router::encode(const Delivery& delivery, size_t at, const BatchRef& written,
                    RoutedDelivery& out) {
  RoutedDelivery::Route& route = out.routes[at];
  BatchRef group = BatchRef::make(written->pool(), Content::kRecords);
  std::vector<uint32_t> numbers;
  const Shape* shape = nullptr;
  for (uint32_t number = firsts_[at]; number != kEnd; number = items_[number].next) {
    const Record& record = *items_[number].record;
    if (record.shape != shape) group->adopt(owner_of(delivery, shape = record.shape));
    group->records.push_back(record);
    numbers.push_back(number);
  }
  Refusals refusals(std::move(numbers));
  Result<Encoder*> encoder = encoder_for(route.path);
  Result<BatchRef> encoded =
      encoder ? (*encoder)->encode(*group, refusals) : Result<BatchRef>(fail(encoder.error()));
  if (!encoded)
    out.refused = Answer::failed(encoded.error().message());
  else if (!*encoded)
    out.refused = Answer::retry("the format waits for what is not here");
  else if (!refusals.bad.empty())  // those of other files are found when these are taken out
    out.refused = Answer::rejected(std::move(refusals.bad));
  if (out.refused) return false;
  const auto begin = static_cast<uint32_t>(written->slices.size());
  for (const Slice& slice : (*encoded)->slices)
    written->slices.push_back({written->arena.copy(slice.view()).data(), slice.size, 0, 0});
  const auto count = static_cast<uint32_t>(written->slices.size()) - begin;
  out.own.parts.push_back({written, begin, count});
  out.own.records += count;
  route.opening = context_.format()->wrap(*encoder).open;
  return true;
}

Result<Encoder*> Router::encoder_for(const std::string& path) {
  auto known = std::ranges::find(encoders_, path, &Known::path);
  if (known == encoders_.end()) {
    if (encoders_.size() >= most_)
      encoders_.erase(std::ranges::min_element(encoders_, {}, &Known::used));
    Result<std::unique_ptr<Encoder>> made = context_.new_encoder();
    if (!made) return fail(made.error());
    encoders_.push_back({path, std::move(*made), 0});
    known = encoders_.end() - 1;
  }
  known->used = ++uses_;
  return known->encoder.get();
}

}  // namespace leat::file
