// What is wrong with a configuration, as data: all of it, each with the path of its key. Words for
// people and JSON for a remote caller are made of it in config/problem_words.h.
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
    kInvalid,       // what the stage or the combination says: see `text`
  };

  Kind kind = Kind::kInvalid;
  std::string path = {};        // "pipelines[0].sink.ulr"; "" is the file as a whole
  std::string wanted = {};      // what would be right, in words: `a size such as "8MiB"`
  std::string found = {};       // what stands there, in words; never the value of a secret
  std::string suggestion = {};  // the nearest name or value that exists; "" when none is near
  std::string text = {};        // what else there is to say
  int line = 0;                 // where it stands in the file, from 1; 0: not known
  int column = 0;               // from 1, in characters
};

// Thread: any one at a time.
class Problems {
 public:
  void add(Problem problem) { all_.push_back(std::move(problem)); }

  bool empty() const { return all_.empty(); }
  size_t size() const { return all_.size(); }
  const std::vector<Problem>& all() const { return all_; }
  std::vector<Problem>& all() { return all_; }

 private:
  std::vector<Problem> all_;
};

}  // namespace leat
