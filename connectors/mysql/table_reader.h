// A table of the server for a table::TableSource.
#pragma once

#include <memory>
#include <string>

#include "connectors/mysql/table_page.h"
#include "table/page_reader.h"

namespace leat::mysql {

class TableReader final : public table::PageReader<TablePages> {
 public:
  explicit TableReader(ReadConfig config);
  bool answers() const override { return looked(); }

 private:
  Result<std::unique_ptr<TablePages>> make_pages(const std::string& pipeline) override;

  const ReadConfig config_;
};

}  // namespace leat::mysql
