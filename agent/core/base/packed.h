// What packed files begin with.
//
// Thread: any.
#pragma once

#include <string_view>
#include <utility>

namespace leat {

// "a zip archive", of content that begins like this; "" when it begins like none of them.
inline std::string_view packed_as(std::string_view content) {
  static constexpr std::pair<std::string_view, std::string_view> kMagic[] = {
      {"BZh", "a bzip2 file"},
      {"\xFD"
       "7zXZ",
       "an xz file"},
      {"\x28\xB5\x2F\xFD", "a zstd file"},
      {"\x1F\x8B", "a gzip file"},
      {"PK\x03\x04", "a zip archive"},
  };
  for (const auto& [magic, name] : kMagic)
    if (content.starts_with(magic)) return name;
  return "";
}

}  // namespace leat
