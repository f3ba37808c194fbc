// The file source: which files there are, what is known of them, and the reading of them.
//
// One read is under way at a time, on the pool, straight into the batch that will carry it
// (filling.h); turns.h says of which file.
// Which files there are is found out beside that (discovery.h), and each is looked at once before
// it is read (a probe): whether it was read before, and where it begins is saved then, so that it
// is found again after a restart though it was renamed and nothing of it was delivered.
//
// Thread: the loop's.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/backoff.h"
#include "base/log.h"
#include "connectors/file/discovery.h"
#include "connectors/file/file_set.h"
#include "connectors/file/filling.h"
#include "connectors/file/jobs.h"
#include "connectors/file/reading.h"
#include "connectors/file/rotated_files.h"
#include "connectors/file/turns.h"
#include "loop/handles.h"
#include "stage/source.h"

namespace leat {

class FileSource final : public Source {
 public:
  struct Settings {
    std::vector<std::string> paths;  // absolute
    bool follow = false;
    Compression compression = Compression::kAuto;
    size_t max_record = 1024 * 1024;
    Milliseconds rotate_wait{5000};
    // Until a folder that could not be read is tried again; then twice that, to a minute.
    Milliseconds look_again{5000};
  };
  explicit FileSource(Settings settings);

  Status open(SourceContext& context) override;
  void resume() override { next(); }
  void stop(std::function<void()> closed) override;
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  bool offsets_last() const override { return true; }
  std::string describe(const Position& position) override;

 private:
  // --- finding ---
  void found(std::vector<Found> found);
  void passed(const Unreadable& unreadable);
  void say_unreadable(const std::string& folder, int error);
  void look_again();
  bool written(const std::string& path);
  void rotated(const StreamRef& stream);
  void watch_alone(const StreamRef& stream);
  void drop(const StreamRef& stream);
  void find_lost();

  // --- what was saved ---
  void remember_saved();
  void probe_some();
  void meet(const StreamRef& stream);
  void probed(const StreamRef& stream, Probe& probe, std::vector<SavedPosition>& notes);
  void begin_at(InputStream& stream, const ResumePoint& point);
  void search_unmatched();
  void searched(const Search& search, const std::vector<ResumePoint>& asked);
  void forget_saved(const std::vector<ResumePoint>& points);

  // --- reading ---
  void next();
  bool next_file();
  void read(const StreamRef& stream);
  void have_read(const StreamRef& stream, BatchRef batch, Reading& reading, char* buffer);
  void have_preamble(const StreamRef& stream, BatchRef batch, std::span<char> bytes);
  bool cannot_read(const StreamRef& stream, const BatchRef& batch, Reading& reading);
  bool cannot_unpack(const StreamRef& stream, const BatchRef& batch, std::string_view content);
  void learn_identity(InputStream& stream, const FileIdentity& identity, bool gzip);
  void end(const StreamRef& stream);
  void end_empty(const StreamRef& stream, BatchRef batch);
  void say_unended(const InputStream& stream);
  void say_hole(const InputStream& stream, const Filled& filled);
  void say_cr_only(InputStream& stream, std::string_view content);
  void wait_for_descriptors();
  void go_on();
  void note_failure(const Error& error);
  Status result() const;

  const Settings settings_;
  SourceContext* context_ = nullptr;
  std::optional<Jobs> jobs_;
  std::optional<Discovery> discovery_;
  FileSet files_;
  std::optional<RotatedFiles> rotated_;
  std::optional<Timer> shortage_;
  std::optional<Timer> again_;
  std::optional<DoublingDelay> again_after_;  // until what could not be read is looked for
  bool search_again_ = false;                 // then, or when there are descriptors
  Unreadable unreadable_;                     // in the last pass

  std::deque<StreamRef> to_probe_;
  Turns turns_;
  std::vector<StreamRef> lost_;        // are looked for
  std::vector<StreamRef> maybe_lost_;  // will be: a folder could not be read
  bool probing_ = false;
  bool reading_ = false;
  bool finding_ = false;    // those that are lost
  bool passed_ = false;     // every file was seen
  bool searching_ = false;  // or not needed now
  bool stopped_ = false;
  bool finished_ = false;
  bool said_shortage_ = false;
  std::optional<Milliseconds> short_since_;  // nothing could be opened since
  int64_t searched_us_ = 0;

  log::OnceAMinute said_unended_;
  log::OnceAMinute said_cr_only_;
  log::OnceAMinute said_hole_;
  uint64_t unended_ = 0;  // files whose last line had no end

  // Bounded: what is to be read.
  std::deque<Found> pending_;
  std::unordered_set<std::string> paths_;  // that were pending once
  std::unordered_set<uint64_t> inodes_;
  bool in_file_ = false;      // one of them is being read
  uint64_t bytes_total_ = 0;  // that this run has to read, compressed as they are
  uint64_t bytes_done_ = 0;
  // The good files around a bad one are read; the first error is the source's result in the end.
  std::optional<Error> failure_;
  int failures_ = 0;
};

}  // namespace leat
