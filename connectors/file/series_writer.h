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
#include <utility>

#include "connectors/file/files.h"
#include "part_file.h"

namespace leat::file {

class SeriesWriter final : public Files {
 public:
  struct Settings {
    std::string path;
    RecordEnd record_end = RecordEnd::kNewline;
    WholePart whole_part = nullptr;
    bool sync = true;
    uint64_t rotate_bytes = 0;  // 0: not by size
    int64_t rotate_age_us = 0;  // 0: not by age
    bool gzip = false;
  };

  // `cancelled`: somebody else's cancel(), which outlives this; null: its own.
  explicit SeriesWriter(Settings settings, const std::atomic<bool>* cancelled = nullptr)
      : settings_(std::move(settings)),
        part_(settings_.path, settings_.record_end, settings_.whole_part, settings_.sync,
              settings_.gzip),
        is_cancelled_(cancelled != nullptr ? *cancelled : cancelled_) {}

  // What a person must mend before anything can be written. Creates nothing.
  static Status check(const std::string& path);

  Answer write(const RoutedDelivery& delivery, Times now) override;
  Status rotate_if_old(Times now) override;
  Status finish(Times now) override;
  std::optional<int64_t> old_at_us() const override;

  // `opening` is what each file begins with. A file is never continued under another opening. When
  // it fails it may succeed later, with the delivery of the same key.
  Status write(SliceCursor cursor, const std::string& key, const std::string& opening, Times now);
  // Opens what an earlier process left unfinished, for old_at_us().
  Status take_up(Times now);
  bool is_open() const { return part_.is_open(); }

 private:
  Status write_some(SliceCursor& cursor, const std::string& opening, Times now);
  Status open_for(const std::string& opening, Times now);
  void note_beginning(Times now);
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
  const std::atomic<bool>& is_cancelled_;
};

}  // namespace leat::file
