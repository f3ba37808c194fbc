#include "config/parser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "config/secrets.h"
#include "config/wording.h"

namespace leat {
namespace {

constexpr const char* kUnsealed =
    "a sealed secret has no place here: it would be shown with the option";

// Whole numbers beyond this are not exact in a double, and cJSON keeps numbers as doubles.
constexpr double kExactLimit = 9007199254740992.0;  // 2^53

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

const Option* find_option(const Options& section, std::string_view name) {
  for (const Option& option : section.table())
    if (option.name == name) return &option;
  return nullptr;
}

bool is_empty(const cJSON* node) {
  if (cJSON_IsString(node)) return node->valuestring[0] == '\0';
  return (cJSON_IsArray(node) || cJSON_IsObject(node)) && node->child == nullptr;
}

// "tls.ca" for "ca" when only a nested object of the section has such a key; of several the one
// that is named as `format`.
std::string nested_name(const Options& section, std::string_view key, std::string_view format) {
  std::string out;
  for (const Option& option : section.table())
    for (const Option& field : option.fields)
      if (field.name == key && option.type == OptionType::kObject &&
          (out.empty() || option.name == format))
        out = std::string(option.name) + "." + std::string(key);
  return out;
}

}  // namespace

void Parser::fill(const cJSON* object, std::initializer_list<Options*> sections,
                  std::span<const std::string_view> handled) {
  const std::string& path = (*sections.begin())->path();
  auto present = [object](std::string_view name) {
    for (const cJSON* child = object == nullptr ? nullptr : object->child; child != nullptr;
         child = child->next)
      if (name == child->string) return true;
    return false;
  };
  for (const cJSON* child = object == nullptr ? nullptr : object->child; child != nullptr;
       child = child->next) {
    if (std::ranges::find(handled, std::string_view(child->string)) != handled.end()) continue;
    const Option* option = nullptr;
    for (Options* section : sections) {
      option = find_option(*section, child->string);
      if (option == nullptr) continue;
      read({*option, child, path_of_key(path, child->string)}, *section);
      break;
    }
    if (option == nullptr) unknown_key(path, object, child->string, sections, handled);
  }
  for (Options* section : sections)
    for (const Option& option : section->table())
      if (option.required && !present(option.name))
        problems_.add({.kind = Problem::Kind::kMissing,
                       .path = path_of_key(path, option.name),
                       .wanted = wanted(option)});
}

void Parser::unknown_key(const std::string& path, const cJSON* object, std::string_view key,
                         std::initializer_list<Options*> sections,
                         std::span<const std::string_view> handled) {
  std::vector<std::string> known(handled.begin(), handled.end());
  for (const Options* section : sections)
    for (const Option& option : section->table()) known.emplace_back(option.name);
  std::string near = nearest(key, known);
  const cJSON* format = cJSON_GetObjectItemCaseSensitive(object, "format");
  const std::string_view named = cJSON_IsString(format) ? format->valuestring : "";
  for (const Options* section : sections)
    if (near.empty()) near = nested_name(*section, key, named);
  problems_.add({.kind = Problem::Kind::kUnknownKey,
                 .path = path_of_key(path, key),
                 .wanted = joined(known),
                 .suggestion = near});
}

void Parser::read(const Place& place, Options& into) {
  if (document_.broken(place.node)) return;  // reported already, but it is there
  const Option& option = place.option;
  if (option.required && is_empty(place.node)) {
    problems_.add({.kind = Problem::Kind::kEmpty, .path = place.path, .wanted = wanted(option)});
    return;
  }
  const bool is_text = option.type == OptionType::kString || option.type == OptionType::kStrings ||
                       option.type == OptionType::kObjects;
  if (!is_text && document_.with_another_seal(place.node) != nullptr) {
    problems_.add({.path = place.path, .text = kUnsealed});
    return;
  }
  switch (option.type) {
    case OptionType::kString:
      if (std::string text; read_string(place, text)) into.set(option.name, std::move(text));
      return;
    case OptionType::kBool:
      if (bool value = false; read_bool(place, value)) into.set(option.name, value);
      return;
    case OptionType::kInteger:
    case OptionType::kBytes:
    case OptionType::kDuration:
      if (int64_t number = 0; read_number(place, number)) into.set(option.name, number);
      return;
    case OptionType::kStrings:
      if (std::vector<std::string> list; read_strings(place, list))
        into.set(option.name, std::move(list));
      return;
    case OptionType::kMap:
      if (Options::Map map; read_map(place, map)) into.set(option.name, std::move(map));
      return;
    case OptionType::kObject: {
      if (!cJSON_IsObject(place.node)) return wrong_type(place);
      if (option.fields.empty()) return;  // a stage: the loader reads it
      auto nested = std::make_shared<Options>(option.fields, place.path);
      fill(place.node, {nested.get()});
      into.set(option.name, std::move(nested));
      return;
    }
    case OptionType::kObjects:
      if (std::vector<Options> list; read_objects(place, list))
        into.set(option.name, std::move(list));
      return;
  }
}

bool Parser::read_string(const Place& place, std::string& out) {
  if (!cJSON_IsString(place.node)) {
    wrong_type(place);
    return false;
  }
  out = place.node->valuestring;
  warn_of(place);
  return check_choice(place, out);
}

// What is sealed stays so: it may only stand where all that shows the option leaves it out.
void Parser::check_seal(const Place& place, const cJSON* text) {
  const std::string* other = document_.with_another_seal(text);
  if (other == nullptr) return;
  const std::string shown = without_secrets(place.option, text->valuestring);
  // Of a secret no more can be seen than how long it is.
  if (place.option.secret && shown.find_first_not_of('*') == std::string::npos) return;
  if (shown != without_secrets(place.option, *other))
    problems_.add({.path = place.path, .text = kUnsealed});
}

// Of a string that the option takes.
void Parser::warn_of(const Place& place) {
  check_seal(place, place.node);
  const char* text = place.node->valuestring;
  const bool literal = document_.before_substitution(place.node) == nullptr;
  if (literal && (place.option.secret ? masked(text) : masked_url(text)) != text)
    problems_.add({.kind = Problem::Kind::kClearSecret, .path = place.path, .warning = true});
  if (place.option.path && text[0] == '~')
    problems_.add({.kind = Problem::Kind::kTilde, .path = place.path, .warning = true});
}

bool Parser::check_choice(const Place& place, const std::string& value) {
  std::span<const std::string_view> choices = place.option.choices;
  if (choices.empty() || std::ranges::find(choices, std::string_view(value)) != choices.end())
    return true;
  std::string near;
  if (document_.before_substitution(place.node) == nullptr)
    near = nearest(value, {choices.begin(), choices.end()});
  problems_.add({.kind = Problem::Kind::kChoice,
                 .path = place.path,
                 .wanted = "one of " + quoted_list(choices),
                 .found = describe(place.node, place.option.secret),
                 .suggestion = near});
  return false;
}

bool Parser::read_bool(const Place& place, bool& out) {
  bool variable = document_.before_substitution(place.node) != nullptr;
  std::string_view text = variable ? place.node->valuestring : "";
  if (!cJSON_IsBool(place.node) && text != "true" && text != "false") {
    wrong_type(place);
    return false;
  }
  out = variable ? text == "true" : cJSON_IsTrue(place.node) != 0;
  return true;
}

bool Parser::read_number(const Place& place, int64_t& out) {
  const Option& option = place.option;
  const cJSON* node = place.node;
  bool variable = document_.before_substitution(node) != nullptr;
  std::optional<int64_t> number;
  if (cJSON_IsNumber(node) && option.type != OptionType::kDuration) {
    double value = node->valuedouble;
    if (std::abs(value) <= kExactLimit && value == std::floor(value))
      number = static_cast<int64_t>(value);
  } else if (cJSON_IsString(node) && option.type == OptionType::kBytes) {
    if (Result<int64_t> bytes = parse_bytes(node->valuestring)) number = *bytes;
  } else if (cJSON_IsString(node) && option.type == OptionType::kDuration) {
    if (Result<Milliseconds> time = parse_duration(node->valuestring)) number = time->count();
  } else if (variable) {  // a number can only come out of a variable as text
    number = whole_number(node->valuestring);
  }
  if (!number) {
    wrong_type(place);
    return false;
  }
  if (*number < option.min || *number > option.max) {
    problems_.add({.kind = Problem::Kind::kRange,
                   .path = place.path,
                   .wanted = range_text(option),
                   .found = describe(node, option.secret)});
    return false;
  }
  out = *number;
  return true;
}

bool Parser::read_strings(const Place& place, std::vector<std::string>& out) {
  if (cJSON_IsString(place.node)) {
    out.emplace_back(place.node->valuestring);
    warn_of(place);
    return check_choice(place, out.back());
  }
  if (!cJSON_IsArray(place.node)) {
    wrong_type(place);
    return false;
  }
  bool good = true;
  size_t index = 0;
  for (const cJSON* child = place.node->child; child != nullptr; child = child->next, ++index) {
    if (document_.broken(child)) continue;
    Place element{place.option, child, path_of_index(place.path, index)};
    if (!cJSON_IsString(child)) {
      wrong_type(element.path, "a string", describe(child));
      good = false;
    } else if (check_choice(element, child->valuestring)) {
      out.emplace_back(child->valuestring);
      warn_of(element);
    } else {
      good = false;
    }
  }
  return good;
}

bool Parser::read_map(const Place& place, Options::Map& out) {
  if (!cJSON_IsObject(place.node)) {
    wrong_type(place);
    return false;
  }
  bool good = true;
  for (const cJSON* child = place.node->child; child != nullptr; child = child->next) {
    if (document_.broken(child)) continue;
    if (cJSON_IsString(child)) {
      out.emplace_back(child->string, child->valuestring);
      check_seal({place.option, child, path_of_key(place.path, child->string)}, child);
      if (place.option.masked && names_secret(child->string) && child->valuestring[0] != '\0' &&
          document_.before_substitution(child) == nullptr)
        problems_.add({.kind = Problem::Kind::kClearSecret,
                       .path = path_of_key(place.path, child->string),
                       .warning = true});
      continue;
    }
    wrong_type(path_of_key(place.path, child->string), "a string",
               describe(child, place.option.secret));
    good = false;
  }
  return good;
}

bool Parser::read_objects(const Place& place, std::vector<Options>& out) {
  const Option& option = place.option;
  if (takes_text(option) && cJSON_IsString(place.node)) {
    add_text(place, out);
    return true;
  }
  if (!cJSON_IsArray(place.node)) {
    wrong_type(place);
    return false;
  }
  bool good = true;
  size_t index = 0;
  for (const cJSON* child = place.node->child; child != nullptr; child = child->next, ++index) {
    std::string path = path_of_index(place.path, index);
    if (takes_text(option) && cJSON_IsString(child)) {
      if (!document_.broken(child)) add_text({option, child, path}, out);
    } else if (cJSON_IsObject(child)) {
      out.emplace_back(option.fields, path);
      fill(child, {&out.back()});
    } else {
      wrong_type(path, "an object such as " + example_of(option), describe(child, option.secret));
      good = false;
    }
  }
  return good;
}

// Of an option that takes_text().
void Parser::add_text(const Place& place, std::vector<Options>& out) {
  const Option& first = place.option.fields[0];
  out.emplace_back(place.option.fields, place.path)
      .set(first.name, std::string(place.node->valuestring));
  warn_of(place);
}

bool Parser::expect_object(const cJSON* node, const std::string& path, std::string_view example) {
  if (cJSON_IsObject(node)) return true;
  wrong_type(path, "an object such as " + std::string(example), describe(node));
  return false;
}

bool Parser::expect_list(const cJSON* node, const std::string& path, std::string_view example) {
  if (cJSON_IsArray(node)) return true;
  wrong_type(path, "a list such as " + std::string(example), describe(node));
  return false;
}

void Parser::wrong_type(const Place& place) {
  wrong_type(place.path, wanted(place.option), describe(place.node, place.option.secret));
}

void Parser::wrong_type(const std::string& path, std::string wanted, std::string found) {
  problems_.add({.kind = Problem::Kind::kType,
                 .path = path,
                 .wanted = std::move(wanted),
                 .found = std::move(found)});
}

std::string Parser::describe(const cJSON* node, bool secret) const {
  if (const std::string* original = document_.before_substitution(node))
    return "what \"" + excerpt(*original) + "\" stands for";
  if (cJSON_IsNull(node)) return "null (leave the key out to get the default)";
  if (cJSON_IsBool(node)) return cJSON_IsTrue(node) ? "true" : "false";
  if (cJSON_IsArray(node)) return "a list";
  if (cJSON_IsObject(node)) return "an object";
  if (secret) return cJSON_IsNumber(node) ? "a number" : "a string";
  if (cJSON_IsNumber(node)) return "the number " + print_json(node);
  return "the string \"" + excerpt(node->valuestring) + "\"";
}

}  // namespace leat
