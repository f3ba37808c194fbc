// What is wrong with the options of one stage, all of it: its maker looks at everything before it
// gives up, so that a person mends it once. An Error carries it as data (Error::problems()).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"
#include "options/problems.h"

namespace leat {

class OptionErrors {
 public:
  using Kind = Problem::Kind;

  void add(Problem problem) { problems_.add(std::move(problem)); }
  // Of the option `name` (dotted and indexed as in a path: "tls.ca", "topics[1]"), in a sentence
  // that does not repeat it.
  void add(const Options& options, std::string_view name, std::string why,
           Kind kind = Kind::kInvalid) {
    add({.kind = kind, .path = options.path(name), .text = std::move(why)});
  }
  // What is wrong with the text of an option; it knows nothing of paths.
  void add(const Options& options, std::string_view name, const Error& error);

  // Takes what is wrong, if anything is.
  template <typename T>
  bool good(const Result<T>& result) {
    if (!result) take(result.error());
    return result.has_value();
  }

  bool empty() const { return problems_.empty(); }
  const Problems& problems() const { return problems_; }
  // kUsage, with a line for each in its message.
  Status status() const;

 private:
  void take(const Error& error);

  Problems problems_;
};

// One alone, for what looks at no more than one.
tl::unexpected<Error> fail_option(Problem problem);
tl::unexpected<Error> fail_option(std::string path, std::string why);
tl::unexpected<Error> fail_option(const Options& options, std::string_view name, std::string why,
                                  Problem::Kind kind = Problem::Kind::kInvalid);

// "pipelines[0]" and "sink" → "pipelines[0].sink"; `headers["a b"]` for what is no plain word.
std::string path_of_key(const std::string& parent, std::string_view key);
std::string path_of_index(const std::string& parent, size_t index);

}  // namespace leat
