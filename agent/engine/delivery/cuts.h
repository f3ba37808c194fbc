// Where deliveries were cut, kept so that after a kill the same records go out under the same keys.
//
// A cut depends on time: on what had been read when a delivery lingered long enough. So each is
// noted before its first attempt, and after a restart, which begins behind the saved position, the
// same cuts are made again. The notes are not brought to the disk: they outlive the process, which
// is enough against kill -9, and cost the flash one page now and then. After a power cut they may
// be missing; then cuts and keys are new.
//
// What was tried as it came from its source, and is in the spool now, comes from there after a
// restart, where nobody knows its place in the source. So its key is noted, too, with its numbers
// in the spool. A number that was noted is never given to another record, also when nothing came
// into the journal under it.
//
// Thread: the pipeline's loop thread. A note is one small write into the page cache.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace leat {

// The last record of a delivery: where it ends, and how many behind it end at the same place.
struct CutEnd {
  uint64_t partition = 0;  // of its saved name
  uint64_t offset = 0;
  uint64_t behind = 0;
  bool operator==(const CutEnd&) const = default;
};

// Its records [first, end) in a spool, and the key under which they were tried before.
struct CutSpooled {
  uint64_t partition = 0;  // 0: they are in none
  uint64_t first = 0;
  uint64_t end = 0;
  std::array<uint8_t, 16> key{};
  bool operator==(const CutSpooled&) const = default;
};

struct FormerCut {
  uint64_t number = 0;  // which a delivery that is cut there again has, too
  CutEnd end;           // of partition 0: it has no lasting place in its source
  CutSpooled spooled = {};
  bool operator==(const FormerCut&) const = default;
};

class Cuts {
 public:
  using End = CutEnd;
  using Spooled = CutSpooled;
  using Former = FormerCut;
  // So many deliveries are kept.
  static constexpr uint64_t kKept = 128;
  static uint64_t partition_of(std::string_view saved_name);

  // `path` "": nothing is kept. Its folder is made when it is missing.
  Cuts(std::string path, std::string pipeline);
  ~Cuts();
  Cuts(const Cuts&) = delete;
  Cuts& operator=(const Cuts&) = delete;

  // The cuts that are to be made again, in order. Whoever makes or passes one takes it out.
  std::deque<Former>& again() { return again_; }
  // The spool holds records [first, end) of `partition`: what was noted of others in spools is
  // forgotten. The number behind all that were ever noted of it.
  uint64_t spool_holds(uint64_t partition, uint64_t first, uint64_t end);

  // Numbers of deliveries rise by one.
  uint64_t next_number() { return number_++; }
  // `oldest`: the first delivery whose position is not saved yet. What cannot be written is said
  // once; deliveries go on.
  void note(uint64_t number, uint64_t oldest, const End& end, const Spooled& spooled = {});

 private:
  void load();
  bool open_file(uint64_t number);
  void failed(int error);

  const std::string path_;
  const std::string pipeline_;
  uint64_t number_ = 1;
  std::deque<Former> again_;
  std::deque<Spooled> spooled_;  // of all that is noted, as it was at the start
  int fd_ = -1;
  uint64_t opened_for_ = 0;  // the number of the first note since
  bool said_ = false;
};

}  // namespace leat
