// JSON in a stream where a line is not a document: the elements of one array, or documents one
// after another, however they are laid out. The framing that cuts the stream and the decoder that
// reads it share these rules, so that both always agree on where a piece ends.
//
// A piece is found from where it begins, without knowing what came before: so reading goes on at
// any piece after a restart, and what is wrong with one costs no other. For that, the ',' or ']'
// behind an element is part of its piece.
#pragma once

#include <cstdint>
#include <string_view>

#include "stage/codec.h"

namespace leat {

enum class JsonDocument : uint8_t {
  kLine,          // one document a line
  kArray,         // one array of objects, over any number of lines
  kConcatenated,  // documents one after another, with or without space between
};

struct JsonPiece {
  std::string_view text;      // the value; empty where there is only space, a bracket or a comma
  const char* end = nullptr;  // where the next one begins
  bool complete = false;      // false: it ends where the bytes do, and may go on
  bool opens = false;         // kArray: a '[' stands before the value
  bool followed = false;      // kArray: a ',' or ']' stands behind it
  const char* problem = nullptr;  // why the text can be no record
};

// The piece that begins at `p`. `kind` is not kLine.
JsonPiece json_piece(JsonDocument kind, const char* p, const char* end);

class JsonPieceFraming final : public Framing {
 public:
  explicit JsonPieceFraming(JsonDocument kind) : kind_(kind) {}

  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return ""; }
  bool ends_lines() const override { return false; }  // no piece has the line end behind it
  // Bytes of this form are decoded, never passed through.
  Status split(Batch& batch, DeadLetters& dead) const override;

 private:
  const JsonDocument kind_;
};

}  // namespace leat
