// Answers to signed commands as they are published: JSON, in parts where that is longer than a
// message may be (CONTROL_TOPIC.md). Pure. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/commands/command.h"

namespace leat::control {

// {"correlation":…,"command":…,"state":…,"result":…,"text":…,"error":{"code":…,"text":…}}
// `lines`: the result is a value a line, and becomes a list.
std::string answer_text(std::string_view correlation, std::string_view command,
                        const Answer& answer, bool lines = false);

// As it is when it fits into `limit` bytes; else {"correlation":…,"part":1,"parts":3,"data":"…"},
// each of at most that size. Joined, the data of all parts are the text. Cut between characters.
std::vector<std::string> in_parts(std::string_view correlation, std::string text, size_t limit);

}  // namespace leat::control
