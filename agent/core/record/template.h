// Text with fields of a record in it: "plant/{site}/{device}"; "{{" and "}}" stand for braces.
//
// Thread: the loop's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/batch.h"

namespace leat {

class Template {
 public:
  struct Piece {
    std::string text;         // a literal, or the name of a field
    std::string format = {};  // of a field: what stands behind its ":"
    bool is_field = false;
    int index = -1;  // where the field was in the record before
  };

  // Errors are kUsage and say what is wrong with the text. `formats`: a field may be followed by a
  // ":" and how its value is to be written; without, a ":" is part of its name.
  static Result<Template> parse(std::string_view text, bool formats = false);

  // Appends the text for a record: bytes as they are, other values as text. Errors are kData and
  // name the field that is missing or null.
  Status append(std::string& out, const Record& record);

  std::vector<Piece>& pieces() { return pieces_; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  // Null: the record has no such field.
  static const Value* find(Piece& field, const Record& record);

  bool has_fields() const;
  // The text without its fields.
  std::string literal() const;

 private:
  std::vector<Piece> pieces_;
};

}  // namespace leat
