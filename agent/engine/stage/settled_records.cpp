#include "stage/settled_records.h"

#include <algorithm>
#include <iterator>

namespace leat {

const Why* SettledRecords::refusal(const Record& record) const {
  const auto found = refused_.find(&record);
  return found == refused_.end() ? nullptr : &found->second.why;
}

Answer SettledRecords::answer(const Delivery& delivery, std::vector<Bad> bad,
                              std::vector<Bad>& refused, bool any_settled, bool stopped) {
  const bool in_doubt = stopped || (!any_settled && bad.empty() && !refused.empty());
  if (in_doubt || any_settled) {
    std::move(refused.begin(), refused.end(), std::back_inserter(bad));
    refused.clear();
    forget_refused(delivery);
  }
  if (bad.empty()) return Answer::delivered();
  std::ranges::sort(bad, {}, &Bad::first);
  Answer answer = Answer::rejected(std::move(bad));
  answer.in_doubt = in_doubt;
  return answer;
}

void SettledRecords::remember(const Delivery& delivery, const std::vector<uint32_t>& settled,
                              const std::vector<Bad>& refused) {
  if (settled.empty() && refused.empty()) return;
  std::vector<std::pair<const Record*, BatchRef>> records;
  for (const Part& part : delivery.parts)
    for (uint32_t i = 0; i < part.count; ++i)
      records.emplace_back(&part.batch->records[part.first + i], part.batch);
  for (const uint32_t record : settled) delivered_.insert(records[record]);
  for (const auto& [record, why] : refused)
    refused_.emplace(records[record].first, Refused{records[record].second, why});
}

void SettledRecords::forget_refused(const Delivery& delivery) {
  if (refused_.empty()) return;
  delivery.each_record([this](const Record& record) { refused_.erase(&record); });
}

void SettledRecords::forget(const Delivery& delivery) {
  forget_refused(delivery);
  if (delivered_.empty()) return;
  delivery.each_record([this](const Record& record) { delivered_.erase(&record); });
}

}  // namespace leat
