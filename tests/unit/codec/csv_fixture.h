// CSV tests: a decoder from options written as in a config.
#pragma once

#include <optional>

#include "codec/csv/decoder.h"
#include "codec/csv/rows.h"
#include "codec_fixture.h"

namespace leat {

class CsvTest : public CodecTest {
 protected:
  struct Column {
    std::optional<int64_t> index;
    std::string name;
    std::string type = "string";
    std::string format = "rfc3339";
  };

  void columns(const std::vector<Column>& columns) {
    std::span<const Option> table;
    for (const Option& option : kCsvReadOptions)
      if (option.name == "columns") table = option.fields;
    std::vector<Options> items;
    for (const Column& column : columns) {
      Options item(table, "csv.columns[" + std::to_string(items.size()) + "]");
      if (column.index) item.set("index", *column.index);
      item.set("name", column.name);
      item.set("type", column.type);
      item.set("format", column.format);
      items.push_back(std::move(item));
    }
    options_.set("columns", std::move(items));
  }

  CsvDialect dialect() {
    Result<CsvDialect> dialect = CsvDialect::for_reading(options_);
    EXPECT_TRUE(dialect) << (dialect ? "" : dialect.error().message());
    return dialect ? *dialect : CsvDialect();
  }
  std::string dialect_error() {
    Result<CsvDialect> dialect = CsvDialect::for_reading(options_);
    return dialect ? "accepted" : dialect.error().message();
  }

  // With a new decoder each time.
  Strings read(std::string_view text) {
    CsvDecoder decoder(dialect());
    return decode(decoder, text);
  }

  Options options_{kCsvReadOptions, "csv"};
};

}  // namespace leat
