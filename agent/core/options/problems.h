// What is wrong with a configuration, as data: all of it, each with the path of its key. Words for
// people and JSON for a remote caller are made of it in options/problem_words.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace leat {

struct Problem {
  enum class Kind {
    kSyntax,        // the file is no JSON, or cannot be read
    kUnknownKey,    // no option, nor anything else, has this name here
    kDuplicateKey,  // it stands twice in one object
    kMissing,       // required, and not there
    kEmpty,         // required, and there is nothing in it
    kType,          // of another type, or not written as the option's type is
    kRange,         // below the least or above the greatest value
    kChoice,        // none of the values that there are
    kUnknownType,   // of a stage
    kVariable,      // ${…} that has no value
    kUnused,        // does nothing here
    kTwice,         // stands in its list or its map twice, or is used twice where once is all
    kClearSecret,   // a secret that stands in the file itself
    kTilde,         // a path that only a shell would make one of
    kAsRoot,        // leat runs as root
    kInvalid,       // what the stage or the combination says: see `text`
  };

  Kind kind = Kind::kInvalid;
  std::string path = {};        // "pipelines[0].sink.ulr"; "" is the file as a whole
  std::string wanted = {};      // what would be right, in words: `a size such as "8MiB"`
  std::string found = {};       // what stands there, in words; never the value of a secret
  std::string suggestion = {};  // the nearest name or value that exists; "" when none is near
  // What else there is to say. A stage says all in it, as a sentence, and leaves `wanted` empty.
  std::string text = {};
  std::string file = {};  // in which it stands, as it was named; "" when there is but one
  int line = 0;           // where it stands in the file, from 1; 0: not known
  int column = 0;         // from 1, in characters
  bool warning = false;   // it can be run, and may not be what was meant
};

// Thread: any one at a time.
class Problems {
 public:
  void add(Problem problem) {
    errors_ += problem.warning ? 0 : 1;
    all_.push_back(std::move(problem));
  }

  // Those of another, which stand in `file`.
  void take_from(const Problems& other, const std::string& file) {
    for (Problem problem : other.all_) {
      problem.file = file;
      add(std::move(problem));
    }
  }

  bool empty() const { return all_.empty(); }
  size_t size() const { return all_.size(); }
  size_t errors() const { return errors_; }  // of them, those that are no warnings
  // From now on each warning is an error.
  void make_strict() {
    for (Problem& problem : all_) problem.warning = false;
    errors_ = all_.size();
  }
  const std::vector<Problem>& all() const { return all_; }
  std::vector<Problem>& all() { return all_; }  // to add what becomes known of each

 private:
  std::vector<Problem> all_;
  size_t errors_ = 0;
};

}  // namespace leat
