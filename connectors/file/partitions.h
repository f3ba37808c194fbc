// The files of a sink whose path has fields: one for each path that its records have. Of those that
// are unfinished a few are open; the others are closed, and taken up again when something comes for
// them (part_file.h), so that they cost no descriptor.
//
// Thread: one at a time (the pool); cancel() from any. It blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/file/path_template.h"
#include "connectors/file/series_writer.h"
#include "stage/sink.h"

namespace leat::file {

class Partitions final : public Files {
 public:
  struct Settings {
    PathTemplate path;
    SeriesWriter::Settings each;  // but for its path
    size_t most_open = 1;
    bool success_file = false;
  };
  // Unfinished ones. When there would be more, that which nothing came for longest is finished.
  static constexpr size_t kMost = 10'000;

  explicit Partitions(Settings settings) : settings_(std::move(settings)) {}

  Answer write(const RoutedDelivery& delivery, Times now) override;
  Status rotate_if_old(Times now) override;
  Status finish(Times now) override;
  // A file "_SUCCESS" in each of the folders, where that was asked for.
  Status tell_success() override;
  std::optional<int64_t> old_at_us() const override;
  size_t footprint() const override;

 private:
  struct Partition {
    std::unique_ptr<SeriesWriter> writer;  // null: closed
    std::optional<int64_t> old_at_us;      // of a closed one
    uint64_t used = 0;                     // the greater the later
  };
  using Place = std::map<std::string, Partition>::iterator;

  Status take_up_unfinished(Times now);
  Status write_route(const RoutedDelivery& delivery, Times now);
  Result<Place> use(const std::string& path, Times now);
  void open(Place place);
  void close(Place place);
  Place least_used();
  static std::optional<int64_t> old_at(const Partition& one) {
    return one.writer != nullptr ? one.writer->old_at_us() : one.old_at_us;
  }
  Status finish_one(Place place, Times now);
  void forget(Place place);
  Status make_folders(const std::string& path) const;

  const Settings settings_;
  std::map<std::string, Partition> partitions_;
  std::vector<Place> open_;
  uint64_t uses_ = 0;
  bool took_up_ = false;
  std::string key_;    // of a delivery that has not been written as a whole
  size_t routes_ = 0;  // of it, those that have been
};

}  // namespace leat::file
