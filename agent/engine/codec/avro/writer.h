// Writes values in the binary encoding of a schema. A value that the schema's type cannot hold
// without loss is refused.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/avro/schema.h"
#include "record/batch.h"

namespace leat {

// Of records of one shape: for each field of the schema the place of its value, -1 where there is
// none.
struct AvroFieldMap {
  std::vector<int> places;
  std::vector<std::optional<std::string>>
      missing;          // what stands for fields without a value; none: nothing can
  std::string problem;  // not "": such a record cannot be written, and why
  size_t heap_bytes() const {
    return places.capacity() * sizeof(int) + missing.capacity() * sizeof(missing[0]) +
           problem.capacity();
  }
};

class AvroWriter {
 public:
  static AvroFieldMap map_shape(const AvroNode& schema, const Shape& shape);

  // Appends the record to what was written. False: it cannot be, nothing was appended, and
  // problem() says why.
  bool record(const AvroNode& schema, const AvroFieldMap& map, const Record& record);
  const std::string& problem() const { return problem_; }

  std::string_view written() const { return {out_.data(), size_}; }
  void clear() { size_ = 0; }
  size_t held() const { return out_.capacity() + scratch_.capacity(); }

 private:
  bool value(const AvroNode& node, const Value& value);
  bool whole(const AvroNode& node, const Value& value);
  bool real(const AvroNode& node, const Value& value);
  bool text(const Value& value);
  bool symbol(const AvroNode& node, const Value& value);
  bool time(const AvroNode& node, const Value& value, int64_t& out);
  bool bytes(const AvroNode& node, const Value& value);
  bool decimal(const AvroNode& node, const Value& value);
  bool a_union(const AvroNode& node, const Value& value);
  bool nested(const AvroNode& node, const Value& value);
  bool nested_record(const AvroNode& node, std::string_view json);
  bool items(const AvroNode& node, std::string_view json);
  bool refuse(const AvroNode& node, const Value& value);
  std::string_view text_of(const Value& value);
  bool fail(std::string why) {
    problem_ = std::move(why);
    return false;
  }

  char* room(size_t bytes) {
    if (out_.size() - size_ < bytes) out_.resize(std::max(out_.size() * 2, size_ + bytes + 4096));
    return out_.data() + size_;
  }
  void put_long(int64_t n);
  void put(std::string_view bytes);
  void put_text(std::string_view text) {
    put_long(static_cast<int64_t>(text.size()));
    put(text);
  }

  std::string out_;
  size_t size_ = 0;
  std::string scratch_;
  std::string problem_;
};

}  // namespace leat
