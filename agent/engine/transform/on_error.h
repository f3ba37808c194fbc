// `onError`: what becomes of a record that makes an expression fail. The same for every transform.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "record/batch.h"
#include "stage/dead_letter.h"

namespace leat {

inline constexpr std::string_view kOnErrorChoices[] = {"deadLetter", "drop", "fail"};

inline constexpr Option kOnErrorOption{
    .name = "onError",
    .type = OptionType::kString,
    .fallback = "deadLetter",
    .help =
        "What becomes of a record that makes an expression fail: kept as a dead letter, "
        "dropped (and counted), or the pipeline fails.",
    .choices = kOnErrorChoices};

inline constexpr Option kMaxStepsOption{
    .name = "maxSteps",
    .type = OptionType::kInteger,
    .fallback = "50000000",
    .help =
        "Steps of SQLite's virtual machine that one batch may take, so that a runaway query "
        "cannot stop the agent. A simple filter takes about 5 for each record.",
    .min = 1000};

class OnError {
 public:
  // `stage` names the transform when it fails: "filter". Dead letters carry their stage anyway.
  OnError(const Options& options, std::string_view stage);

  // Record `index` of `batch` cannot be transformed. An error return stops the pipeline. Adds to
  // `dropped` when the record is thrown away. The caller takes the record out of the batch.
  Status record_failed(const Batch& batch, size_t index, std::string_view reason, DeadLetters& dead,
                       uint64_t& dropped) const;

 private:
  enum class Action { kDeadLetter, kDrop, kFail };
  Action action_;
  std::string stage_;
};

}  // namespace leat
