#include "record/batch.h"

namespace leat {

Batch::~Batch() {
  if (charged_ > 0) pool_.budget().release(charged_);
}

void Batch::adopt(const ShapeRef& shape) {
  if (!shapes_.empty() && shapes_.back() == shape) return;
  shapes_.push_back(shape);
  pool_.budget().charge(shape->footprint());
  charged_ += shape->footprint();
}

void Batch::borrow(std::shared_ptr<const void> memory, size_t size) {
  using Both = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
  if (borrowed_ != nullptr)
    memory = std::make_shared<Both>(std::move(borrowed_), std::move(memory));
  borrowed_ = std::move(memory);
  pool_.budget().charge(size);
  charged_ += size;
}

std::vector<std::shared_ptr<const void>> Batch::give_away_memory() {
  std::vector<std::shared_ptr<const void>> out;
  if (whole_) out = whole_->give_away_memory();
  out.push_back(arena.give_away());
  if (borrowed_ != nullptr) out.push_back(borrowed_);
  for (const ShapeRef& shape : shapes_) out.emplace_back(shape);
  return out;
}

void Batch::charge_vectors() {
  size_t held = (slices.capacity() + source_slices.capacity()) * sizeof(Slice) +
                records.capacity() * sizeof(Record);
  pool_.budget().charge(held);
  charged_ += held;
}

void Batch::become_records() {
  content = Content::kRecords;
  source_bytes = std::exchange(bytes, {});
  source_slices = std::exchange(slices, {});
}

void Batch::open_rows() {
  if (!rows) return;
  for (size_t i = 0; i < records.size(); ++i)
    records[i].values = rows->values_of(slices[i].view(), arena);
  slices.clear();
  rows.reset();
}

BatchRef Batch::make_rest(Position from) {
  BatchRef out = BatchRef::make(pool_, content);
  out->whole_ = whole_ && nothing_own_ ? whole_ : BatchRef(this);
  out->shapes_ = shapes_;  // charged there
  out->acknowledger = acknowledger;
  out->begin = from;
  out->end = end;
  if (!owed.empty()) {
    Owed before = owed.split(*acknowledger, from);
    out->owed = std::exchange(owed, std::move(before));
  }
  out->arrival_us = arrival_us;
  out->quantum = quantum;
  if (!source_bytes.empty()) out->source_bytes = source_bytes.subspan(from.offset - begin.offset);
  end = from;
  rest = out;
  return out;
}

namespace {

template <typename T>
void move_rest(std::vector<T>& items, std::vector<T>& out, size_t from) {
  uint32_t offset = items[from - 1].end_offset;
  uint32_t line = items[from - 1].end_line;
  out.assign(items.begin() + static_cast<std::ptrdiff_t>(from), items.end());
  items.resize(from);
  for (T& item : out) {
    item.end_offset -= offset;
    item.end_line -= line;
  }
}

}  // namespace

void Batch::leave_records(size_t from) {
  BatchRef before = std::exchange(rest, {});
  BatchRef out = make_rest(position_after(from - 1));
  uint32_t end_offset = records.back().end_offset - records[from - 1].end_offset;
  uint32_t end_line = records.back().end_line - records[from - 1].end_line;
  move_rest(records, out->records, from);
  if (!before) return;
  for (Record record : before->records) {
    record.end_offset += end_offset;
    record.end_line += end_line;
    out->records.push_back(record);
  }
  out->end = before->end;
  out->owed.add(std::move(before->owed));
}

void Batch::leave_slices(size_t from) {
  uint32_t offset = slices[from - 1].end_offset;
  BatchRef out = make_rest(position_after(from - 1));
  move_rest(slices, out->slices, from);
  for (const MessageFields& fields : message_fields) {
    if (fields.end_offset <= offset) continue;
    out->message_fields.push_back(fields);
    out->message_fields.back().end_offset -= offset;
  }
}

void Batch::leave_bytes(size_t from, uint32_t lines) {
  BatchRef out = make_rest({begin.partition, begin.offset + from, begin.line + lines});
  out->bytes = bytes.subspan(from);
  bytes = bytes.first(from);
}

void append_json(std::string& out, const Record& record) {
  out += '{';
  bool first = true;
  for (size_t i = 0; i < record.shape->size(); ++i) {
    const Value& value = record.values[i];
    if (value.type == Type::kAbsent) continue;
    out += record.shape->json_key(i).substr(first ? 1 : 0);
    first = false;
    append_json(out, value);
  }
  out += '}';
}

}  // namespace leat
