#include "spool/brought.h"

namespace leat {

void BroughtWriter::add(const Brought& brought) {
  if (brought.metadata.empty() && !brought.was_dead()) return records_.number(0);
  RowWriter kind;
  kind.text(brought.metadata);
  kind.number(brought.attempt);
  kind.number(brought.letter);
  std::string bytes = kind.take();
  auto [known, is_new] = numbers_.try_emplace(std::move(bytes), numbers_.size() + 1);
  if (is_new) kinds_.raw(known->first);
  records_.number(known->second);
}

std::string BroughtWriter::take() {
  if (numbers_.empty()) return {};
  RowWriter out;
  out.number(numbers_.size());
  out.raw(kinds_.take());
  out.raw(records_.take());
  return out.take();
}

Brought brought_of(std::string_view packed, uint64_t index) {
  RowReader in(packed);
  const uint64_t kinds = in.count();
  RowReader first = in;
  auto read = [](RowReader& from) {
    Brought out;
    out.metadata = from.text();
    out.attempt = static_cast<uint32_t>(from.number());
    out.letter = from.number();
    return out;
  };
  for (uint64_t i = 0; i < kinds && !in.bad(); ++i) (void)read(in);
  uint64_t kind = 0;
  for (uint64_t i = 0; i <= index && !in.bad(); ++i) kind = in.number();
  if (in.bad() || kind == 0 || kind > kinds) return {};
  Brought out;
  for (; kind > 0; --kind) out = read(first);
  return out;
}

}  // namespace leat
