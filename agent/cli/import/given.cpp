#include "cli/import/given.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "options/option_errors.h"

namespace leat::datax {
namespace {

bool says_nothing(const cJSON* node) {
  if (cJSON_IsString(node) != 0) return node->valuestring[0] == '\0';
  return cJSON_IsNull(node) != 0 ||
         ((cJSON_IsArray(node) != 0 || cJSON_IsObject(node) != 0) && node->child == nullptr);
}

// Nullopt: neither a text nor a whole number.
std::optional<std::string> text_of(const cJSON* node) {
  if (cJSON_IsString(node) != 0) return node->valuestring;
  if (cJSON_IsNumber(node) == 0 || node->valuedouble != std::floor(node->valuedouble) ||
      std::fabs(node->valuedouble) > 9e15)
    return std::nullopt;
  return std::to_string(static_cast<int64_t>(node->valuedouble));
}

}  // namespace

const cJSON* Given::take(std::string_view name) {
  taken_.emplace(name);
  const cJSON* node = cJSON_GetObjectItemCaseSensitive(node_, std::string(name).c_str());
  return node == nullptr || says_nothing(node) ? nullptr : node;
}

std::string Given::text(std::string_view name, std::string_view otherwise) {
  const cJSON* node = take(name);
  if (node == nullptr) return std::string(otherwise);
  std::optional<std::string> text = text_of(node);
  if (!text) wrong(name, "must be a text");
  return text.value_or(std::string(otherwise));
}

std::optional<int64_t> Given::number(std::string_view name) {
  if (!has(name)) return std::nullopt;
  const std::string digits = text(name);
  int64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  wrong(name, "must be a whole number");
  return std::nullopt;
}

bool Given::boolean(std::string_view name) {
  const cJSON* node = take(name);
  if (node == nullptr || cJSON_IsBool(node) != 0) return cJSON_IsTrue(node) != 0;
  const std::optional<std::string> text = text_of(node);
  if (text == "true" || text == "false") return text == "true";
  wrong(name, "must be true or false");
  return false;
}

std::vector<std::string> Given::texts(std::string_view name) {
  const cJSON* node = take(name);
  if (node == nullptr) return {};
  if (cJSON_IsArray(node) == 0) return {text(name)};
  std::vector<std::string> out;
  for (const cJSON* item = node->child; item != nullptr; item = item->next) {
    if (std::optional<std::string> text = text_of(item)) {
      if (!text->empty()) out.push_back(*std::move(text));
    } else {
      wrong(name, "must be a list of texts");
    }
  }
  return out;
}

Given Given::object(std::string_view name) {
  const cJSON* node = take(name);
  if (node != nullptr && cJSON_IsObject(node) == 0) {
    wrong(name, "must be an object");
    node = nullptr;
  }
  return {node, path_of(name), problems_};
}

std::vector<Given> Given::objects(std::string_view name) {
  const cJSON* node = take(name);
  if (node == nullptr) return {};
  if (cJSON_IsArray(node) == 0) return {object(name)};
  std::vector<Given> out;
  for (const cJSON* item = node->child; item != nullptr; item = item->next) {
    const std::string path = path_of_index(path_of(name), out.size());
    if (cJSON_IsObject(item) == 0) problems_.add({.path = path, .text = "must be an object"});
    out.emplace_back(cJSON_IsObject(item) != 0 ? item : nullptr, path, problems_);
  }
  return out;
}

std::string Given::path_of(std::string_view name) const {
  return name.empty() ? path_ : path_of_key(path_, name);
}

void Given::wrong(std::string_view name, std::string why) {
  problems_.add({.path = path_of(name), .text = std::move(why)});
}

void Given::differs(std::string_view name, std::string how) {
  problems_.add({.path = path_of(name), .text = std::move(how), .warning = true});
}

void Given::not_carried_over(std::string_view name, std::string why) {
  if (has(name)) wrong(name, std::move(why));
}

void Given::left_out(std::string_view name, std::string why) {
  if (has(name)) differs(name, std::move(why));
}

void Given::finish() {
  if (node_ == nullptr) return;
  for (const cJSON* item = node_->child; item != nullptr; item = item->next)
    if (!taken_.contains(std::string_view(item->string)) && !says_nothing(item))
      differs(item->string, "not known here, and left out");
}

}  // namespace leat::datax
