// The dead letters of a pipeline on the disk: PATH, where they are appended, and PATH.1, in which
// those are that were there before PATH was full. Neither is ever changed: who follows them sees
// each letter once.
//
// What has been dealt with stands beside them, in PATH.done and PATH.1.done: for the letter that
// begins at byte n of its file, the 8 bytes from n / 64 * 8 on are its id (it was tried again and
// is done), or the complement of that (it was dropped). No line is shorter than 64 bytes, so each
// has its place; where the id is another one, the mark is that of a letter that was there before.
// So a file may be moved, emptied or replaced at any time, and at worst a letter that is done looks
// as if it were not. A mark is whole, since it lies within one sector.
//
// Thread: any, one at a time for a reader. Blocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

enum class LetterState : uint8_t { kOpen, kDone, kDropped };

struct LetterPlace {
  uint64_t file = 0;  // its inode
  uint64_t offset = 0;
};

struct LetterLine {
  std::string_view text;  // without its newline; until the next one is read
  LetterPlace place;
  uint64_t id = 0;  // 0: it has none
  LetterState state = LetterState::kOpen;
};

// Reads line by line what is there when it is opened, the oldest first; what is appended later is
// not seen. Holds as much as the longest line has.
class LetterReader {
 public:
  // From a place on, where that is still there. A file that is not there is empty.
  static Result<LetterReader> open(const std::string& path, LetterPlace from = {});
  LetterReader(LetterReader&&) noexcept;
  LetterReader& operator=(LetterReader&&) noexcept;
  ~LetterReader();

  // False: the end.
  Result<bool> next(LetterLine& line);
  // Behind the line read last.
  LetterPlace place() const;
  uint64_t bytes() const;  // of both

 private:
  struct State;
  explicit LetterReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct LetterMark {
  LetterPlace place;
  uint64_t id = 0;
  bool dropped = false;
};

// They are on the disk when it returns. Those of a file that has gone are left out.
Status mark_letters(const std::string& path, std::span<const LetterMark> marks);

}  // namespace leat
