// An object of the file that is imported, which knows what of it was looked at: what nobody took is
// said in the end, so that nothing is lost without a word.
//
// Warnings are what has no counterpart, and changes nothing of what arrives; errors are what would.
//
// Lifetime: within that of the Document and the Problems.
#pragma once

#include <cjson/cJSON.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "options/problems.h"

namespace leat::datax {

class Given {
 public:
  // `node` may be null: an object with nothing in it.
  Given(const cJSON* node, std::string path, Problems& problems)
      : node_(node), path_(std::move(path)), problems_(problems) {}

  // Null where it is not there, is null, or has nothing in it ("", [], {}).
  const cJSON* take(std::string_view name);
  bool has(std::string_view name) { return take(name) != nullptr; }
  // A number is a text, too, and a text with digits a number: so these files have it.
  std::string text(std::string_view name, std::string_view otherwise = "");
  std::optional<int64_t> number(std::string_view name);
  bool boolean(std::string_view name);
  // A text is a list of one.
  std::vector<std::string> texts(std::string_view name);
  Given object(std::string_view name);
  // A single object is a list of one.
  std::vector<Given> objects(std::string_view name);

  // An error of, and a warning about, what stands under `name`; "" is the object itself.
  void wrong(std::string_view name, std::string why);
  void differs(std::string_view name, std::string how);
  // Where it says anything: an error, or a warning.
  void not_carried_over(std::string_view name, std::string why);
  void left_out(std::string_view name, std::string why);

  // Says what nobody took.
  void finish();

  bool there() const { return node_ != nullptr; }

 private:
  std::string path_of(std::string_view name) const;

  const cJSON* node_;
  std::string path_;
  Problems& problems_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace leat::datax
