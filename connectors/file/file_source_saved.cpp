// What was saved of files by earlier runs: of which file that there is now, and from where on it is
// read; and what is saved or forgotten of those that are found, and of those that are gone.
#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "connectors/file/file_source.h"

namespace leat {
namespace {

constexpr size_t kProbesAtOnce = 64;
constexpr size_t kNotesAtOnce = 256;

}  // namespace

void FileSource::remember_saved() {
  std::set<std::string> known;
  for (const SavedPosition& saved : context_->saved()) {
    ResumePoint point;
    if (!from_saved(saved, point)) continue;
    known.insert(saved.partition);
    files_.remember(std::move(point));
  }
  // Where the sink keeps positions, only beginnings are here.
  for (const SavedPosition& noted : context_->noted()) {
    ResumePoint point;
    if (!known.contains(noted.partition) && from_saved(noted, point) && point.offset == 0)
      files_.remember(std::move(point));
  }
}

// One that was empty when it was opened has something to be known by now, and its turn to be read
// may be long in coming: where it begins is saved before that.
void FileSource::meet(const StreamRef& stream) {
  if (!settings_.follow || !stream->probed || !stream->queued || stream->met ||
      stream->identity.head_bytes > 0)
    return;
  stream->met = true;
  to_probe_.push_back(stream);
  probe_some();
}

void FileSource::probe_some() {
  if (stopped_ || probing_ || shortage_->active()) return;
  auto streams = std::make_shared<std::vector<StreamRef>>();
  auto probes = std::make_shared<std::vector<Probe>>();
  while (!to_probe_.empty() && probes->size() < kProbesAtOnce) {
    StreamRef stream = std::move(to_probe_.front());
    to_probe_.pop_front();
    if (stream->ended) continue;
    Probe probe;
    probe.path = stream->path;
    probe.key = stream->key;
    probe.compression = settings_.compression;
    if (!stream->probed) probe.candidates = files_.candidates(*stream);
    probes->push_back(std::move(probe));
    streams->push_back(std::move(stream));
  }
  if (streams->empty()) {
    if (settings_.follow && passed_ && searched_us_ == 0) search_unmatched();
    return;
  }
  probing_ = true;
  jobs_->run(
      [probes] {
        for (Probe& one : *probes) probe(one);
      },
      [this, streams, probes] {
        std::vector<SavedPosition> notes;
        for (size_t i = 0; i < streams->size(); ++i) probed((*streams)[i], (*probes)[i], notes);
        probes->clear();
        auto go_on = [this] {
          probing_ = false;
          probe_some();
        };
        if (notes.empty()) {
          go_on();
        } else {
          // As many as the journal takes. That some cannot be saved costs nothing but that such a
          // file is not found after a restart when it was renamed. The last of many waits for the
          // disk, for all of them.
          context_->note(std::move(notes),
                         to_probe_.empty() ? SourceContext::Survives::kPowerCut
                                           : SourceContext::Survives::kKill,
                         [go_on](const Status&) { go_on(); });
        }
        next();
      });
}

void FileSource::probed(const StreamRef& stream, Probe& probe, std::vector<SavedPosition>& notes) {
  if (stream->ended) return;
  if (probe.shortage) {
    to_probe_.push_front(stream);
    return wait_for_descriptors();
  }
  short_since_.reset();
  if (stream->probed) {
    stream->lies_in(probe.folder);
    // Whether it is compressed is for those to find out who have it open: at its first read.
    if (probe.file == nullptr || probe.identity.head_bytes == 0)
      stream->met = false;
    else if (!probe.file->gzip())
      learn_identity(*stream, probe.identity, false);
    return;
  }
  if (probe.file == nullptr) {
    if (probe.gone && settings_.follow) discovery_->look(stream->path);
    if (probe.error && settings_.follow) files_.complain(stream->path, probe.error->message());
    if (!settings_.follow)
      note_failure(probe.error ? *probe.error : fail_errno("open " + stream->path, ENOENT).value());
    return drop(stream);
  }
  files_.recovered(stream->path);
  stream->probed = true;
  stream->gzip = probe.file->gzip();
  stream->file_system = probe.file_system;
  stream->identity = probe.identity;
  stream->before = fnv1a({});
  if (probe.match) {
    files_.resume(*stream, *probe.match);
    stream->preamble_due = stream->offset > 0 && context_->needs_preamble();
    // What an earlier run read is none of this one's work; inflating begins at the start again.
    if (!settings_.follow && !stream->gzip)
      bytes_total_ -= std::min<uint64_t>(bytes_total_, stream->offset);
  } else if (!settings_.follow && files_.was_known_as(stream->path)) {
    log::warn(context_->pipeline(), "file: " + stream->path +
                                        " was replaced or cut since it was last read: reading it "
                                        "from its start");
  }
  stream->lies_in(probe.folder);
  stream->note_place(stream->offset, stream->before);
  if (settings_.follow && !probe.match && stream->identity.head_bytes > 0)
    notes.push_back(to_saved(*stream, {stream->partition, 0, 0, false}));
  uint64_t left = probe.bytes_in_all - std::min(probe.bytes_in_all, stream->offset);
  stream->capacity = static_cast<size_t>(std::min<uint64_t>(left, context_->batch_bytes() - 1)) + 1;
  if (stream->gzip) stream->capacity = context_->batch_bytes();
  // What is inflated only when its turn comes holds no memory until then.
  if (!stream->gzip) files_.open_files().keep(*stream, std::move(probe.file));
  if (stream->rotated || stream->hard_linked) watch_alone(stream);
  bool nothing_new = settings_.follow && !stream->gzip && !stream->grew && !stream->rotated &&
                     probe.bytes_in_all == stream->offset;
  if (!nothing_new) turns_.add(stream);
  if (stream->grew) meet(stream);
}

// Files that were rotated away while the agent was down and were not read to their end are found;
// what is saved about files that are gone is forgotten.
void FileSource::search_unmatched() {
  searched_us_ = context_->loop().clock().monotonic_us();
  std::vector<ResumePoint> points = files_.unmatched();
  if (!settings_.follow)  // these are still to be read
    std::erase_if(points, [this](const auto& p) { return inodes_.contains(p.identity.inode); });
  inodes_ = {};
  if (points.empty() || std::exchange(searching_, true)) return;
  auto job = std::make_shared<Search>();
  job->points = points;
  jobs_->run([job] { search(*job); },
             [this, job, points = std::move(points)] {
               searching_ = false;
               searched(*job, points);
             });
}

void FileSource::searched(const Search& search, const std::vector<ResumePoint>& asked) {
  if (settings_.follow) {
    for (const Search::Hit& hit : search.found) {
      if (hit.point.drained) continue;
      if (StreamRef stream = files_.add_renamed(hit)) {
        to_probe_.push_back(stream);
        rotated(stream);
      }
    }
    if (search.shortage) {
      search_again_ = true;
      wait_for_descriptors();
    } else if (!search.unreadable.empty()) {
      search_again_ = true;
      for (const auto& [folder, error] : search.unreadable) say_unreadable(folder, error);
      look_again();
    }
    if (search_again_) return probe_some();
    std::set<std::string> found;
    for (const Search::Hit& hit : search.found) found.insert(hit.point.identity.text());
    for (const ResumePoint& point : asked) {
      if (!found.contains(point.identity.text()) && point.offset > 0 && !point.drained &&
          files_.at(point.path) != nullptr)
        log::warn(context_->pipeline(), "file: " + point.path +
                                            " was replaced or cut since it was last read: reading "
                                            "it from its start");
    }
  }
  for (const ResumePoint& point : search.gone) files_.drop(point);
  forget_saved(search.gone);
  probe_some();
}

void FileSource::forget_saved(const std::vector<ResumePoint>& points) {
  for (size_t first = 0; first < points.size(); first += kNotesAtOnce) {
    std::vector<SavedPosition> notes;
    for (size_t i = first; i < std::min(first + kNotesAtOnce, points.size()); ++i)
      notes.push_back({points[i].identity.text(), ""});
    context_->note(std::move(notes), SourceContext::Survives::kKill, [](const Status&) {});
  }
}

}  // namespace leat
