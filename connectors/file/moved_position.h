// `leat positions reset`: the saved position of a file in another place of it.
//
// Thread: any. Blocks: a few reads of the file.
#pragma once

#include <optional>

#include "stage/source.h"

namespace leat {

// To where the line begins that holds the target, since in the middle of it a torn record would be
// read; lines are counted from there. kData when the file is not there any more as it was, or has
// no places that are known (gzip).
Result<std::optional<MovedPosition>> moved_position(const SavedPosition& saved,
                                                    const PositionTarget& target);

}  // namespace leat
