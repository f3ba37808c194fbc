// The two ways to write a row of texts: as a line of COPY, and in the VALUES of an INSERT.
#pragma once

#include <string_view>

#include "protocols/postgres/buffer.h"

namespace leat::postgres {

struct RowFormat {
  std::string_view begin;
  std::string_view between;
  std::string_view end;
  std::string_view null;
  std::string_view absent;  // what the column's default goes in for
  void (*append)(Buffer& out, std::string_view text);
};

extern const RowFormat kCopyRow;
extern const RowFormat kInsertRow;

}  // namespace leat::postgres
