// A file as the source follows it: what was read of it, under which partition.
//
// What is left of a record that is not complete yet stays in the file, and is read again when more
// has come: many files may end in long unfinished lines. Only of a compressed one, which cannot be
// read backwards, it is kept; of those one at a time is read.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/file/input_file.h"
#include "loop/folder_watch.h"
#include "record/position.h"
#include "stage/record_limit.h"
#include "stage/source.h"

namespace leat {

// How far a file was read, and what tells that it still is that file, with what was read of it.
struct ReadSoFar {
  FileIdentity identity;  // head_bytes is 0 until there was something to read
  uint64_t offset = 0;    // of the content
  uint64_t before = 0;    // InputFile::hash_before(offset)
};
// The one answer to whether `file` is the one that was read so far, and not another, one that was
// rewritten, or one that was cut: while following it and after a restart.
bool still_holds(const InputFile& file, const ReadSoFar& read);

struct ResumePoint : ReadSoFar {
  std::string path;  // under which it was opened for the first time, by whichever process
  uint64_t line = 0;
  uint64_t file_system = 0;  // InputFile::file_system(); 0: not known
  std::string folder;        // InputFile::folder(); kOfPath: that of `path`; "": not known
  bool drained = false;      // by this process: nothing more of it is to be read
  bool unended = false;      // InputStream::unended

  static constexpr std::string_view kOfPath = ".";
  // The folder it lay in, as far as is known, by which it is looked for when its path leads to
  // another file.
  std::string home() const;
};

// Not `Stream`: that is the network one (agent/core/net), and the linker would take one for the
// other.
struct InputStream : ReadSoFar {
  std::string path;        // where it is now, as far as is known
  std::string first_path;  // ResumePoint::path; "" when it is `path`
  FileKey key;
  uint64_t file_system = 0;
  std::string folder;               // ResumePoint::folder
  std::shared_ptr<InputFile> file;  // null: closed for now
  uint32_t partition = 0;
  uint32_t seen = 0;       // in this pass of FileSet
  uint64_t line = 0;       // where reading began; later lines are counted by the engine
  size_t capacity = 0;     // bytes that the next read asks for
  size_t unfinished = 0;   // bytes behind `offset` that were seen and are no whole record
  int64_t rotated_us = 0;  // when its rotation, or the last data after it, was seen
  uint64_t hole = 0;       // NULs before `offset` of a hole that has not ended yet
  std::string carry;       // gzip: the unfinished bytes
  uint64_t inflated = 0;   // gzip: bytes of the file itself that were read
  // offset → hash before it, of places that may have to be saved; ascending
  std::vector<std::pair<uint64_t, uint64_t>> places;
  std::unique_ptr<FileWatch> watch;        // when no folder tells that it grows
  std::list<InputStream*>::iterator turn;  // in OpenFiles, while `file` is there

  bool gzip = false;
  bool hard_linked = false;   // it has several names, perhaps in folders that nobody watches
  bool probed = false;        // it is known whether it was read before
  bool met = false;           // probed again, as it was empty then
  bool resumed = false;       // it was
  bool at_start = true;       // nothing given yet: a byte order mark may follow
  bool preamble_due = false;  // the decoder must see the start before it sees the middle
  size_t preamble = 0;        // bytes that are read for that; 0: as many as for a batch
  GivenUp given_up;           // the record that was too long
  bool unended = false;       // at `offset`, behind a last line without an end that was given on
  bool queued = false;        // its turn to be read will come
  bool grew = false;          // since it was read last
  bool ended = false;         // everything was read and emitted
  bool rotated = false;       // its name belongs to another file now, or it was deleted
  bool ending = false;        // rotated, and nothing came for long enough
  bool lost = false;          // it is not at its path, and is looked for or was not found
  bool deleted = false;       // it has no name any more
  bool said_cr_only = false;  // that its lines end with '\r'
  bool cut = false;           // what was read of it is not there any more

  const std::string& opened_as() const { return first_path.empty() ? path : first_path; }
  void rename(const std::string& to);
  // It was seen in this folder; "" tells nothing.
  void lies_in(const std::string& where);
  // Goes on where another process, or this one before, has come to.
  void resume(const ResumePoint& point);
  ResumePoint point() const;
  void note_place(uint64_t at, uint64_t hash);
  void forget_places(uint64_t until);
};
using StreamRef = std::shared_ptr<InputStream>;

// What became of the bytes of one read.
struct Pieces {
  std::span<char> whole;  // whole records, to be emitted
  uint64_t offset = 0;    // where they begin in the file
  // Before them: what was appended to a last line after that had been given on. It is no record,
  // whatever it looks like.
  std::string_view rest_of_line;
  std::string_view torn;      // behind `whole`: a line that ends in a hole
  std::string_view too_long;  // what there was of a record longer than allowed, behind `whole`
  uint64_t hole = 0;          // NULs of a hole that was skipped and ended before byte hole_end
  uint64_t hole_end = 0;
  bool more = false;  // `done` is at a hole, or behind what is too long, and not at the end
  uint64_t done = 0;  // where reading goes on; less than that is not to be read again
};
// Cuts `bytes`, which begin at `offset`, into whole records. Drops a byte order mark at the start
// of the file, the rest of a record that was given up, and holes of NULs between lines. At the
// `end` the last record is completed, and InputStream::unended says so: Framing::terminator() must
// have room behind `bytes`.
Pieces cut_records(InputStream& stream, uint64_t offset, std::span<char> bytes, bool end,
                   const Framing& framing, size_t max_record);

// How a stream stands in the journal. `partition` is the identity. `value` says, as JSON: the
// offset, the line, a hash of the bytes before the offset, and the path under which the file was
// first opened, with its file system and the folder it lies in: symbolic links in the path may lead
// elsewhere when the position is needed. "unended" says that the last line had no end yet.
SavedPosition to_saved(InputStream& stream, const Position& position);
SavedPosition to_saved(const ResumePoint& point);
// False when the text is not of this form (a journal of another source type).
bool from_saved(const SavedPosition& saved, ResumePoint& out);

}  // namespace leat
