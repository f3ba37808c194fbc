// A dead letter in an editor.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "letters/letter.h"

namespace leat {

// Shows what is tried again of a letter in $VISUAL or $EDITOR, else vi: the payload, or with
// `at_stage`, or where there is none, the record as it was at the stage that failed. Returns the
// line of a letter that has the new text; nothing when nothing was changed. `line` is the letter's.
Result<std::optional<std::string>> edit_letter(const std::string& line, bool at_stage);

}  // namespace leat
