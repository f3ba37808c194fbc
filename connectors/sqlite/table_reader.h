// A table of a SQLite database for a table::TableSource.
#pragma once

#include <memory>
#include <string>

#include "connectors/sqlite/table_page.h"
#include "table/page_reader.h"

namespace leat::sqlite {

class TableReader final : public table::PageReader<TablePages> {
 public:
  explicit TableReader(ReadConfig config) : PageReader("leat-sqlite"), config_(std::move(config)) {}

 private:
  Result<std::unique_ptr<TablePages>> make_pages(const std::string& /*pipeline*/) override {
    return std::make_unique<TablePages>(config_);
  }

  const ReadConfig config_;
};

}  // namespace leat::sqlite
