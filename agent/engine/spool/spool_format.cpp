#include "spool/spool_format.h"

#include <cstring>
#include <unordered_map>
#include <vector>

#include "delivery/delivery_range.h"
#include "spool/row_bytes.h"

namespace leat {
namespace {

constexpr char kVersion = 1;

uint8_t tag_of(const Value& value) {
  return static_cast<uint8_t>(static_cast<uint8_t>(value.type) | static_cast<uint8_t>(value.form)
                                                                     << 4);
}

void write_value(RowWriter& out, const Value& value) {
  out.byte(tag_of(value));
  if (value.is_text()) {
    out.text(value.view());
  } else if (value.type == Type::kFloat) {
    char bytes[sizeof(double)];
    std::memcpy(bytes, &value.real, sizeof(bytes));
    out.raw({bytes, sizeof(bytes)});
  } else if (value.type != Type::kAbsent && value.type != Type::kNull) {
    out.signed_number(value.integer);
  }
}

Value read_value(RowReader& in) {
  uint8_t tag = in.byte();
  Value value;
  value.type = static_cast<Type>(tag & 0x0F);
  value.form = static_cast<Form>(tag >> 4);
  if (value.is_text()) return Value::of_text(value.type, in.text(), value.form);
  if (value.type == Type::kFloat) {
    std::string_view bytes = in.raw(sizeof(double));
    if (bytes.size() == sizeof(double)) std::memcpy(&value.real, bytes.data(), bytes.size());
  } else if (value.type != Type::kAbsent && value.type != Type::kNull) {
    value.integer = in.signed_number();
  }
  return value;
}

// Shapes first, then each record with the number of its shape.
void write_records(RowWriter& out, std::span<const Part> parts) {
  std::unordered_map<const Shape*, uint64_t> numbers;
  std::vector<const Shape*> shapes;
  uint64_t count = 0;
  for (const Part& part : parts) {
    count += part.count;
    for (uint32_t i = part.first; i < part.first + part.count; ++i) {
      const Shape* shape = part.batch->records[i].shape;
      if (numbers.try_emplace(shape, shapes.size()).second) shapes.push_back(shape);
    }
  }
  out.number(shapes.size());
  for (const Shape* shape : shapes) {
    out.number(shape->size());
    for (size_t i = 0; i < shape->size(); ++i) out.text(shape->name(i));
  }
  out.number(count);
  int64_t last_time = 0;
  for (const Part& part : parts) {
    for (uint32_t i = part.first; i < part.first + part.count; ++i) {
      const Record& record = part.batch->records[i];
      out.number(numbers.at(record.shape));
      out.signed_number(record.time_us - last_time);
      last_time = record.time_us;
      for (const Value& value : record.fields()) write_value(out, value);
    }
  }
}

void write_slices(RowWriter& out, std::span<const Part> parts) {
  uint64_t count = 0;
  for (const Part& part : parts) count += part.count;
  out.number(count);
  auto each = [&parts](auto&& f) {
    for (const Part& part : parts)
      for (uint32_t i = part.first; i < part.first + part.count; ++i) f(part.batch->slices[i]);
  };
  // Sizes apart from the bytes: both compress better so.
  each([&out](const Slice& slice) { out.number(slice.size); });
  each([&out](const Slice& slice) { out.raw(slice.view()); });
}

void read_records(RowReader& in, Batch& batch) {
  std::vector<ShapeRef> shapes;
  for (uint64_t n = in.count(); n > 0 && !in.bad(); --n) {
    std::vector<std::string_view> names;
    for (uint64_t fields = in.count(); fields > 0; --fields) names.push_back(in.text());
    if (in.bad()) return;
    shapes.push_back(std::make_shared<const Shape>(names));
    batch.adopt(shapes.back());
  }
  int64_t time = 0;
  for (uint64_t count = in.count(); count > 0 && !in.bad(); --count) {
    uint64_t number = in.number();
    time += in.signed_number();
    if (number >= shapes.size()) {
      in.raw(UINT64_MAX);  // bad
      return;
    }
    const Shape* shape = shapes[number].get();
    auto* values = batch.arena.array<Value>(shape->size());
    for (size_t i = 0; i < shape->size(); ++i) values[i] = read_value(in);
    batch.records.push_back({shape, values, time, 0, 0});
  }
}

void read_slices(RowReader& in, Batch& batch) {
  std::vector<uint64_t> sizes;
  uint64_t count = in.count();
  sizes.reserve(count);
  for (; count > 0 && !in.bad(); --count) sizes.push_back(in.number());
  batch.slices.reserve(sizes.size());
  for (uint64_t size : sizes) {
    std::string_view bytes = in.raw(size);
    batch.slices.push_back({bytes.data(), static_cast<uint32_t>(bytes.size()), 0, 0});
  }
}

template <typename T>
void number(std::vector<T>& items) {
  uint32_t n = 0;
  for (T& item : items) item.end_offset = item.end_line = ++n;
}

template <typename T>
void skip(std::vector<T>& items, uint64_t count) {
  items.erase(items.begin(),
              items.begin() + static_cast<std::ptrdiff_t>(std::min<uint64_t>(count, items.size())));
}

}  // namespace

std::string write_spooled(std::span<const Part> parts, const SpooledAs& as) {
  RowWriter out;
  size_t bytes = as.format.size() + as.origin.size() + as.brought.size();
  for (const Part& part : parts) bytes += bytes_of(*part.batch, part.first, part.count);
  out.reserve(bytes);
  bool records = !parts.empty() && parts.front().batch->content == Content::kRecords;
  out.byte(kVersion);
  out.byte(records ? 1 : 0);
  out.text(as.format);
  out.text(as.origin);
  out.signed_number(parts.empty() ? 0 : parts.front().batch->arrival_us);
  if (records) {
    write_records(out, parts);
  } else {
    write_slices(out, parts);
  }
  out.raw(as.brought);
  return out.take();
}

Result<BatchRef> read_spooled(BlockPool& pool, std::string_view content, uint64_t first,
                              uint64_t from, SpooledAs* as) {
  RowReader head(content);
  bool known = head.byte() == static_cast<uint8_t>(kVersion);
  bool records = head.byte() == 1;
  BatchRef batch = BatchRef::make(pool, records ? Content::kRecords : Content::kSlices);
  // Values and slices point into one copy, which the batch owns.
  RowReader in(batch->arena.copy(content));
  in.raw(2);
  as->format = in.text();
  as->origin = in.text();
  batch->arrival_us = in.signed_number();
  if (records) {
    read_records(in, *batch);
  } else {
    read_slices(in, *batch);
  }
  as->brought = in.rest();
  if (!known || in.bad())
    return fail(ErrorKind::kData, "a spooled batch is not in a format that this leat can read");
  number_for_spool(*batch, first);
  if (from > first) {
    skip(batch->records, from - first);
    skip(batch->slices, from - first);
  }
  return batch;
}

int64_t arrival_of_spooled(std::string_view content) {
  RowReader in(content);
  const bool known = in.byte() == static_cast<uint8_t>(kVersion);
  in.byte();
  in.text();
  in.text();
  const int64_t arrival = in.signed_number();
  return known && !in.bad() ? arrival : 0;
}

// Positions lie behind what they are of.
std::string place_of_first(const Batch& batch) {
  return batch.acknowledger->describe(batch.count() > 0 ? batch.position_after(0) : batch.begin);
}

void number_for_spool(Batch& batch, uint64_t first) {
  batch.begin = {.offset = first};
  batch.end = {.offset = first + batch.count()};
  number(batch.records);
  number(batch.slices);
}

}  // namespace leat
