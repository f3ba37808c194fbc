// Where a source can resume.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

// A place in a source's stream: everything of `partition` before `offset` has been read.
// What a partition and an offset are is the source's business (a file and a byte offset; a topic
// and a message number); only the source turns a Position into the text that is saved and back.
struct Position {
  uint32_t partition = 0;  // the source's number for a file, topic, …; not stable over restarts
  uint64_t offset = 0;
  uint64_t line = 0;  // lines (records, messages) before `offset`, for messages to people
  bool last = false;  // nothing of this partition will ever follow
};

// A position as it is saved. `partition` names the file, topic, … so that it can be found
// again after a restart; `value` is the source's own text. Both are opaque to everybody else.
// An empty partition means that there is nothing to save: the peer keeps the place (MQTT), or
// nobody does (a serial line).
struct SavedPosition {
  std::string partition;
  std::string value;
};

}  // namespace leat
