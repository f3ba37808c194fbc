// A layout made by hand, and deliveries for it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "connectors/postgres/rows.h"
#include "support/sink_harness.h"

namespace leat::testing {

class PostgresRowsTest : public ::testing::Test {
 protected:
  void add_column(std::string name, postgres::Kind kind = postgres::Kind::kInt4) {
    postgres::Column column;
    column.name = std::move(name);
    column.kind = kind;
    column.number = static_cast<int>(target_.layout.columns.size()) + 1;
    column.type = 23;
    column.type_name = "integer";
    target_.layout.columns.push_back(std::move(column));
  }
  postgres::Column& last_column() { return target_.layout.columns.back(); }

  postgres::Rows& rows(const std::vector<Row>& records) {
    target_.layout.name = "t";
    target_.table = "\"t\"";
    target_.config = &config_;
    rows_.reset();
    mapping_.emplace(config_, target_.layout);
    target_.mapping = &*mapping_;
    delivery_ = harness_.records(records);
    rows_.emplace(target_, text_, delivery_, "BEGIN;", "", "COMMIT");
    return *rows_;
  }

  // All SQL and the number of bytes of each COPY: "BEGIN;COPY …|33 bytes|…COMMIT".
  std::string copied(const std::vector<Row>& records) {
    postgres::Rows& all = rows(records);
    std::string out = all.begin_copy();
    size_t bytes = 0;
    for (int pieces = 0; pieces < 1000; ++pieces) {
      postgres::Buffer data;
      postgres::CopySource::Piece piece = all.next(data);
      bytes += data.size();
      if (piece.kind == postgres::CopySource::Piece::Kind::kMore) continue;
      if (piece.kind == postgres::CopySource::Piece::Kind::kAbort) return out + "|abort";
      out += "|" + std::to_string(bytes) + "|" + piece.sql;
      bytes = 0;
      if (!piece.copies_again) return out;
    }
    ADD_FAILURE() << "it does not end";
    return out;
  }

  SinkHarness harness_;
  postgres::MappingConfig config_;
  postgres::Target target_;
  std::optional<postgres::Mapping> mapping_;
  postgres::FieldText text_;
  Delivery delivery_;
  std::optional<postgres::Rows> rows_;
};

inline Value whole(int64_t i) {
  return Value::of_integer(i);
}

}  // namespace leat::testing
