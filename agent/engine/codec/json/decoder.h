// Decoder for JSON: a document a line (NDJSON), or what documents.h says; of messages, a document
// each, or several with kConcatenated.
//
// A document is one object (one record) or an array of objects (a record each, which all end where
// the document ends). Values are not converted: see record/value.h.
//
// Where bytes pass through undecoded, JsonDecoder::LineCheck reads them by the same rules: what an
// input means, and what of it is none, does not depend on what the pipeline does with it.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json/documents.h"
#include "codec/json/layouts.h"
#include "codec/text/json_scanner.h"
#include "codec/text/value_run.h"
#include "stage/codec.h"

namespace leat {

class JsonDecoder final : public Decoder {
 public:
  explicit JsonDecoder(JsonDocument kind = JsonDocument::kLine) : kind_(kind) {}

  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;
  size_t held() const override;

 private:
  // What one decode() works with.
  struct Work {
    Batch& batch;
    DeadLetters& dead;
    JsonScanner scanner;
    ValueRun values;
    bool makes_records = true;  // false: it is read only to be checked
    bool repeated = false;      // a name stood twice in an object
  };

 public:
  // Lines of a kBytes batch, none of which becomes a record. Lives no longer than its arguments.
  class LineCheck {
   public:
    LineCheck(JsonDecoder& decoder, Batch& batch, DeadLetters& dead);
    // The end of the line at `p` (its '\n', or that of the batch) when it is one object, and its
    // bytes are what the record of it would be written as, up to space; else null.
    const char* end_of_object(const char* p);

   private:
    JsonDecoder& decoder_;
    Work work_;
  };

 private:
  void decode_lines(Work& work);
  void decode_pieces(Work& work);
  bool piece(Work& work, const JsonPiece& piece);
  bool element(Work& work, const JsonPiece& piece, bool ends, ArrayPlace& place);
  ArrayPlace place_at(const Position& position) const;
  void note_place(ArrayPlace place, const Position& position);
  void decode_slices(Work& work);
  const char* message(Work& work, const Slice& slice);
  const char* document(Work& work, const char* p);
  const char* array(Work& work, const char* p);
  const char* object(Work& work, const char* p);
  const char* unpredicted(Work& work, const char* p, size_t field);
  const char* members(Work& work, const char* p);
  void finish_unpredicted(Work& work);
  bool keep_last_of_duplicates();
  void add_record(Work& work, JsonLayout* layout);
  void add_too_wide(Work& work);
  static void append(Work& work, const Shape* shape, size_t count);
  void reject(Work& work, const char* start, const char* end, const Position& after);

  const JsonDocument kind_;
  // Of partitions, where the offset does not tell, and which it is.
  std::map<uint32_t, std::pair<ArrayPlace, uint64_t>> places_;
  JsonLayouts layouts_;
  ShapeRef too_wide_;              // of the last record for whose layout there is no room
  JsonLayout* current_ = nullptr;  // of the last record: the prediction for the next one
  uint64_t batch_number_ = 0;
  size_t line_bytes_ = 128;  // of the last batch on average, to size the next one's record array

  // The record being parsed without a prediction.
  std::vector<std::string_view> names_;
  std::vector<Value> fields_;
  std::deque<std::string> unescaped_names_;  // names_ may point into these
  bool spaced_ = false;
};

}  // namespace leat
