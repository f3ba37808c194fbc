#include "codec/text/text_encoder.h"

#include "base/text.h"

namespace leat {

std::optional<std::string_view> TextEncoder::text_of(const Record& record) {
  int field = record.shape->find(field_);
  if (field < 0 && record.shape->size() == 1) field = 0;
  if (field < 0 || record.values[field].type == Type::kAbsent) {
    reason_ = "the record has no field '" + field_ + "'";
    return std::nullopt;
  }
  const Value& value = record.values[field];
  std::string_view text;
  if (value.form == Form::kPlain && value.is_text()) {
    text = value.view();  // bytes too: as they are, not as base64
  } else {
    scratch_.clear();
    append_text(scratch_, value);
    text = scratch_;
  }
  if (ends_ == Ends::kWithNewline && text.find('\n') != std::string_view::npos) {
    reason_ = excerpt(record.shape->name(static_cast<size_t>(field))) +
              ": has a newline in it, which would make two lines of it";
    return std::nullopt;
  }
  return text;
}

Result<BatchRef> TextEncoder::encode(const Batch& in, DeadLetters& dead) {
  BatchRef out = batch_like(in);
  SliceWriter writer(out->arena);
  size_t made = 0;
  for (size_t i = 0; i < in.records.size(); ++i) {
    const Record& record = in.records[i];
    std::optional<std::string_view> text = text_of(record);
    bool stop = false;
    if (text) {
      writer.reserve(text->size() + 1);
      writer.put(*text);
      if (ends_ == Ends::kWithNewline) writer.put('\n');
      out->slices.push_back(writer.finish(record.end_offset, record.end_line));
      made += out->slices.back().size;
      stop = made >= in.quantum;
    } else {
      dead.add(in, i, reason_);
      stop = dead.full();
    }
    if (stop && in.may_cut(i + 1)) return stop_behind(i, in, std::move(out));
  }
  return out;
}

}  // namespace leat
