// Encoder for XML: an element a record, each on a line of its own, within a root.
//
// A field is an element of its name; "@name" is an attribute, "#text" the text beside them, nested
// JSON nested elements, an array an element for each of its own. Null is an empty element, absent
// fields are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/text/slice_writer.h"
#include "record/shape_cache.h"
#include "stage/codec.h"

namespace leat {

class XmlEncoder final : public Encoder {
 public:
  // `open` and `close`: what stands around the records of a document.
  XmlEncoder(std::string record, std::string open, std::string close)
      : record_(std::move(record)), open_(std::move(open)), close_(std::move(close)) {}

  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override;
  size_t held() const override { return shapes_.held(); }

  const std::string& opening() const { return open_; }
  const std::string& closing() const { return close_; }

 private:
  // Of records of one shape.
  struct Names {
    std::vector<size_t> attributes;
    std::vector<size_t> others;
    int bad = -1;  // the first that can be no name
    size_t heap_bytes() const { return heap_bytes_of(attributes) + heap_bytes_of(others); }
  };
  enum class In : uint8_t { kText, kAttribute };

  static Names map_shape(const Shape& shape);
  bool write_record(const Record& record, const Names& names, SliceWriter& writer);
  bool write_attribute(std::string_view name, const Value& value, SliceWriter& writer);
  bool write_element(std::string_view name, const Value& value, SliceWriter& writer);
  bool write_json(std::string_view name, std::string_view json, SliceWriter& writer);
  bool write_object(std::string_view name, std::string_view json, SliceWriter& writer);
  bool write_array(std::string_view name, std::string_view json, SliceWriter& writer);
  bool write_text(const Value& value, In in, SliceWriter& writer);
  bool escape(std::string_view text, In in, SliceWriter& writer);
  bool refuse(std::string_view name, std::string_view why);

  const std::string record_;
  const std::string open_;
  const std::string close_;
  ShapeCache<Names> shapes_;
  std::string scratch_;
  std::string reason_;
};

}  // namespace leat
