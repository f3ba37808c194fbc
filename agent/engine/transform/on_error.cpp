#include "transform/on_error.h"

namespace leat {

OnError::OnError(const Options& options, std::string_view stage)
    : action_(Action::kDeadLetter), stage_(stage) {
  const std::string& choice = options.string("onError");
  if (choice == "drop") action_ = Action::kDrop;
  if (choice == "fail") action_ = Action::kFail;
}

Status OnError::record_failed(const Batch& batch, size_t index, std::string_view reason,
                              DeadLetters& dead, uint64_t& dropped) const {
  switch (action_) {
    case Action::kDeadLetter:
      dead.add(batch, index, reason);
      return {};
    case Action::kDrop:
      ++dropped;
      return {};
    case Action::kFail:
      break;
  }
  return fail(ErrorKind::kData, stage_ + ": " + std::string(reason) + " (record " +
                                    std::to_string(batch.position_after(index).line) + ")");
}

}  // namespace leat
