#include "connectors/file/partitions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/folder.h"
#include "connectors/file/listing.h"

namespace leat::file {
namespace {

constexpr const char* kSuccess = "/_SUCCESS";
constexpr std::string_view kPart = ".part";

Status touch(const std::string& path) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return fail_errno("open " + path, errno);
  ::close(fd);
  return sync_folder(folder_of(path));
}

}  // namespace

Answer Partitions::write(const RoutedDelivery& delivery, Times now) {
  if (delivery.refused) return *delivery.refused;
  if (delivery.key() != key_) {
    key_ = delivery.key();
    routes_ = 0;
  }
  // Whatever is wrong with a disk or a folder now may be right later; check() said what was wrong
  // from the start.
  if (Status ready = take_up_unfinished(now); !ready) return Answer::retry(ready.error().message());
  for (; routes_ < delivery.routes.size(); ++routes_)
    if (Status written = write_route(delivery, now); !written)
      return Answer::retry(written.error().message());
  key_.clear();
  return Answer::delivered();
}

Status Partitions::write_route(const RoutedDelivery& delivery, Times now) {
  const RoutedDelivery::Route& route = delivery.routes[routes_];
  Result<Place> place = use(route.path, now);
  if (!place) return fail(place.error());
  SeriesWriter& writer = *(*place)->second.writer;
  Status written = writer.write(delivery.of_route(routes_), key_, route.opening, now);
  if (written && !writer.is_open()) forget(*place);
  return written;
}

// An open one.
Result<Partitions::Place> Partitions::use(const std::string& path, Times now) {
  Place place = partitions_.find(path);
  if (place == partitions_.end()) {
    if (partitions_.size() >= kMost)
      if (Status done = finish_one(least_used(), now); !done) return fail(done.error());
    place = partitions_.try_emplace(path).first;
    // What is in the folder is not all there is, until the end of this run.
    if (settings_.success_file) ::unlink((folder_of(path) + kSuccess).c_str());
  }
  place->second.used = ++uses_;
  if (place->second.writer == nullptr) {
    if (open_.size() >= settings_.most_open)
      close(*std::ranges::min_element(open_, {}, [](Place one) { return one->second.used; }));
    open(place);
  }
  // Each time, for somebody may have removed them.
  if (!place->second.writer->is_open())
    if (Status made = make_folders(path); !made) return fail(made.error());
  return place;
}

Partitions::Place Partitions::least_used() {
  Place least = partitions_.begin();
  for (Place place = least; place != partitions_.end(); ++place)
    if (place->second.used < least->second.used) least = place;
  return least;
}

void Partitions::open(Place place) {
  SeriesWriter::Settings settings = settings_.each;
  settings.path = place->first;
  place->second.writer = std::make_unique<SeriesWriter>(std::move(settings), &cancelled_);
  open_.push_back(place);
}

void Partitions::close(Place place) {
  place->second.old_at_us = place->second.writer->old_at_us();
  place->second.writer.reset();
  std::erase(open_, place);
}

void Partitions::forget(Place place) {
  std::erase(open_, place);
  partitions_.erase(place);
}

// Closed, it is opened for that alone.
Status Partitions::finish_one(Place place, Times now) {
  const bool was_open = place->second.writer != nullptr;
  if (!was_open) open(place);
  Status finished = place->second.writer->finish(now);
  if (finished)
    forget(place);
  else if (!was_open)
    close(place);
  return finished;
}

Status Partitions::take_up_unfinished(Times now) {
  if (took_up_) return {};
  const std::vector<PathPattern> patterns{
      PathPattern(settings_.path.pattern() + std::string(kPart))};
  Listing listing(patterns);
  (void)listing.surroundings();
  std::vector<Found> found;
  while (listing.more(found) && !listing.shortage()) {
  }
  if (listing.shortage()) return fail_errno("open " + settings_.path.base(), EMFILE);
  for (const Found& file : found) {
    if (file.error != 0) continue;
    Place place =
        partitions_.try_emplace(file.path.substr(0, file.path.size() - kPart.size())).first;
    open(place);
    if (Status taken = place->second.writer->take_up(now); taken) {
      close(place);
    } else {
      // Whoever has the lock finishes it as well.
      forget(place);
      if (taken.error().kind() != ErrorKind::kUnavailable) return taken;
    }
  }
  took_up_ = true;
  return {};
}

Status Partitions::rotate_if_old(Times now) {
  for (Place next = partitions_.begin(); next != partitions_.end();) {
    Place place = next++;
    std::optional<int64_t> at = old_at(place->second);
    if (!at || now.monotonic_us < *at) continue;
    if (Status finished = finish_one(place, now); !finished) return finished;
  }
  return {};
}

Status Partitions::finish(Times now) {
  Status status = take_up_unfinished(now);
  for (Place next = partitions_.begin(); next != partitions_.end();) {
    Status finished = finish_one(next++, now);
    if (status && !finished) status = finished;
  }
  return status;
}

Status Partitions::tell_success() {
  if (!settings_.success_file) return {};
  std::set<std::string> watch;
  Unreadable unreadable;
  for (const std::string& folder : PathPattern(settings_.path.pattern()).folders(watch, unreadable))
    if (Status made = touch(folder + kSuccess); !made) return made;
  return {};
}

std::optional<int64_t> Partitions::old_at_us() const {
  if (settings_.each.rotate_age_us == 0) return std::nullopt;
  std::optional<int64_t> soonest;
  for (const auto& [path, one] : partitions_) {
    std::optional<int64_t> at = old_at(one);
    if (at && (!soonest || *at < *soonest)) soonest = at;
  }
  return soonest;
}

size_t Partitions::footprint() const {
  constexpr size_t kEach = 256;  // with its node, and the text of the path
  return partitions_.size() * kEach + open_.size() * (sizeof(SeriesWriter) + 2 * kEach);
}

// Below the base, which is there, or will be when what is mounted there is.
Status Partitions::make_folders(const std::string& path) const {
  const std::string& base = settings_.path.base();
  for (size_t slash = path.find('/', base.size() + 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (::mkdir(folder.c_str(), 0777) == 0) {
      // Before what is in it counts as delivered.
      if (Status synced = sync_folder(folder_of(folder)); !synced) return synced;
    } else if (errno != EEXIST) {
      return fail_errno("make folder " + folder, errno);
    }
  }
  return {};
}

}  // namespace leat::file
