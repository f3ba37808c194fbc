#include "series_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include "base/folder.h"

namespace leat::file {
namespace {

bool exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

// "20260102T030405Z": sorts by time, and has no character that a file system refuses.
std::string compact_time(int64_t unix_us) {
  auto seconds = static_cast<time_t>(unix_us / 1'000'000);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  char text[32];
  size_t length = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return {text, length};
}

}  // namespace

Status SeriesWriter::check(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct stat status;
  if (stat(folder.c_str(), &status) != 0) {
    // It may be made, or what is to be mounted there may come.
    if (errno == ENOENT)
      return fail(ErrorKind::kUnavailable, fail_errno("open " + folder, errno).value().message());
    return fail_errno("open " + folder, errno);
  }
  const bool there = stat(path.c_str(), &status) == 0;
  if (slash + 1 == path.size() || (there && S_ISDIR(status.st_mode)))
    return fail_errno("write " + path, EISDIR);
  // Its files are made beside it and renamed: that would replace a device or a pipe, or fill /dev.
  if (there && !S_ISREG(status.st_mode))
    return fail(ErrorKind::kUsage, "write " + path + ": it is a device or a pipe, not a file");
  return can_make_files(folder);
}

Answer SeriesWriter::write(const RoutedDelivery& delivery, Times now) {
  // Whatever is wrong with a disk or a folder now may be right later; check() said what was wrong
  // from the start.
  Status written = write(delivery.of_route(0), delivery.key(), delivery.routes[0].opening, now);
  return written ? Answer::delivered() : Answer::retry(written.error().message());
}

Status SeriesWriter::write(SliceCursor cursor, const std::string& key, const std::string& opening,
                           Times now) {
  if (key == unfinished_key_) {
    cursor.skip_to_record(unfinished_records_);
  } else {
    unfinished_key_ = key;
    unfinished_records_ = 0;
  }
  while (!cursor.at_end()) {
    if (Status written = write_some(cursor, opening, now); !written) return written;
    unfinished_records_ = cursor.records_passed();
  }
  unfinished_key_.clear();
  unfinished_records_ = 0;
  return {};
}

// Writes and commits as much as the file at hand takes, or makes room by finishing it.
Status SeriesWriter::write_some(SliceCursor& cursor, const std::string& opening, Times now) {
  if (is_old(now)) {
    if (Status finished = finish_part(now); !finished) return finished;
  }
  if (Status opened = open_for(opening, now); !opened) return opened;
  uint64_t bytes = UINT64_MAX;
  if (settings_.rotate_bytes > 0) {
    uint64_t used = part_.size() == 0 ? opening.size() : part_.size();
    bytes = settings_.rotate_bytes - std::min(settings_.rotate_bytes, used);
    // What a delivery becomes is known behind it.
    if (settings_.gzip && bytes > 0) bytes = UINT64_MAX;
  }
  bytes = cursor.whole_records_within(bytes);
  if (bytes == 0 && part_.size() > 0) return finish_part(now);
  // A record that is larger than a whole file gets one for itself.
  if (bytes == 0) bytes = cursor.rest_of_record().size();
  if (Status appended = part_.append(opening, cursor, bytes); !appended) return appended;
  if (is_cancelled_) {
    part_.roll_back();
    return fail(ErrorKind::kUnavailable, "closing");
  }
  return part_.commit();
}

Status SeriesWriter::open_for(const std::string& opening, Times now) {
  if (part_.is_open() && opening_ == opening) return {};
  if (part_.is_open()) {
    if (Status finished = finish_part(now); !finished) return finished;
  }
  if (Status opened = part_.open(now.unix_us); !opened) return opened;
  if (part_.size() > 0) {
    Result<bool> same = part_.starts_with(opening);
    if (!same) return fail(same.error());
    if (!*same) {
      // An earlier process wrote other columns.
      if (Status finished = finish_part(now); !finished) return finished;
      if (Status opened = part_.open(now.unix_us); !opened) return opened;
    }
  }
  opening_ = opening;
  note_beginning(now);
  return {};
}

void SeriesWriter::note_beginning(Times now) {
  begun_us_ = now.monotonic_us - std::max<int64_t>(now.unix_us - part_.begun_unix_us(), 0);
}

Status SeriesWriter::take_up(Times now) {
  Status opened = part_.open(now.unix_us, /*must_exist=*/true);
  if (opened && part_.is_open()) note_beginning(now);
  return opened;
}

bool SeriesWriter::is_old(Times now) const {
  std::optional<int64_t> at = old_at_us();
  return at && now.monotonic_us >= *at;
}

std::optional<int64_t> SeriesWriter::old_at_us() const {
  if (settings_.rotate_age_us == 0 || !part_.is_open() || part_.size() == 0) return std::nullopt;
  return begun_us_ + settings_.rotate_age_us;
}

Status SeriesWriter::rotate_if_old(Times now) {
  return is_old(now) ? finish_part(now) : Status{};
}

Status SeriesWriter::finish(Times now) {
  if (Status opened = part_.open(now.unix_us, /*must_exist=*/true); !opened) return opened;
  return part_.is_open() ? finish_part(now) : Status{};
}

Status SeriesWriter::finish_part(Times now) {
  return part_.finish(final_name(now));
}

// That a name is free is only looked up: nobody else makes names of this kind in the folder while
// the lock on the part file is held.
std::string SeriesWriter::final_name(Times now) {
  const std::string& path = settings_.path;
  if (!rotates() && !exists(path)) return path;
  size_t slash = path.rfind('/');
  size_t base = slash == std::string::npos ? 0 : slash + 1;
  size_t dot = path.rfind('.', path.ends_with(".gz") ? path.size() - 4 : std::string::npos);
  if (dot == std::string::npos || dot <= base) dot = path.size();  // ".hidden" has no suffix
  std::string time = compact_time(now.unix_us);
  if (time != last_time_) names_ = 0;
  last_time_ = time;
  while (true) {
    char number[16];
    std::snprintf(number, sizeof number, "-%04d", ++names_);
    std::string name = path.substr(0, dot) + "-" + time + number + path.substr(dot);
    if (!exists(name)) return name;
  }
}

}  // namespace leat::file
