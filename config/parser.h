// From one JSON object and the option tables it may use to validated Options.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/json.h"
#include "options/options.h"
#include "options/problems.h"

namespace leat {

class Parser {
 public:
  // Both must outlive the parser.
  Parser(const Document& document, Problems& problems) : document_(document), problems_(problems) {}

  // Sets what `object` says in those of `sections` whose table has the key, and reports every key
  // that none has, every value that its option does not take, and every required option that is
  // missing. `handled` names keys that the caller reads itself. The sections must have the path of
  // the object. A null `object` counts as {}.
  void fill(const cJSON* object, std::initializer_list<Options*> sections,
            std::span<const std::string_view> handled = {});

  // Reports and returns false when `node` is not a JSON object (not a list).
  bool expect_object(const cJSON* node, const std::string& path, std::string_view example);
  bool expect_list(const cJSON* node, const std::string& path, std::string_view example);

  // What `node` is, in words: `the string "abc"`, `a list`. Never the value of a variable.
  std::string describe(const cJSON* node, bool secret = false) const;

  // True for what was reported already because a variable in it has no value.
  bool broken(const cJSON* node) const { return document_.broken(node); }

  Problems& problems() { return problems_; }

  // Whether stages are tried with their options: not while some have no value yet (broken()).
  void judge_stages(bool yes) { judges_stages_ = yes; }
  bool judges_stages() const { return judges_stages_; }

 private:
  struct Place {  // one value that is being read
    const Option& option;
    const cJSON* node;
    std::string path;
  };

  void read(const Place& place, Options& into);
  bool read_string(const Place& place, std::string& out);
  void warn_of(const Place& place);
  void check_seal(const Place& place, const cJSON* text);
  void add_text(const Place& place, std::vector<Options>& out);
  bool read_bool(const Place& place, bool& out);
  bool read_number(const Place& place, int64_t& out);
  bool read_strings(const Place& place, std::vector<std::string>& out);
  bool read_map(const Place& place, Options::Map& out);
  bool read_objects(const Place& place, std::vector<Options>& out);
  bool check_choice(const Place& place, const std::string& value);
  void unknown_key(const std::string& path, const cJSON* object, std::string_view key,
                   std::initializer_list<Options*> sections,
                   std::span<const std::string_view> handled);
  void wrong_type(const Place& place);
  void wrong_type(const std::string& path, std::string wanted, std::string found);

  const Document& document_;
  Problems& problems_;
  bool judges_stages_ = true;
};

}  // namespace leat
