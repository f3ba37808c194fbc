#include "codec/text/line_framing.h"

namespace leat {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

size_t LineFraming::complete_prefix(std::string_view bytes) const {
  auto* newline = static_cast<const char*>(memrchr(bytes.data(), '\n', bytes.size()));
  return newline == nullptr ? 0 : static_cast<size_t>(newline - bytes.data()) + 1;
}

Status LineFraming::split(Batch& batch, DeadLetters&) const {
  batch.slices.reserve(batch.bytes.size() / kTypicalLine + 16);
  each_line(batch, [&batch](std::string_view line, uint32_t end_offset, uint32_t end_line) {
    if (is_blank(line)) return;
    batch.slices.push_back({line.data(), static_cast<uint32_t>(line.size()), end_offset, end_line});
  });
  batch.bytes = {};
  batch.content = Content::kSlices;
  return {};
}

}  // namespace leat
