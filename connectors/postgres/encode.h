// leat's values in PostgreSQL's binary form, and in its text form: what each conversion accepts is
// decided here once for both.
//
// Thread: one at a time.
#pragma once

#include <string>
#include <string_view>

#include "connectors/postgres/column.h"
#include "connectors/postgres/misfit.h"
#include "protocols/postgres/buffer.h"
#include "record/value.h"

namespace leat::postgres {

class FieldEncoder {
 public:
  // Appends a field of binary COPY: length and value. The column's kind has a binary form. On a
  // misfit, what was appended is of no use.
  Misfit append_binary(Buffer& out, const Column& column, const Value& value);

  // The value as the type's input function reads it, not escaped in any way; nullopt-like: false in
  // `null` means there is text. Valid until the next call.
  Misfit text_form(const Column& column, const Value& value, std::string_view& text, bool& null);

 private:
  Misfit append_text(Buffer& out, const Column& column, const Value& value);
  Misfit append_json(Buffer& out, bool with_version, const Value& value);
  std::string_view plain_text(const Value& value);

  std::string scratch_;
  Buffer binary_;
  std::string text_;
};

// Whether text can be stored: UTF-8 without NUL.
Misfit check_text(std::string_view text);

// Characters of UTF-8 text.
int64_t characters(std::string_view text);

// A JSON array as an array literal: [1,"a",null] becomes {1,"a",NULL}. False when it is none.
bool append_array_literal(std::string& out, std::string_view json);

// True when the text is one JSON value (RFC 8259), nested at most 500 deep.
bool is_json(std::string_view text);

}  // namespace leat::postgres
