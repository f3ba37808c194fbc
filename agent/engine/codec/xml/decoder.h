// Decoder for XML: each element that xml.record names is a record (pieces.h finds them, tree.h
// reads them).
//
// A message is one document, and is a dead letter as a whole when anything in it is wrong. In a
// stream one record may be wrong, or what stands between two, and costs no other.
#pragma once

#include <map>
#include <string>

#include "codec/xml/dialect.h"
#include "codec/xml/pieces.h"
#include "codec/xml/tree.h"
#include "stage/codec.h"

namespace leat {

class XmlDecoder final : public Decoder {
 public:
  explicit XmlDecoder(XmlDialect dialect) : dialect_(std::move(dialect)), tree_(dialect_) {}

  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;
  size_t held() const override { return tree_.held(); }

  // What a document's start says holds for all of its records.
  static bool needs_preamble(const XmlDialect& dialect) { return !dialect.namespaces.empty(); }

 private:
  // Where reading stands in a partition.
  struct Place {
    size_t level = 0;
    bool at_start = false;  // of the stream: no element has been seen
    bool opened = false;    // a root has begun and not ended
    uint64_t offset = 0;
    XmlScope scope = {};
  };

  void decode_stream(Batch& batch, DeadLetters& dead);
  void decode_slices(Batch& batch, DeadLetters& dead);
  Place& place_at(const Batch& batch);
  // Appends records of it to the batch. Not null: it is no part of a document, and why.
  // `level`: behind it. Without `values` nothing but what holds for records is learned from it.
  const char* take(const XmlPiece& piece, size_t level, Place& place, Batch& batch,
                   ValueRun* values);
  const char* message(const Slice& slice, Batch& batch, ValueRun& values);

  const XmlDialect dialect_;
  XmlTree tree_;
  std::map<uint32_t, Place> places_;
  std::string problem_;
};

}  // namespace leat
