// Rows in the binary form of their types, as both a SELECT gives them and COPY takes them: the
// number of fields (int16), and before each field its length (int32; -1: null)
// (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4). From table to table they
// pass through as they are (Batch::rows), where the columns are of the same types. That spares both
// servers and leat most of the work: text of numbers and times need not be made, nor read.
//
// Whatever does not fit (other types; a row that the server refuses; a dead letter) is decoded, and
// is from then on what it would have been as text. So there is one meaning, and this is only the
// quicker way to it; only tables whose columns are all of types that can be decoded here take it.
//
// Thread: the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "connectors/postgres/column.h"
#include "record/batch.h"
#include "stage/sink.h"

namespace leat::postgres {

// SourceType::rows and SinkType::rows.
inline constexpr std::string_view kBinaryRows = "rows of PostgreSQL";

// Before the first row of a COPY, and behind the last.
inline constexpr std::string_view kCopyHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
inline constexpr std::string_view kCopyTrailer{"\377\377", 2};

class BinaryRows final : public RowForm {
 public:
  struct Field {
    uint32_t type = 0;  // pg_type.oid
    Kind kind = Kind::kOther;
    bool operator==(const Field&) const = default;
  };

  // Null: one of them is of a type that cannot be decoded.
  static std::shared_ptr<const BinaryRows> of(std::vector<Field> fields);
  const std::vector<Field>& fields() const { return fields_; }
  // What is no such row becomes nulls.
  Value* values_of(std::string_view row, Arena& arena) const override;

 private:
  explicit BinaryRows(std::vector<Field> fields) : fields_(std::move(fields)) {}
  const std::vector<Field> fields_;
};

// Of all records of the delivery, when they have it, and it is the same, with the same names; that
// of several tables may be. Where it is set, it is of
// this connector: sources and sinks of others have no rows of this name.
const BinaryRows* rows_of(const Delivery& delivery);
void open_rows(const Delivery& delivery);

}  // namespace leat::postgres
