// Writes deliveries to a series of files: the one being written is a PartFile; when it is full or
// old, or at the end, it is finished and gets its name.
//
// Names: `path` itself without rotation, `<stem>-<UTC time>-<number><suffix>` with it. A finished
// file never replaces another: when `path` is taken, the file gets a name of the second form.
//
// Thread: one at a time (the pool); cancel() from any. It blocks.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "part_file.h"
#include "stage/sink.h"

namespace leat::file {

struct Times {
  int64_t unix_us;
  int64_t monotonic_us;
};

class SeriesWriter {
 public:
  struct Settings {
    std::string path;
    RecordEnd record_end = RecordEnd::kNewline;
    bool sync = true;
    uint64_t rotate_bytes = 0;  // 0: not by size
    int64_t rotate_age_us = 0;  // 0: not by age
  };

  explicit SeriesWriter(Settings settings)
      : settings_(std::move(settings)),
        part_(settings_.path, settings_.record_end, settings_.sync) {}

  // What a person must mend before anything can be written. Creates nothing.
  Status check() const;

  // `opening` is what each file begins with. A file is never continued under another opening.
  Answer write(const Delivery& delivery, const std::string& opening, Times now);
  // Finishes the file when it is old enough.
  Status rotate_if_old(Times now);
  // Finishes what there is, also what an earlier process left unfinished.
  Status finish(Times now);

  // When, by the monotonic clock, the file becomes too old; none when there is none to become so.
  std::optional<int64_t> old_at_us() const;

  // The delivery under way is taken back instead of committed.
  void cancel() { cancelled_ = true; }

 private:
  Status write_some(SliceCursor& cursor, const std::string& opening, Times now);
  Status open_for(const std::string& opening, Times now);
  Status finish_part(Times now);
  bool is_old(Times now) const;
  bool rotates() const { return settings_.rotate_bytes > 0 || settings_.rotate_age_us > 0; }
  std::string final_name(Times now);

  const Settings settings_;
  PartFile part_;
  std::string opening_;    // of the open file
  int64_t begun_us_ = 0;   // monotonic, of the open file
  std::string last_time_;  // the time in the last name, and the number of names with it
  int names_ = 0;
  // A delivery that was committed only in part, since it goes over a rotation: when it is tried
  // again, what is in a file already is not written twice.
  std::string unfinished_key_;
  size_t unfinished_records_ = 0;
  std::atomic<bool> cancelled_{false};
};

}  // namespace leat::file
