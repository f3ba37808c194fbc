#include "cli/import/connection_url.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "base/text.h"
#include "net/authority.h"

namespace leat::datax {
namespace {

// What a parameter becomes: "sslmode=require"; "" for one that has no counterpart.
using Carry = std::string (*)(std::string_view name, std::string_view value, bool java);

std::string postgres_parameter(std::string_view name, std::string_view value, bool java) {
  struct Pair {
    std::string_view java;
    std::string_view ours;
  };
  static constexpr Pair kPairs[] = {{"ApplicationName", "application_name"},
                                    {"connectTimeout", "connect_timeout"},
                                    {"channelBinding", "channel_binding"}};
  const std::string is = "=" + std::string(value);
  for (const Pair& pair : kPairs)
    if (java && pair.java == name) return std::string(pair.ours) + is;
  static constexpr std::string_view kSame[] = {"sslmode", "sslrootcert",     "sslcert",
                                               "sslkey",  "connect_timeout", "application_name",
                                               "options"};
  for (std::string_view same : kSame)
    if (same == name) return std::string(same) + is;
  if (name == (java ? "currentSchema" : "search_path"))
    return "options=-c%20search_path%3D" + std::string(value);
  return java && name == "ssl" && value == "true" ? "sslmode=verify-full" : "";
}

// Connector/J's and go-sql-driver's. What prefers TLS, and goes without where somebody on the way
// says so, has no counterpart.
std::string mysql_parameter(std::string_view name, std::string_view value, bool java) {
  struct Mode {
    std::string_view name;
    std::string_view value;
    std::string_view ours;
  };
  static constexpr Mode kJava[] = {
      {"sslMode", "DISABLED", "DISABLED"},   {"sslMode", "REQUIRED", "REQUIRED"},
      {"sslMode", "VERIFY_CA", "VERIFY_CA"}, {"sslMode", "VERIFY_IDENTITY", "VERIFY_IDENTITY"},
      {"useSSL", "false", "DISABLED"},       {"useSSL", "true", "REQUIRED"}};
  static constexpr Mode kGo[] = {{"tls", "false", "DISABLED"},
                                 {"tls", "skip-verify", "REQUIRED"},
                                 {"tls", "true", "VERIFY_IDENTITY"}};
  for (const Mode& mode : java ? std::span<const Mode>(kJava) : std::span<const Mode>(kGo))
    if (mode.name == name && mode.value == value) return "ssl-mode=" + std::string(mode.ours);
  return "";
}

// "&sslmode=require": what is carried over.
std::string parameters(std::string_view given, bool java, Carry carry, Given& where,
                       std::string_view key) {
  std::string out;
  while (!given.empty()) {
    const std::string_view one = given.substr(0, given.find('&'));
    given.remove_prefix(std::min(one.size() + 1, given.size()));
    const std::string_view name = one.substr(0, one.find('='));
    if (name.empty()) continue;
    const std::string ours = carry(name, one.substr(std::min(name.size() + 1, one.size())), java);
    if (ours.empty())
      where.differs(key,
                    "parameter \"" + excerpt(name) + "\": has no counterpart, and is left out");
    else
      out += "&" + ours;
  }
  return out;
}

// Behind one of the schemes; "" where it begins with none.
std::string_view behind(std::string_view given, std::initializer_list<std::string_view> schemes) {
  for (std::string_view scheme : schemes)
    if (given.starts_with(scheme)) return given.substr(scheme.size());
  return "";
}

// "user:password@", unless they are in `place` already.
std::string authority(std::string_view place, const std::string& user,
                      const std::string& password) {
  if (place.find('@') != std::string_view::npos || user.empty()) return std::string(place);
  return percent_encoded(user) + (password.empty() ? "" : ":" + percent_encoded(password)) + "@" +
         std::string(place);
}

void refuse_several(std::string_view place, Given& where, std::string_view key) {
  if (place.find(',') != std::string_view::npos)
    where.wrong(key, "several hosts: leat connects to one");
}

std::string with_query(std::string url, const std::string& parameters) {
  return parameters.empty() ? url : url + "?" + parameters.substr(1);
}

}  // namespace

std::string postgres_url(std::string_view given, const std::string& user,
                         const std::string& password, Given& where, std::string_view key) {
  const bool java = given.starts_with("jdbc:");
  const std::string_view rest =
      behind(given, {"postgres://", "postgresql://", "jdbc:postgresql://"});
  if (rest.empty()) {
    where.wrong(key,
                "must be postgres://HOST:PORT/DATABASE or jdbc:postgresql://HOST:PORT/DATABASE");
    return "";
  }
  const std::string_view place = rest.substr(0, rest.find('?'));
  refuse_several(place, where, key);
  std::string query = parameters(rest.substr(std::min(place.size() + 1, rest.size())), java,
                                 postgres_parameter, where, key);
  // What the driver of the other tool does where nothing is said.
  if (!java && query.find("&sslmode=") == std::string::npos) query += "&sslmode=require";
  return with_query("postgresql://" + authority(place, user, password), query);
}

std::string mysql_url(std::string_view given, const std::string& user, const std::string& password,
                      Given& where, std::string_view key) {
  const bool java = given.starts_with("jdbc:");
  const size_t question = std::min(given.find('?'), given.size());
  std::string_view place = given.substr(0, question);
  std::string host;
  std::string query;
  if (java) {
    place = behind(place, {"jdbc:mysql://", "jdbc:mariadb://"});
    host = place.substr(0, place.find('/'));
  } else if (const size_t end = place.find(')'); end != std::string_view::npos) {
    // tcp(HOST:PORT)/DATABASE, unix(PATH)/DATABASE
    if (place.starts_with("tcp(")) host = place.substr(4, end - 4);
    if (place.starts_with("unix(")) {
      host = "localhost";
      query = "&socket=" + std::string(place.substr(5, end - 5));
    }
    place.remove_prefix(end + 1);
  }
  const size_t slash = place.find('/');
  if (host.empty() || slash == std::string_view::npos) {
    where.wrong(key, "must be tcp(HOST:PORT)/DATABASE or jdbc:mysql://HOST:PORT/DATABASE");
    return "";
  }
  refuse_several(host, where, key);
  query += parameters(given.substr(std::min(question + 1, given.size())), java, mysql_parameter,
                      where, key);
  if (query.find("&ssl-mode=") == std::string::npos) {
    if (!java) query += "&ssl-mode=DISABLED";  // what its driver does
    if (java)
      where.differs(key,
                    "says nothing of TLS that leat has: it asks for a certificate that names the "
                    "host; otherwise put ssl-mode=REQUIRED, or DISABLED, into the url");
  }
  return with_query("mysql://" + authority(host, user, password) + std::string(place.substr(slash)),
                    query);
}

}  // namespace leat::datax
