#include "options/options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace leat {
namespace {

[[noreturn]] void misuse(std::string_view path, std::string_view name, const char* what) {
  std::fprintf(stderr, "leat: internal error: option %.*s.%.*s: %s\n",
               static_cast<int>(path.size()), path.data(), static_cast<int>(name.size()),
               name.data(), what);
  std::abort();
}

// The index of the alternative that holds values of `type`.
size_t alternative(OptionType type) {
  switch (type) {
    case OptionType::kString:
      return 0;
    case OptionType::kInteger:
    case OptionType::kBytes:
    case OptionType::kDuration:
      return 1;
    case OptionType::kBool:
      return 2;
    case OptionType::kStrings:
      return 3;
    case OptionType::kMap:
      return 4;
    case OptionType::kObject:
      return 5;
    case OptionType::kObjects:
      return 6;
  }
  return 0;
}

// The default of a table as a value. A default that does not parse is a mistake in the table, and
// tests/unit/config walks all tables.
Options::Item default_item(const Option& option, const std::string& path) {
  std::optional<Options::Item> item = parse_item(option, option.fallback);
  if (!item) misuse(path, option.name, "its default does not parse");
  return *std::move(item);
}

// "batch.linger" → "batch" and "linger"; the tail is empty for a plain name.
std::pair<std::string_view, std::string_view> split(std::string_view name) {
  size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

std::optional<Options::Item> parse_item(const Option& option, std::string_view text) {
  switch (option.type) {
    case OptionType::kString:
      return std::string(text);
    case OptionType::kStrings:
      return std::vector<std::string>{std::string(text)};
    case OptionType::kBool:
      if (text == "true" || text == "false") return text == "true";
      break;
    case OptionType::kInteger: {
      int64_t number = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size()) return number;
      break;
    }
    case OptionType::kBytes:
      if (Result<int64_t> bytes = parse_bytes(text)) return *bytes;
      break;
    case OptionType::kDuration:
      if (Result<Milliseconds> duration = parse_duration(text))
        return static_cast<int64_t>(duration->count());
      break;
    case OptionType::kMap:
    case OptionType::kObject:
    case OptionType::kObjects:
      break;
  }
  return std::nullopt;
}

Options::Options(std::span<const Option> table, std::string path)
    : table_(table), path_(std::move(path)) {
  for (const Option& entry : table_) {
    if (!entry.fallback.empty())
      items_.emplace(std::string(entry.name), default_item(entry, path_));
    if (entry.type == OptionType::kObject)
      unset_objects_.emplace(std::string(entry.name),
                             std::make_shared<const Options>(entry.fields, this->path(entry.name)));
  }
}

const Option& Options::option(std::string_view name) const {
  for (const Option& entry : table_)
    if (entry.name == name) return entry;
  misuse(path_, name, "no such option in the table");
}

void Options::set(std::string_view name, Item item) {
  auto [head, tail] = split(name);
  const Option& entry = option(head);
  if (!tail.empty()) {
    // A copy, since copies of this object share the nested one.
    auto nested = std::make_shared<Options>(object(head));
    nested->set(tail, std::move(item));
    item = std::move(nested);
  }
  if (item.index() != alternative(entry.type)) misuse(path_, name, "set to another type");
  items_.insert_or_assign(std::string(head), std::move(item));
}

bool Options::has(std::string_view name) const {
  auto [head, tail] = split(name);
  if (!tail.empty()) return object(head).has(tail);
  return items_.contains(option(head).name);
}

template <typename T>
const T& Options::get(std::string_view name, OptionType type) const {
  auto [head, tail] = split(name);
  if (!tail.empty()) return object(head).get<T>(tail, type);
  if (option(head).type != type) misuse(path_, name, "asked for as another type");
  static const T kUnset{};
  auto found = items_.find(head);
  return found == items_.end() ? kUnset : std::get<T>(found->second);
}

const std::string& Options::string(std::string_view name) const {
  return get<std::string>(name, OptionType::kString);
}

int64_t Options::integer(std::string_view name) const {
  return get<int64_t>(name, OptionType::kInteger);
}

bool Options::boolean(std::string_view name) const {
  return get<bool>(name, OptionType::kBool);
}

int64_t Options::bytes(std::string_view name) const {
  return get<int64_t>(name, OptionType::kBytes);
}

Milliseconds Options::duration(std::string_view name) const {
  return Milliseconds(get<int64_t>(name, OptionType::kDuration));
}

const std::vector<std::string>& Options::strings(std::string_view name) const {
  return get<std::vector<std::string>>(name, OptionType::kStrings);
}

const Options::Map& Options::map(std::string_view name) const {
  return get<Map>(name, OptionType::kMap);
}

const Options& Options::object(std::string_view name) const {
  auto [head, tail] = split(name);
  if (!tail.empty()) return object(head).object(tail);
  const Option& entry = option(head);
  if (entry.type != OptionType::kObject) misuse(path_, name, "asked for as another type");
  auto found = items_.find(head);
  if (found != items_.end()) return *std::get<std::shared_ptr<Options>>(found->second);
  return *unset_objects_.find(head)->second;
}

const std::vector<Options>& Options::objects(std::string_view name) const {
  return get<std::vector<Options>>(name, OptionType::kObjects);
}

bool Options::operator==(const Options& other) const {
  if (table_.data() != other.table_.data() || table_.size() != other.table_.size()) return false;
  for (const Option& entry : table_) {
    if (entry.type == OptionType::kObject) {
      if (object(entry.name) != other.object(entry.name)) return false;
      continue;
    }
    auto mine = items_.find(entry.name);
    auto theirs = other.items_.find(entry.name);
    if ((mine == items_.end()) != (theirs == other.items_.end())) return false;
    if (mine != items_.end() && mine->second != theirs->second) return false;
  }
  return true;
}

}  // namespace leat
