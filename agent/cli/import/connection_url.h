// URLs of databases, as Go's and Java's drivers take them, as one that leat takes.
#pragma once

#include <string>
#include <string_view>

#include "cli/import/given.h"

namespace leat::datax {

// postgres://HOST/DATABASE?… or jdbc:postgresql://HOST/DATABASE?…; the user and the password stand
// beside it. What is wrong, and what is left out, is said at `key` of `where`.
std::string postgres_url(std::string_view given, const std::string& user,
                         const std::string& password, Given& where, std::string_view key);
// The same of tcp(HOST)/DATABASE?…, unix(PATH)/DATABASE?… or jdbc:mysql://HOST/DATABASE?…
std::string mysql_url(std::string_view given, const std::string& user, const std::string& password,
                      Given& where, std::string_view key);

}  // namespace leat::datax
