// What an operator asks of dead letters: the running agent answers over its socket
// (control/commands/letter_commands.cpp), and where none runs the command line does the same.
// Answers are JSON, or JSON lines.
//
// Thread: any. Blocks: up to all of the files is read, a piece at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "letters/letter.h"
#include "plan/pipeline_config.h"

namespace leat {

// Where the letters of a pipeline are.
struct LetterBox {
  std::string pipeline;
  std::string path;
};

// Of all pipelines of a configuration, and of those of which there are files in the data folder.
// `pipeline`: only that one; kUsage: there is none.
Result<std::vector<LetterBox>> letter_boxes(const std::vector<PipelineConfig>& pipelines,
                                            const std::string& data_dir,
                                            const std::string& pipeline);

// As in a query: ids (of 16 digits, with commas), stage, reason, before (microseconds).
using LetterParameters = std::function<std::string_view(std::string_view name)>;
Result<LetterFilter> letter_filter(const LetterParameters& parameter);

// {"deadLetters":[…]}: of each how many there are, and of the open ones why.
Result<std::string> list_letters(const std::vector<LetterBox>& boxes);

// Those that are open (with `all`: all) and match, as they stand in the file; at most `most`, and
// about 1 MiB. The last line is {"next":"…"}, to be given as `from` for the next ones; {} at the
// end.
Result<std::string> some_letters(const LetterBox& box, const LetterFilter& filter,
                                 std::string_view from, uint64_t most, bool all);

// Marks those that are open and match: {"pipeline":…,"dropped":…}.
Result<std::string> drop_letters(const LetterBox& box, const LetterFilter& filter);

}  // namespace leat
