// Cuts a stream of XML behind records: where reading can go on after a restart.
#pragma once

#include "codec/xml/dialect.h"
#include "stage/codec.h"

namespace leat {

class XmlFraming final : public Framing {
 public:
  explicit XmlFraming(XmlPath path) : path_(std::move(path)) {}

  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return ""; }
  bool ends_lines() const override { return false; }
  size_t first_longer(std::string_view records, size_t most) const override;
  // Behind its end tag, or, of what is no record, before the next one that begins.
  size_t behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const override;
  // Bytes of this form are decoded, never passed through.
  Status split(Batch& batch, DeadLetters& dead) const override;

 private:
  bool is_record(std::string_view tag_name) const;
  bool begins_with_record(std::string_view bytes) const;

  const XmlPath path_;
};

}  // namespace leat
