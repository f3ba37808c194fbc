// Decoder for CSV (RFC 4180, and what rows.h says about bad quotes).
//
// A stream's header and skipped rows come once per partition. Each message (kSlices) is a document
// of its own, with its own header if there is one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/csv/rows.h"
#include "codec/csv/table.h"
#include "codec/csv/value.h"
#include "codec/text/limits.h"
#include "codec/text/utf16.h"
#include "codec/text/value_run.h"
#include "stage/codec.h"

namespace leat {

class CsvDecoder final : public Decoder {
 public:
  explicit CsvDecoder(CsvDialect dialect);

  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;

  // True when a reader that resumes in the middle must be shown the start first.
  static bool needs_preamble(const CsvDialect& dialect) {
    return dialect.header || dialect.start_row > 1 || dialect.text.is_utf16();
  }

 private:
  // Where the reading of a partition stands.
  struct Progress {
    uint64_t skip = 0;                // lines before startRow that are still to come
    bool header = false;              // the header is still to come
    bool bad_header = false;          // so no row can be read
    std::shared_ptr<CsvTable> table;  // null: by the width of each row
    uint64_t rows_from = 0;           // where the preamble's rows begin: nothing before is data
    bool preamble_only = false;       // nothing but the preamble was seen
    uint64_t preamble_end = 0;        // its offset

    bool at_rows() const { return skip == 0 && !header; }
  };

  // What one decode() works with.
  struct Work {
    Batch& batch;
    DeadLetters& dead;
    ValueRun values;
    Progress& progress;
    InputText input;  // now read
    const Slice* slice = nullptr;
    uint32_t lines = 0;  // so far in the batch; not counted in a slice
    bool stop = false;   // this turn ends: no more dead letters may wait
  };

  struct Row {
    char* start = nullptr;
    char* end = nullptr;        // behind the newline
    uint32_t begin_offset = 0;  // in the source, as is the next
    uint32_t end_offset = 0;
    uint32_t lines = 1;
    const char* problem = nullptr;  // when it cannot be read

    std::string_view view() const { return {start, static_cast<size_t>(end - start)}; }
    std::string_view text() const;  // without the line's end
  };

  Progress first_progress() const;
  Status decode_stream(Batch& batch, DeadLetters& dead);
  void decode_slices(Batch& batch, DeadLetters& dead);
  void read(Work& work);
  Row next_line(char* p, char* end) const;
  Row next_row(char* p, char* end);
  char* quoted_field(Row& row, char* open, char* end);
  void learn_header(Work& work, const Row& row);
  void add_record(Work& work, const Row& row);
  CsvTable* table_for(Work& work);
  bool fill(const Row& row, const CsvTable& table, Value* values);
  void unescape_doubled();
  void reject(Work& work, const Row& row, std::string_view reason);
  Position position_after(const Work& work, const Row& row) const;

  const CsvDialect dialect_;
  CsvValueReader reader_;
  Utf16Reader utf16_;
  std::unordered_map<uint32_t, Progress> partitions_;
  // The header learned last and its table: the files of a directory nearly always have the same.
  std::string header_text_;
  std::string header_missing_;
  std::shared_ptr<CsvTable> header_table_;
  std::shared_ptr<CsvTable> columns_table_;                   // without header
  std::map<size_t, std::unique_ptr<CsvTable>> width_tables_;  // without header and columns
  size_t width_fields_ = 0;  // of all width_tables_, at most kMaxFields
  uint64_t batch_number_ = 0;
  std::string reason_;            // why fill() refused a row
  std::vector<CsvField> fields_;  // of the row being read
  std::vector<Value*> doubled_;   // its values that have doubled quotes in them still
};

}  // namespace leat
