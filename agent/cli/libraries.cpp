#include "cli/libraries.h"

#include <cjson/cJSON.h>
#include <gnu/libc-version.h>
#include <http_parser.h>
#include <mbedtls/version.h>
#include <sqlite3.h>
#include <uv.h>
#include <zlib.h>

#include <fmt/core.h>
#include <algorithm>
#include <tl/expected.hpp>

#ifdef LEAT_LINKS_EXPAT
#include <expat.h>
#endif
#ifdef LEAT_LINKS_MARIADB
#include <mysql.h>
#endif
#ifdef LEAT_LINKS_RABBITMQ
#include <amqp.h>
#endif
#ifdef LEAT_LINKS_SERIALPORT
#include <libserialport.h>
#endif

namespace leat {
namespace {

std::string dotted(unsigned major, unsigned minor, unsigned patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string mbedtls_version() {
  char text[16] = {};  // 9 characters and a null are demanded
  mbedtls_version_get_string(text);
  return text;
}

std::string expected_version() {
  return dotted(TL_EXPECTED_VERSION_MAJOR, TL_EXPECTED_VERSION_MINOR, TL_EXPECTED_VERSION_PATCH);
}

std::string fmt_version() {
  return dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
}

// http_parser.h: bits 16-23 are the major version, 8-15 the minor one, 0-7 the patch level.
std::string http_parser_release() {
  auto version = static_cast<unsigned>(http_parser_version());
  return dotted((version >> 16) & 0xFF, (version >> 8) & 0xFF, version & 0xFF);
}

#ifdef LEAT_LINKS_EXPAT
std::string expat_release() {
  const XML_Expat_Version version = XML_ExpatVersionInfo();
  return dotted(static_cast<unsigned>(version.major), static_cast<unsigned>(version.minor),
                static_cast<unsigned>(version.micro));
}
#endif

}  // namespace

std::vector<Library> linked_libraries() {
  return {
#define LEAT_LIBRARY(name, archive, source, license, version) Library{name, version, license},
#include "cli/libraries.def"
#undef LEAT_LIBRARY
  };
}

std::string libraries_table(const std::vector<Library>& libraries) {
  size_t name_width = 0;
  size_t version_width = 0;
  for (const Library& library : libraries) {
    name_width = std::max(name_width, library.name.size());
    version_width = std::max(version_width, library.version.size());
  }
  std::string out;
  for (const Library& library : libraries) {
    out += "  " + library.name + std::string(name_width - library.name.size() + 2, ' ');
    out += library.version + std::string(version_width - library.version.size() + 2, ' ');
    out += library.license + "\n";
  }
  return out;
}

}  // namespace leat
