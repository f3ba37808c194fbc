#include "codec/lines/decoder.h"

#include <string>

#include "codec/text/value_run.h"

namespace leat {
namespace {

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string reason_for(std::string_view line, std::string_view problem) {
  return std::string(problem) + known_content(line, true);
}

struct Line {
  std::string_view text;      // with its '\n'
  std::string_view original;  // what a dead letter keeps of it
  uint32_t end_offset = 0;
};

// Calls f(line) for each line as long as it returns true. Where it did not, and there is more:
// false.
template <typename F>
bool each_line_of(InputText& input, F&& f) {
  const char* const end = input.end();
  for (const char* p = input.begin(); p < end;) {
    auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    const char* next = newline == nullptr ? end : newline + 1;
    Line line;
    line.text = {p, static_cast<size_t>(next - p)};
    const uint32_t from = input.last_offset();
    line.end_offset = input.offset_of(next);
    line.original = input.original(without_line_end(line.text), from, line.end_offset);
    if (!f(line) && next < end) return false;
    p = next;
  }
  return true;
}

// The same of a kBytes batch, with the number of lines so far; what is behind is left to the
// batch's rest. Sets batch.end.line.
template <typename F>
void lines_in_turns(Batch& batch, InputText input, F&& f) {
  uint32_t lines = 0;
  if (!each_line_of(input, [&](const Line& line) { return f(line, ++lines); }))
    batch.leave_bytes(input.last_offset(), lines);
  batch.end.line = batch.begin.line + lines;
}

Position behind(const Batch& batch, uint32_t end_offset, uint32_t end_line) {
  return {batch.begin.partition, batch.begin.offset + end_offset, batch.begin.line + end_line};
}

}  // namespace

Result<Turn> LineDecoder::decode(Batch& batch, DeadLetters& dead) {
  if (batch.preamble) {
    if (reader_.is_utf16()) (void)utf16_.stream(batch);  // learns the byte order
    batch.bytes = {};
  }
  batch.adopt(shape_);
  ValueRun values(batch.arena);
  // False: as many dead letters wait as may.
  auto add = [this, &batch, &dead, &values](const Line& from, uint32_t end_line) {
    if (is_blank(from.text)) return true;
    const std::string_view line = without_line_end(from.text);
    Value text;
    if (!reader_.read(line, batch.arena, text)) {
      dead.add_text(from.original, behind(batch, from.end_offset, end_line),
                    reason_for(line, reader_.problem()));
      return !batch.in_turns() || !dead.full();
    }
    Value* value = values.reserve(1);
    *value = text;
    values.commit(1);
    batch.records.push_back({shape_.get(), value, batch.arrival_us, from.end_offset, end_line});
    return true;
  };
  if (batch.content == Content::kBytes) {
    batch.records.reserve(batch.bytes.size() / kTypicalLine + 16);
    lines_in_turns(batch, reader_.is_utf16() ? utf16_.stream(batch) : InputText(batch.bytes), add);
  } else {
    batch.records.reserve(batch.slices.size());
    // A message may have several lines; they are acknowledged together.
    for (size_t s = 0; s < batch.slices.size(); ++s) {
      const Slice slice = batch.slices[s];
      bool go_on = true;
      InputText text({const_cast<char*>(slice.data), slice.size});  // only read
      if (reader_.is_utf16()) text = Utf16Reader::message(slice.view(), batch.arena);
      each_line_of(text, [&add, &slice, &go_on](Line line) {
        line.end_offset = slice.end_offset;
        go_on = add(line, slice.end_line) && go_on;
        return true;
      });
      if (!go_on && batch.may_cut(s + 1)) {
        batch.leave_slices(s + 1);
        break;
      }
    }
    if (!batch.slices.empty()) batch.end.line = batch.begin.line + batch.slices.back().end_line;
  }
  utf16_.done(batch);
  if (reader_.is_utf16()) batch.bytes = {};  // their lines end otherwise
  batch.become_records();
  return Turn::kDone;
}

Status TextLineFraming::split(Batch& batch, DeadLetters& dead) const {
  batch.slices.reserve(batch.bytes.size() / kTypicalLine + 16);
  lines_in_turns(batch, InputText(batch.bytes), [&](const Line& from, uint32_t end_line) {
    std::string_view line = from.text;
    if (is_blank(line)) return true;
    if (reader_.as_bytes() || reader_.is_plain(line)) {
      batch.slices.push_back(
          {line.data(), static_cast<uint32_t>(line.size()), from.end_offset, end_line});
      return true;
    }
    TextReader reader = reader_;
    line = without_line_end(line);
    (void)reader.name(line);  // says why
    dead.add_text(line, behind(batch, from.end_offset, end_line),
                  reason_for(line, reader.problem()));
    return !batch.in_turns() || !dead.full();
  });
  batch.bytes = {};
  batch.content = Content::kSlices;
  return {};
}

}  // namespace leat
