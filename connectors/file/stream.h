// A file as the source follows it: what was read of it, under which partition, and what is left of
// a record that is not complete yet.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "connectors/file/input_file.h"
#include "record/position.h"
#include "stage/source.h"

namespace leat {

// Not `Stream`: that is the network one (agent/core/net), and the linker would take one for the
// other.
struct InputStream {
  std::string path;
  std::shared_ptr<InputFile> file;
  uint32_t partition = 0;
  FileIdentity identity;      // fixed by the first bytes read: head_bytes is 0 until then
  uint64_t line = 0;          // where reading began; later lines are counted by the engine
  uint64_t start = 0;         // where the first read begins (resuming); 0 after it
  std::string carry;          // bytes of a record whose end has not been read
  bool at_start = true;       // nothing read yet: a byte order mark may follow
  bool preamble_due = false;  // the decoder must see the start before it sees the middle
  bool skipping = false;      // inside a record that is too long, until its end
  bool dirty = true;          // there may be something to read
  bool ended = false;         // everything was read and emitted
  bool rotated = false;       // its name belongs to another file now, or it was deleted
  int64_t rotated_us = 0;     // when that, or the last data after it, was seen
};

// What became of the bytes of one read.
struct Pieces {
  std::span<char> whole;  // whole records, to be emitted
  uint64_t offset = 0;    // where they begin in the file
  std::string_view
      too_long;  // what was read of a record longer than allowed; starts behind `whole`
};
// Cuts `bytes` (the carry and what was just read, up to file->offset()) into whole records and a
// new carry. Drops a byte order mark at the start of the file, and the rest of a record that was
// given up. At the `end` the last record is completed: one byte of room must lie behind `bytes`.
Pieces cut_records(InputStream& stream, std::span<char> bytes, bool end, const Framing& framing,
                   size_t max_record);

// How a stream stands in the journal. `partition` is the identity; `value` the path, the offset,
// the line, and a hash of the bytes before the offset, as JSON.
SavedPosition to_saved(const InputStream& stream, const Position& position);

struct ResumePoint {
  FileIdentity identity;
  std::string path;
  uint64_t offset = 0;
  uint64_t line = 0;
  uint64_t hash_before = 0;
};
// False when the text is not of this form (a journal of another source type).
bool from_saved(const SavedPosition& saved, ResumePoint& out);

// True when `file` is the one that was saved, and still has what was read of it.
bool is_same_file(const InputFile& file, const ResumePoint& point);

}  // namespace leat
