// Decoder for Avro: container files, as a stream or as messages of which each is one, and single
// messages, whose schema is elsewhere.
//
// In a container a block is what can be read again: its records are acknowledged together. A record
// of which only the meaning is wrong costs itself; where its bytes are, nothing tells where the
// next begins, and those behind it in the block are lost with it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/avro/container.h"
#include "codec/avro/dialect.h"
#include "codec/avro/plan.h"
#include "codec/avro/reader.h"
#include "stage/codec.h"

namespace leat {

class AvroDecoder final : public Decoder {
 public:
  explicit AvroDecoder(AvroDialect dialect) : dialect_(std::move(dialect)) {}

  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;
  size_t held() const override;

 private:
  // What the header of a stream has said.
  struct Place {
    AvroUnits units = {};
    AvroPlanRef plan = nullptr;  // null: `problem` says why
    bool deflate = false;
    AvroMarker marker = {};
    std::string problem = "no Avro container file: it does not begin with \"Obj\", 1";
  };
  // Where a block of a batch is decoded.
  struct Work {
    Batch& batch;
    ValueRun values;
    size_t most;  // bytes that one block, or one value, may take
  };

  void decode_stream(Work& work, DeadLetters& dead);
  void decode_slices(Work& work, DeadLetters& dead);
  void begin_file(const AvroHeader& header, Place& place);
  Result<AvroPlanRef> plan_of(std::string_view schema);
  // Not null: what of it is no record, and why. Before, for each record that is not wanted,
  // refused(bytes, why): false where the block is given up for it.
  template <typename F>
  const char* block(Work& work, const AvroBlock& block, Place& place, F&& refused);
  const char* message(Work& work, std::string_view bytes);
  const char* container(Work& work, std::string_view bytes);
  const char* datum(Work& work, const AvroPlan& plan, std::string_view bytes);
  const char* refuse(std::string why);

  const AvroDialect dialect_;
  AvroReader reader_;
  std::map<uint32_t, Place> places_;
  // Those of the writers' schemas seen lately: many files have the same.
  std::vector<AvroPlanRef> plans_;
  std::string unpacked_;
  std::string problem_;
};

}  // namespace leat
