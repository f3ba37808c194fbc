// Option tables. Every stage describes its options in one constexpr table; the config parser,
// `leat help`, the JSON schema and the README tables are all made from it.
//
//   constexpr Option kTlsOptions[] = {{.name = "ca", .type = OptionType::kString, .help = "…"}, …};
//   constexpr Option kOptions[] = {
//       {.name = "url", .type = OptionType::kString, .required = true, .help = "Where to POST
//       to."},
//       {.name = "timeout", .type = OptionType::kDuration, .fallback = "30s", .help = "…"},
//       {.name = "tls", .type = OptionType::kObject, .fields = kTlsOptions, .help = "…"}};
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat {

enum class OptionType {
  kString,   // "text"; with `choices`, one of them
  kInteger,  // whole number in [min, max]
  kBool,
  kBytes,     // "8MiB" (or a bare number of bytes), in [min, max] bytes
  kDuration,  // "200ms", in [min, max] milliseconds
  kStrings,   // ["a", "b"]; a single string is taken as a list of one
  kMap,       // {"any": "string"}: keys are the user's; order kept
  kObject,    // nested options: `fields`
  kObjects,   // a list of nested options: `fields`
};

struct Option {
  std::string_view name;  // camelCase
  OptionType type = OptionType::kString;
  bool required = false;
  bool secret = false;  // never printed; help says how to use ${env:…} and ${file:…}
  // The default as a person would write it ("8MiB", "true", "5"). Empty: unset, has() is false.
  std::string_view fallback = {};
  std::string_view help = {};  // one or two sentences, ends with a full stop
  std::span<const std::string_view> choices = {};
  int64_t min = 0;
  int64_t max = INT64_MAX;
  std::span<const Option> fields = {};
  // What follows is short, since each costs its place in every option of every table.
  bool path = false;    // of a file or a folder, which nobody expands as a shell would
  bool masked = false;  // a map of what may be secrets: none is shown, a clear one is warned of
  // Of an object: that it is there means something, so it is not written out when it was not given.
  bool only_when_given = false;
  const char* example = nullptr;  // a value that stages take; with one, starters have the option
  // Why two stages of a type must not both have the same value, and of which other option the value
  // must be the same, too: {.once = "…", .once_with = "url"}.
  const char* once = nullptr;
  const char* once_with = nullptr;
};

// A validated set of option values: what the parser made from a table and a JSON object. Getters
// name an option of the table; a dotted name ("batch.linger") reaches into kObject options. Asking
// for a name that the table lacks, or with another type, is a programming error and aborts.
//
// A table must outlive its Options. Tables are nearly always constexpr.
class Options {
 public:
  using Map = std::vector<std::pair<std::string, std::string>>;
  using Item = std::variant<std::string, int64_t, bool, std::vector<std::string>, Map,
                            std::shared_ptr<Options>, std::vector<Options>>;

  // False when the user left it out and it has no default.
  bool has(std::string_view name) const;

  const std::string& string(std::string_view name) const;  // "" when unset
  int64_t integer(std::string_view name) const;            // 0 when unset
  bool boolean(std::string_view name) const;               // false when unset
  int64_t bytes(std::string_view name) const;              // 0 when unset
  Milliseconds duration(std::string_view name) const;      // 0 when unset
  const std::vector<std::string>& strings(std::string_view name) const;
  const Map& map(std::string_view name) const;
  const Options& object(std::string_view name) const;  // of defaults when unset
  const std::vector<Options>& objects(std::string_view name) const;

  // They mean the same, wherever they stand: of one table, with the same values, whether given or
  // by default. The order of a map counts.
  bool operator==(const Options& other) const;

  // Where this object stands in the config ("pipelines[0].sink"), for error messages.
  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const { return path_ + "." + std::string(name); }

  // For the parser, and for tests that build options by hand. Defaults are filled in from the
  // table.
  explicit Options(std::span<const Option> table = {}, std::string path = "options");
  // Takes the Item that the option's type calls for (kBytes: bytes, kDuration: milliseconds, both
  // as int64_t); anything else aborts. A dotted name sets one option of a nested object.
  void set(std::string_view name, Item item);
  std::span<const Option> table() const { return table_; }

 private:
  const Option& option(std::string_view name) const;
  template <typename T>
  const T& get(std::string_view name, OptionType type) const;

  std::span<const Option> table_;
  std::string path_;
  std::map<std::string, Item, std::less<>> items_;  // what was set, and the defaults
  // For objects that were not set: their defaults. Made at once, so that const means thread-safe.
  std::map<std::string, std::shared_ptr<const Options>, std::less<>> unset_objects_;
};

// A value as a person writes it outside JSON ("8MiB", "true", "5"), as the Item of its option's
// type. Nullopt: it is none, or one of a type that needs JSON. Neither limits nor choices are
// looked at.
std::optional<Options::Item> parse_item(const Option& option, std::string_view text);

}  // namespace leat
