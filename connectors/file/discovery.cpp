#include "connectors/file/discovery.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/folder.h"

namespace leat {
namespace {

constexpr size_t kLooksAtOnce = 256;
constexpr Milliseconds kSoon{20};  // what happens to folders at one moment is looked at together
constexpr Milliseconds kShortage{200};

}  // namespace

Discovery::Discovery(Loop& loop, Jobs& jobs, std::vector<PathPattern> patterns,
                     Milliseconds look_again, Listener listener)
    : loop_(loop),
      jobs_(jobs),
      patterns_(std::move(patterns)),
      listener_(std::move(listener)),
      soon_(loop),
      shortage_(loop),
      again_(loop),
      again_after_(look_again, kLookAgainMost) {}

void Discovery::start(bool follow) {
  if (follow)
    watch_ = std::make_unique<FolderWatch>(
        loop_, [this](const std::string& path) { changed(path); },
        [this](const std::string& path) { moved(path); });
  wanted_ = true;
  next();
}

void Discovery::look(const std::string& path) {
  looks_.insert(path);
  next();
}

// One thing at a time. What has changed comes before the rest of a pass.
void Discovery::next() {
  if (busy_ || shortage_.active()) return;
  if (!looks_.empty()) return look_at_some();
  if (listing_ != nullptr) return go_on();
  if (std::exchange(wanted_, false)) begin_pass();
}

void Discovery::begin_pass() {
  pass_began_ = loop_.now();
  listing_ = std::make_unique<Listing>(patterns_);
  look_around();
}

// Watches first: what appears between the two steps is then noticed by one of them. So it looks
// again for folders when it has begun to watch others: one may have been made in them before that.
void Discovery::look_around() {
  busy_ = true;
  jobs_.run_for([listing = listing_.get()] { return listing->surroundings(); },
                [this](Surroundings around) {
                  busy_ = false;
                  if (around.shortage) {
                    listing_.reset();
                    wanted_ = true;
                    return wait_for_descriptors();
                  }
                  if (watch_ != nullptr) {
                    for (const auto& [name, path] : behind_) around.folders.insert(folder_of(name));
                    watch_->watch(around.folders);
                    const bool others = watched_ != around.folders;
                    watched_ = std::move(around.folders);
                    if (others) return look_around();
                  }
                  links_ = std::move(around.links);
                  next();
                });
}

void Discovery::go_on() {
  struct Piece {
    std::vector<Found> found;
    bool more = false;
  };
  busy_ = true;
  jobs_.run_for(
      [listing = listing_.get()] {
        Piece piece;
        piece.more = listing->more(piece.found);
        return piece;
      },
      [this](Piece piece) {
        busy_ = false;
        bool shortage = listing_->shortage();
        Unreadable unreadable = listing_->unreadable();
        if (!piece.more) listing_.reset();
        for (const Found& found : piece.found) add_links(found);
        if (!piece.found.empty()) listener_.found(std::move(piece.found));
        if (shortage) return wait_for_descriptors();
        if (!piece.more) {
          pass_took_ = loop_.now() - pass_began_;
          passed(std::move(unreadable));
        }
        next();
      });
}

// Rights that change are an event in the folder above.
void Discovery::passed(Unreadable unreadable) {
  unreadable_ = std::move(unreadable);
  bool untold = watch_ != nullptr &&
                std::any_of(unreadable_.begin(), unreadable_.end(), [this](const auto& one) {
                  return one.second != EACCES || !watch_->watches(folder_of(one.first));
                });
  if (untold) {
    again_.start(again_after_.next(), [this] {
      again_.stop();
      pass_soon();
    });
  } else {
    again_.stop();
    again_after_.reset();
  }
  listener_.passed(unreadable_);
}

void Discovery::wait_for_descriptors() {
  shortage_.start(kShortage, [this] {
    shortage_.stop();
    next();
  });
  listener_.shortage();
}

void Discovery::look_at_some() {
  busy_ = true;
  std::vector<std::string> paths;
  while (!looks_.empty() && paths.size() < kLooksAtOnce)
    paths.push_back(std::move(looks_.extract(looks_.begin()).value()));
  jobs_.run_for(
      [paths = std::move(paths)]() mutable {
        std::vector<Found> seen;
        for (std::string& path : paths) seen.push_back(find_file(std::move(path)));
        return seen;
      },
      [this](std::vector<Found> seen) {
        busy_ = false;
        std::vector<Found> found;
        for (Found& one : seen) {
          bool folder = one.error == 0 ? S_ISDIR(one.info.mode)
                                       : watch_ != nullptr && watch_->watches(one.path);
          if (folder) pass_soon();
          add_links(one);
          if (listener_.known(one.path) || (!folder && matches(patterns_, one.path)))
            found.push_back(std::move(one));
        }
        if (!found.empty()) listener_.found(std::move(found));
        next();
      });
}

// Passes over many files that follow each other closely leave the pool to others in between.
void Discovery::pass_soon() {
  if (soon_.active()) return;
  soon_.start(std::max(kSoon, 2 * pass_took_), [this] {
    soon_.stop();
    wanted_ = true;
    next();
  });
}

void Discovery::changed(const std::string& path) {
  if (unreadable_.contains(path)) pass_soon();  // its mode
  auto [first, last] = behind_.equal_range(path);
  for (auto it = first; it != last; ++it) listener_.written(it->second);
  if (!listener_.written(path) && first == last && matches(patterns_, path)) look(path);
}

void Discovery::moved(const std::string& path) {
  auto [first, last] = behind_.equal_range(path);
  for (auto it = first; it != last; ++it) looks_.insert(it->second);
  if (links_.contains(path)) pass_soon();
  bool of_interest = listener_.known(path) || matches(patterns_, path) ||
                     std::any_of(patterns_.begin(), patterns_.end(), [&path](const auto& pattern) {
                       return pattern.matches_folder(path);
                     });
  if (of_interest) looks_.insert(path);
  next();
}

// Where a link leads is watched like the folder it is in.
void Discovery::add_links(const Found& found) {
  if (watch_ == nullptr) return;
  auto known = ways_.find(found.path);
  if (known == ways_.end() ? found.links.empty() : known->second == found.links) return;
  if (known != ways_.end()) {
    for (const std::string& name : known->second) {
      auto [it, last] = behind_.equal_range(name);
      while (it != last && it->second != found.path) ++it;
      if (it != last) behind_.erase(it);
    }
    ways_.erase(known);
  }
  if (found.links.empty()) return;
  for (const std::string& name : found.links) {
    behind_.emplace(name, found.path);
    watch_->also(folder_of(name));
  }
  ways_[found.path] = found.links;
  looks_.insert(found.path);  // what changed before it was watched
}

}  // namespace leat
