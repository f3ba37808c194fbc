// CSV tests: a decoder from options written as in a config.
#pragma once

#include <algorithm>
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

  // Decodes as a source would: reads of `step` bytes, cut where the framing says, what is left over
  // goes before the next read.
  Strings in_pieces(std::string_view text, size_t step) {
    CsvFraming framing(dialect());
    CsvDecoder decoder(dialect());
    Strings records;
    uint64_t offset = 0;
    uint64_t line = 0;
    for (size_t read = 0; offset < text.size();) {
      read = std::min(read + step, text.size());
      std::string_view there = text.substr(offset, read - offset);
      size_t whole = framing.complete_prefix(there);
      std::string piece(there.substr(0, whole));
      if (read == text.size()) {
        piece = there;
        if (whole < there.size()) piece += framing.terminator();
        whole = there.size();
      }
      BatchRef batch = bytes_of(piece);
      batch->begin = {0, offset, line};
      for (std::string& record : decode(decoder, batch)) records.push_back(std::move(record));
      line = batch_->end.line;
      offset += whole;
    }
    return records;
  }

  Options options_{kCsvReadOptions, "csv"};
};

}  // namespace leat
