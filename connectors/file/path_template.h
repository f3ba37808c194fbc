// The path of a file sink, which may hold fields of the records: "/archive/dt={_time:%Y-%m-%d}/
// site={site}/part.csv". Each record then has a path of its own, in folders as Hive, Spark and
// DuckDB partition tables.
//
// What a value could do to a path is taken from it by Hive's own escape (%2F for a "/"), which
// those readers undo. A dot at its beginning is escaped, too, so that no value is "..", or hides a
// file. Null, and text that is empty, are __HIVE_DEFAULT_PARTITION__.
//
// Thread: the loop's for find(), any for the rest.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "record/template.h"

namespace leat::file {

class PathTemplate {
 public:
  // Errors are kUsage and say what is wrong with the text.
  static Result<PathTemplate> parse(std::string_view text);

  bool has_fields() const { return fields_; }
  // The path, when it has none.
  const std::string& plain() const { return plain_; }
  // The folder that must be there; what the fields say is made below it.
  const std::string& base() const { return base_; }
  // A pattern that matches the path of each record, as PathPattern takes it.
  std::string pattern() const;

  // Makes path() that of a record. Errors are kData: a value that is no time, or too long for a
  // name.
  Status find(const Record& record);
  const std::string& path() const { return path_; }
  // A field of the template that a record did not have, which is null then; "" when each had all.
  const std::string& missed() const { return missed_; }

 private:
  void name_one_way();
  Status append(Template::Piece& field, const Record& record);
  Status check_lengths() const;

  Template text_;
  bool fields_ = false;
  std::string plain_;
  std::string base_;
  std::string path_;   // made last
  std::string value_;  // the same
  std::string missed_;
};

}  // namespace leat::file
