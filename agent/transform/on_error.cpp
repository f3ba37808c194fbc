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
  std::string message = stage_ + ": " + std::string(reason);
  switch (action_) {
    case Action::kDeadLetter:
      dead.add(batch, index, message);
      return {};
    case Action::kDrop:
      ++dropped;
      return {};
    case Action::kFail:
      break;
  }
  uint64_t line = batch.position_after(index).line;
  return fail(ErrorKind::kData, message + " (record " + std::to_string(line) + ")");
}

}  // namespace leat
