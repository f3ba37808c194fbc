// JSON in a stream where a line is not a document: the elements of one array, or documents one
// after another, however they are laid out. The framing that cuts the stream and the decoder that
// reads it share these rules, so that both always agree on where a piece ends.
//
// A piece is found from where it begins, without knowing what came before: so reading goes on at
// any piece after a restart, and what is wrong with one costs no other. In an array, a piece is an
// element with the '[' or ',' before it, and whole only when what follows it has been seen: so at
// the end something is left over that tells whether the array has ended. The ']' is a piece of its
// own, and is not whole before something follows it, which nothing should.
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
  std::string_view text;          // the value; empty where there is only space
  const char* end = nullptr;      // where the next one begins
  bool complete = false;          // false: it ends where the bytes do, and may go on
  const char* problem = nullptr;  // why the text can be no record
  // kArray:
  bool opens = false;   // a '[' stands before the value
  bool comma = false;   // a ',' does
  bool closes = false;  // it is the ']', and no value
};

// The piece that begins at `p`. `kind` is not kLine.
JsonPiece json_piece(JsonDocument kind, const char* p, const char* end);

// How far an array has come.
struct ArrayPlace {
  enum class Behind : uint8_t {
    kNothing,
    kPerhapsNothing,  // a byte order mark, or the first element
    kAnything,        // reading began here, or what is before can be told from nothing
    kElement,
    kArray,  // its end
  };
  Behind behind = Behind::kNothing;
  // Some of it was no JSON: a ']' may have been meant as something else.
  bool torn = false;

  bool operator==(const ArrayPlace&) const = default;
  // Moves behind the piece. Not null: why it cannot stand where it does.
  const char* take(const JsonPiece& piece);
};

class JsonPieceFraming final : public Framing {
 public:
  explicit JsonPieceFraming(JsonDocument kind) : kind_(kind) {}

  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return ""; }
  bool ends_lines() const override { return false; }  // no piece has the line end behind it
  size_t first_longer(std::string_view records, size_t most) const override;
  // As far as its brackets go. But one that was torn (a writer was killed) is never closed: so also
  // where a line begins with a bracket, as a document does and what is within one hardly ever.
  size_t behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const override;
  // Bytes of this form are decoded, never passed through.
  Status split(Batch& batch, DeadLetters& dead) const override;

 private:
  const JsonDocument kind_;
};

}  // namespace leat
