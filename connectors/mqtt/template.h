// Text with fields of a record in it: "plant/{site}/{device}"; "{{" and "}}" stand for braces.
//
// Thread: the loop's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/batch.h"

namespace leat::mqtt {

class Template {
 public:
  // Errors are kUsage and say what is wrong with the text.
  static Result<Template> parse(std::string_view text);

  // Appends the text for a record: bytes as they are, other values as text. Errors are kData and
  // name the field that is missing or null.
  Status append(std::string& out, const Record& record);

  // The text without its fields.
  std::string literal() const;

 private:
  struct Piece {
    std::string text;  // a literal, or the name of a field
    bool is_field = false;
    int index = -1;  // of the field in shape_
  };
  std::vector<Piece> pieces_;
  const Shape* shape_ = nullptr;  // that the indices are of
};

}  // namespace leat::mqtt
