#include "cli/import/connection_url.h"

#include "base/text.h"
#include "net/authority.h"

namespace leat::datax {
namespace {

constexpr std::string_view kGo[] = {"postgres://", "postgresql://"};
constexpr std::string_view kJava = "jdbc:postgresql://";

// Our name of a parameter that has one; "" for the others.
std::string_view parameter_name(std::string_view name, bool java) {
  struct Pair {
    std::string_view java;
    std::string_view ours;
  };
  static constexpr Pair kPairs[] = {{"ApplicationName", "application_name"},
                                    {"connectTimeout", "connect_timeout"},
                                    {"channelBinding", "channel_binding"}};
  for (const Pair& pair : kPairs)
    if (java && pair.java == name) return pair.ours;
  static constexpr std::string_view kSame[] = {"sslmode", "sslrootcert",     "sslcert",
                                               "sslkey",  "connect_timeout", "application_name",
                                               "options"};
  for (std::string_view same : kSame)
    if (same == name) return same;
  return "";
}

// "&sslmode=require": the parameters that are carried over.
std::string parameters(std::string_view given, bool java, Given& where, std::string_view key) {
  std::string out;
  bool says_tls = false;
  while (!given.empty()) {
    const std::string_view one = given.substr(0, given.find('&'));
    given.remove_prefix(std::min(one.size() + 1, given.size()));
    const std::string_view name = one.substr(0, one.find('='));
    const std::string_view value = one.substr(std::min(name.size() + 1, one.size()));
    if (name.empty()) continue;
    if (const std::string_view ours = parameter_name(name, java); !ours.empty()) {
      out += "&" + std::string(ours) + "=" + std::string(value);
      says_tls |= ours == "sslmode";
    } else if (name == (java ? "currentSchema" : "search_path")) {
      out += "&options=-c%20search_path%3D" + std::string(value);
    } else if (java && name == "ssl" && value == "true") {
      out += "&sslmode=verify-full";
      says_tls = true;
    } else {
      where.differs(key,
                    "parameter \"" + excerpt(name) + "\": has no counterpart, and is left out");
    }
  }
  // What the driver of the other tool does where nothing is said.
  if (!java && !says_tls) out += "&sslmode=require";
  return out;
}

}  // namespace

std::string postgres_url(std::string_view given, const std::string& user,
                         const std::string& password, Given& where, std::string_view key) {
  std::string_view rest;
  const bool java = given.starts_with(kJava);
  if (java) rest = given.substr(kJava.size());
  for (std::string_view scheme : kGo)
    if (given.starts_with(scheme)) rest = given.substr(scheme.size());
  if (rest.empty()) {
    where.wrong(key,
                "must be postgres://HOST:PORT/DATABASE or jdbc:postgresql://HOST:PORT/DATABASE");
    return "";
  }
  const std::string_view place = rest.substr(0, rest.find('?'));
  if (place.find(',') != std::string_view::npos)
    where.wrong(key, "several hosts: leat connects to one");
  std::string out = "postgresql://";
  if (place.find('@') == std::string_view::npos && !user.empty())
    out += percent_encoded(user) + (password.empty() ? "" : ":" + percent_encoded(password)) + "@";
  out += place;
  const std::string query =
      parameters(rest.substr(std::min(place.size() + 1, rest.size())), java, where, key);
  return query.empty() ? out : out + "?" + query.substr(1);
}

}  // namespace leat::datax
