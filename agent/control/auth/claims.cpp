#include "control/auth/claims.h"

#include <cmath>
#include <utility>

#include "plan/control_key.h"

namespace leat::control {
namespace {

constexpr double kGreatestWhole = 9007199254740991;  // 2^53 - 1
constexpr int kMostAddressees = 64;

const cJSON* member(const cJSON* object, const char* name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

bool read_addressees(const cJSON* node, std::vector<std::string>& out) {
  const bool is_list = cJSON_IsArray(node) != 0;
  if (is_list && cJSON_GetArraySize(node) > kMostAddressees) return false;
  for (const cJSON* one = is_list ? node->child : node; one != nullptr;
       one = is_list ? one->next : nullptr) {
    if (cJSON_IsString(one) == 0) return false;
    out.emplace_back(one->valuestring);
  }
  return !out.empty();
}

// NumericDate: seconds, with or without a fraction.
bool read_time(const cJSON* node, double& out) {
  if (cJSON_IsNumber(node) == 0 || !(node->valuedouble > 0 && node->valuedouble < kGreatestWhole))
    return false;
  out = node->valuedouble;
  return true;
}

bool read_counter(const cJSON* node, uint64_t& out) {
  if (cJSON_IsNumber(node) == 0) return false;
  const double value = node->valuedouble;
  if (!(value >= 1 && value <= kGreatestWhole) || value != std::floor(value)) return false;
  out = static_cast<uint64_t>(value);
  return true;
}

}  // namespace

std::optional<Claims> read_claims(std::string_view payload) {
  const jws::JsonTree tree = jws::parse_object(payload);
  if (tree == nullptr) return std::nullopt;
  Claims out;
  out.correlation = jws::string_member(tree.get(), "jti").value_or("");
  out.command = jws::string_member(tree.get(), "command").value_or("");
  const cJSON* not_before = member(tree.get(), "nbf");
  if (!is_plain_id(out.correlation) || !is_plain_id(out.command) ||
      !read_addressees(member(tree.get(), "aud"), out.addressees) ||
      !read_counter(member(tree.get(), "counter"), out.counter) ||
      !read_time(member(tree.get(), "exp"), out.expires) ||
      (not_before != nullptr && !read_time(not_before, out.not_before)))
    return std::nullopt;
  const bool has_arguments = member(tree.get(), "arguments") != nullptr;
  out.arguments.reset(has_arguments
                          ? cJSON_DetachItemFromObjectCaseSensitive(tree.get(), "arguments")
                          : cJSON_CreateObject());
  if (cJSON_IsObject(out.arguments.get()) == 0) return std::nullopt;
  return out;
}

}  // namespace leat::control
