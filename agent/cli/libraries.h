// What is in the binary besides our own code: `leat version --verbose`.
#pragma once

#include <string>
#include <vector>

namespace leat {

struct Library {
  std::string name;
  std::string version;  // as the library itself tells it
  std::string license;  // an SPDX license expression
};

// The libraries that this build is linked with. Any thread.
std::vector<Library> linked_libraries();

// One line for each, in columns.
std::string libraries_table(const std::vector<Library>& libraries);

}  // namespace leat
