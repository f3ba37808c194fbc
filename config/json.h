// A configuration file as a tree, read with cJSON and checked for what cJSON lets pass or loses:
// text behind the end, raw control characters in strings, NULs, depth, duplicate keys.
//
// Thread: any one at a time.
#pragma once

#include <cjson/cJSON.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"
#include "config/substitute.h"
#include "options/option_errors.h"
#include "options/problems.h"

namespace leat {

// A file of a configuration, which may have several: pipelines in each, and `agent` in one.
struct ConfigFile {
  std::string name;  // for problems; "" when it needs none
  std::string text;
};

class Document {
 public:
  static constexpr int kMaxDepth = 32;

  // Fails with one Problem, which says where. Comments (// and /* */) are passed over.
  static Result<Document> parse(std::string_view file);

  const cJSON* root() const { return root_.get(); }

  // Says of each problem where in the text it is.
  void set_places(Problems& problems) const;

  // Reports keys that stand twice in one object.
  void check_duplicates(Problems& problems) const;

  // Replaces ${env:…}, ${file:…} and ${sealed:…} in all strings, and reports those that cannot be
  // replaced.
  void substitute(const Variables& variables, Problems& problems);

  // What a substituted string was in the file, to show instead of its value, which may be secret.
  // Null when it is as it was.
  const std::string* before_substitution(const cJSON* node) const;
  // What it would be, were another secret sealed in it; null when none is. What differs from that
  // tells of the secret.
  const std::string* with_another_seal(const cJSON* node) const;
  // True when its substitution was reported as impossible: there is no value to judge.
  // Or when it stands for what only a run knows that is asked for.
  bool broken(const cJSON* node) const { return broken_.contains(node); }
  // The ${param:…} in and below `node`, each once.
  ParameterUse parameters_of(const cJSON* node) const;

 private:
  struct Delete {
    void operator()(cJSON* node) const { cJSON_Delete(node); }
  };
  explicit Document(cJSON* root) : root_(root) {}
  void substitute(cJSON* node, const std::string& path, const Variables& variables,
                  Problems& problems);

  std::string file_;
  std::unique_ptr<cJSON, Delete> root_;
  std::unordered_map<const cJSON*, std::string> originals_;
  std::unordered_map<const cJSON*, std::string> other_seals_;
  std::unordered_set<const cJSON*> broken_;
  std::unordered_map<const cJSON*, ParameterUse> parameters_;
};

// The tree as compact JSON.
std::string print_json(const cJSON* node);

}  // namespace leat
