#include "codec/text/utf16_framing.h"

#include <vector>

namespace leat {

size_t Utf16Framing::complete_prefix(std::string_view bytes) const {
  std::string_view lines = bytes.substr(0, utf16_last_line_end(bytes));
  if (lines.empty()) return 0;
  const size_t mark = order_of_mark(lines) ? 2 : 0;
  const ByteOrder order = utf16_order_of(lines);
  std::vector<char> text(utf8_room(lines.size() - mark));
  const size_t size = utf16_to_utf8(lines.substr(mark), order, text.data());
  const size_t whole = inner_->complete_prefix({text.data(), size});
  if (whole == 0 || whole == size) return whole == 0 ? 0 : lines.size();
  InputText input({text.data(), size}, bytes, static_cast<uint32_t>(mark));
  return input.offset_of(text.data() + whole);
}

}  // namespace leat
