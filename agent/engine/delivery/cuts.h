// Where deliveries were cut, kept so that after a kill the same records go out under the same keys.
//
// A cut depends on time: on what had been read when a delivery lingered long enough. So each is
// noted before its first attempt, and after a restart, which begins behind the saved position, the
// same cuts are made again. The notes are not brought to the disk: they outlive the process, which
// is enough against kill -9, and cost the flash one page now and then. After a power cut they may
// be missing; then cuts and keys are new.
//
// Thread: the pipeline's loop thread. A note is one small write into the page cache.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace leat {

class Cuts {
 public:
  // The last record of a delivery: where it ends, and how many behind it end at the same place.
  struct End {
    uint64_t partition = 0;  // of its saved name
    uint64_t offset = 0;
    uint64_t behind = 0;
    bool operator==(const End&) const = default;
  };
  static uint64_t partition_of(std::string_view saved_name);

  // `path` "": nothing is kept. Its folder is made when it is missing.
  Cuts(std::string path, std::string pipeline);

  // The cuts that are to be made again, in order. Whoever makes or passes one takes it out.
  std::deque<End>& again() { return again_; }

  // Numbers of deliveries rise by one.
  uint64_t next_number() { return number_++; }
  // `oldest`: the first delivery whose position is not saved yet. What cannot be written is said
  // once; deliveries go on.
  void note(uint64_t number, uint64_t oldest, const End& end);

 private:
  void load();
  void failed(int error);

  const std::string path_;
  const std::string pipeline_;
  uint64_t number_ = 1;
  std::deque<End> again_;
  bool said_ = false;
};

}  // namespace leat
