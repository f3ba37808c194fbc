#include "codec/text/lines.h"

#include <cstring>

#include "base/text.h"
#include "codec/text/value_run.h"

namespace leat {
namespace {

constexpr size_t kTypicalLine = 128;  // bytes, to size arrays

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Calls f(line with its '\n') for each line of `bytes`.
template <typename F>
void each_line(std::string_view bytes, F&& f) {
  const char* const end = bytes.data() + bytes.size();
  for (const char* line = bytes.data(); line < end;) {
    auto* newline =
        static_cast<const char*>(std::memchr(line, '\n', static_cast<size_t>(end - line)));
    const char* next = newline == nullptr ? end : newline + 1;
    f(std::string_view(line, static_cast<size_t>(next - line)));
    line = next;
  }
}

// Calls f(line with its '\n', end offset, number of lines so far) for each line of a kBytes batch,
// and sets batch.end.line.
template <typename F>
void each_line(Batch& batch, F&& f) {
  const char* const begin = batch.bytes.data();
  uint32_t lines = 0;
  each_line(std::string_view(begin, batch.bytes.size()), [&](std::string_view line) {
    f(line, static_cast<uint32_t>(line.data() + line.size() - begin), ++lines);
  });
  batch.end.line = batch.begin.line + lines;
}

}  // namespace

size_t LineFraming::complete_prefix(std::string_view bytes) const {
  auto* newline = static_cast<const char*>(memrchr(bytes.data(), '\n', bytes.size()));
  return newline == nullptr ? 0 : static_cast<size_t>(newline - bytes.data()) + 1;
}

void LineFraming::split(Batch& batch) const {
  batch.slices.reserve(batch.bytes.size() / kTypicalLine + 16);
  each_line(batch, [&batch](std::string_view line, uint32_t end_offset, uint32_t end_line) {
    if (is_blank(line)) return;
    batch.slices.push_back({line.data(), static_cast<uint32_t>(line.size()), end_offset, end_line});
  });
  batch.bytes = {};
  batch.content = Content::kSlices;
}

void RawFraming::split(Batch& batch) const {
  auto size = static_cast<uint32_t>(batch.bytes.size());
  if (size > 0) batch.slices.push_back({batch.bytes.data(), size, size, 1});
  batch.end.line = batch.begin.line + batch.slices.size();
  batch.bytes = {};
  batch.content = Content::kSlices;
}

Status LineDecoder::decode(Batch& batch, DeadLetters&) {
  if (batch.preamble) batch.bytes = {};
  batch.adopt(shape_);
  ValueRun values(batch.arena);
  auto add = [this, &batch, &values](std::string_view line, uint32_t end_offset,
                                     uint32_t end_line) {
    if (is_blank(line)) return;
    line = without_line_end(line);
    Value* value = values.reserve(1);
    *value = Value::of_text(is_utf8(line) ? Type::kString : Type::kBytes, line);
    values.commit(1);
    batch.records.push_back({shape_.get(), value, batch.arrival_us, end_offset, end_line});
  };
  if (batch.content == Content::kBytes) {
    batch.records.reserve(batch.bytes.size() / kTypicalLine + 16);
    each_line(batch, add);
  } else {
    batch.records.reserve(batch.slices.size());
    // A message may have several lines; they are acknowledged together.
    for (const Slice& slice : batch.slices)
      each_line(slice.view(), [&add, &slice](std::string_view line) {
        add(line, slice.end_offset, slice.end_line);
      });
    if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
  }
  batch.bytes = {};
  batch.slices.clear();
  batch.content = Content::kRecords;
  return {};
}

Status RawDecoder::decode(Batch& batch, DeadLetters&) {
  if (batch.preamble) batch.bytes = {};
  if (batch.content == Content::kBytes) RawFraming().split(batch);
  batch.adopt(shape_);
  ValueRun values(batch.arena);
  batch.records.reserve(batch.slices.size());
  for (const Slice& slice : batch.slices) {
    Value* value = values.reserve(1);
    *value = Value::of_text(Type::kBytes, slice.view());
    values.commit(1);
    batch.records.push_back(
        {shape_.get(), value, batch.arrival_us, slice.end_offset, slice.end_line});
  }
  if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
  batch.slices.clear();
  batch.content = Content::kRecords;
  return {};
}

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
