// Looks formats up in the list that CMake generates.
#include <vector>

#include "stage/format.h"

namespace leat {
namespace {

template <typename T>
std::vector<const T*> joined(std::span<const T* const> Format::*part) {
  std::vector<const T*> out;
  for (const Format* format : formats())
    out.insert(out.end(), (format->*part).begin(), (format->*part).end());
  return out;
}

}  // namespace

std::span<const ReadFormat* const> read_formats() {
  static const std::vector<const ReadFormat*> all = joined(&Format::reads);
  return all;
}

std::span<const WriteFormat* const> write_formats() {
  static const std::vector<const WriteFormat*> all = joined(&Format::writes);
  return all;
}

const ReadFormat* find_read_format(std::string_view name) {
  for (const ReadFormat* format : read_formats())
    if (format->name == name || (!name.empty() && format->also == name)) return format;
  return nullptr;
}

const WriteFormat* find_write_format(std::string_view name) {
  for (const WriteFormat* format : write_formats())
    if (format->name == name) return format;
  return nullptr;
}

const WriteFormat* find_format_of_wire(std::string_view wire) {
  for (const WriteFormat* format : write_formats())
    if (format->wire == wire) return format;
  return nullptr;
}

}  // namespace leat
