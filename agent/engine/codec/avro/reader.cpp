#include "codec/avro/reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/double_text.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/units.h"
#include "codec/avro/decimal.h"
#include "codec/avro/wire.h"

namespace leat {
namespace {

// Within the object that is the record, of JsonScanner::kMaxDepth.
constexpr int kMostNested = 60;
// Values of items that take no bytes, in one record: a count of a few bytes could promise any
// number.
constexpr uint64_t kMostEmptyItems = 65'536;

const AvroStep kStringStep{.type = AvroType::kString};
const AvroStep kBytesStep{.type = AvroType::kBytes};

bool is_text(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= swar::kSize; p += swar::kSize)
    if ((swar::load(p) & swar::kHigh) != 0) return is_utf8(text);
  for (; p < end; ++p)
    if (static_cast<signed char>(*p) < 0) return is_utf8(text);
  return true;
}

}  // namespace

const char* AvroReader::record(const AvroPlan& plan, const char* p, const char* end, Batch& batch,
                               ValueRun& values) {
  problem_.clear();
  is_unwanted_ = false;
  empty_items_ = 0;
  json_.clear();
  depth_ = 0;
  end_ = end;
  const AvroStep* step = &plan.root();
  if (step->type == AvroType::kUnion) step = branch(*step, p);
  if (step == nullptr) return nullptr;
  const bool is_record = step->type == AvroType::kRecord && step->problem.empty();
  const ShapeRef& shape = is_record ? step->shape : plan.value_shape();
  Value* made = values.reserve(shape->size());
  p = is_record ? fields(*step, p, made) : value(*step, p, made[0]);
  if (p == nullptr) return nullptr;
  values.commit(shape->size());
  batch.adopt(shape);
  batch.records.push_back({shape.get(), made, batch.arrival_us, 0, 0});
  return p;
}

const char* AvroReader::pass(const AvroPlan& plan, const char* p, const char* end) {
  if (!is_unwanted_) return nullptr;
  depth_ = 0;
  end_ = end;
  return skip(plan.root(), p);
}

const char* AvroReader::fields(const AvroStep& step, const char* p, Value* values) {
  for (const AvroStep::Field& field : step.fields) {
    p = field.target < 0 ? skip(*field.step, p) : value(*field.step, p, values[field.target]);
    if (p == nullptr) return fail_at(field);
  }
  for (const AvroStep::Default& one : step.defaults) {
    const std::string_view bytes = arena_->copy(one.bytes);
    const char* const end = std::exchange(end_, bytes.data() + bytes.size());
    if (value(*one.step, bytes.data(), values[one.target]) == nullptr) return nullptr;
    end_ = end;
  }
  return p;
}

const char* AvroReader::fail_at(const AvroStep::Field& field) {
  if (field.key.size() > 4)  // ,"name":
    problem_ =
        excerpt(std::string_view(field.key).substr(2, field.key.size() - 4)) + ": " + problem_;
  return nullptr;
}

const char* AvroReader::value(const AvroStep& step, const char* p, Value& out) {
  if (!step.problem.empty()) return refuse(step.problem);
  switch (step.type) {
    case AvroType::kNull:
      out = Value::null();
      return p;
    case AvroType::kBoolean:
      if (p == end_ || static_cast<unsigned char>(*p) > 1) return fail("no boolean");
      out = Value::boolean(*p == 1);
      return p + 1;
    case AvroType::kInt:
    case AvroType::kLong:
      return number(step, p, out);
    case AvroType::kFloat: {
      float number = 0;
      if (left(p) < sizeof number) return fail("the data ends within a float");
      std::memcpy(&number, p, sizeof number);
      out = Value::of_float(static_cast<double>(number));
      if (std::isfinite(number)) {  // 0.1 is meant, and not the double 0.10000000149011612
        char* text = static_cast<char*>(arena_->allocate(kDoubleTextSize, 1));
        char* const end = write_float(text, number);
        arena_->trim(static_cast<size_t>(text + kDoubleTextSize - end));
        out = Value::of_text(Type::kFloat, {text, static_cast<size_t>(end - text)}, Form::kText);
      }
      return p + sizeof number;
    }
    case AvroType::kDouble: {
      double number = 0;
      if (left(p) < sizeof number) return fail("the data ends within a double");
      std::memcpy(&number, p, sizeof number);
      out = Value::of_float(number);
      return p + sizeof number;
    }
    case AvroType::kBytes:
    case AvroType::kString:
    case AvroType::kFixed:
      return text(step, p, out);
    case AvroType::kEnum: {
      int64_t index = 0;
      p = read_avro_long(p, end_, index);
      if (p == nullptr || index < 0 || static_cast<uint64_t>(index) >= step.symbols.size())
        return fail("no symbol of its enum");
      const std::string& symbol = step.symbols[static_cast<size_t>(index)];
      if (symbol.empty()) return refuse("a symbol that the enum of avro.schema has not");
      out = Value::of_text(Type::kString, arena_->copy(symbol));
      return p;
    }
    case AvroType::kUnion: {
      const AvroStep* chosen = branch(step, p);
      return chosen == nullptr ? nullptr : value(*chosen, p, out);
    }
    case AvroType::kRecord:
    case AvroType::kArray:
    case AvroType::kMap:
      json_.clear();
      p = json(step, p);
      if (p == nullptr) return nullptr;
      out = Value::of_text(Type::kJson, arena_->copy(json_));
      json_.clear();
      return p;
  }
  return nullptr;
}

const AvroStep* AvroReader::branch(const AvroStep& step, const char*& p) {
  int64_t index = 0;
  p = read_avro_long(p, end_, index);
  if (p == nullptr || index < 0 || static_cast<uint64_t>(index) >= step.branches.size()) {
    (void)fail("no type of its union");
    return nullptr;
  }
  return step.branches[static_cast<size_t>(index)];
}

const char* AvroReader::number(const AvroStep& step, const char* p, Value& out) {
  int64_t n = 0;
  p = read_avro_long(p, end_, n);
  if (p == nullptr) return fail("no whole number");
  if (step.type == AvroType::kInt && n != static_cast<int32_t>(n))
    return fail("an int of more than 32 bits");
  if (step.as == AvroAs::kItself) {
    out = Value::of_integer(n);
  } else if (step.as == AvroAs::kFloat) {
    out = Value::of_float(static_cast<double>(n));
  } else if (!time(step.as, n, out)) {
    return nullptr;
  }
  return p;
}

// Times without a zone and those of a day are text, as from databases: they are no moments.
bool AvroReader::time(AvroAs as, int64_t n, Value& out) {
  const bool day = as == AvroAs::kDate;
  const bool millis =
      as == AvroAs::kTimeMillis || as == AvroAs::kTimestampMillis || as == AvroAs::kLocalMillis;
  constexpr int64_t kDay = 86'400'000'000;
  int64_t us = n;
  if (__builtin_mul_overflow(n, day ? kDay : millis ? 1000 : 1, &us) || !can_be_written(us))
    return refuse("a time beyond the years 1 to 9999"), false;
  if (as == AvroAs::kTimestampMillis || as == AvroAs::kTimestampMicros) {
    out = Value::of_time(us);
    return true;
  }
  const bool of_day = as == AvroAs::kTimeMillis || as == AvroAs::kTimeMicros;
  if (of_day && (us < 0 || us >= kDay)) return refuse("a time of day beyond 24 hours"), false;
  char text[kRfc3339Size];
  std::string_view shown(text, write_rfc3339(us, text));
  shown.remove_suffix(1);  // the Z
  if (day) shown = shown.substr(0, 10);
  if (of_day) shown.remove_prefix(11);
  out = Value::of_text(Type::kString, arena_->copy(shown));
  return true;
}

const char* AvroReader::text(const AvroStep& step, const char* p, Value& out) {
  int64_t size = step.size;
  if (step.type != AvroType::kFixed) p = read_avro_long(p, end_, size);
  if (p == nullptr || size < 0 || static_cast<uint64_t>(size) > left(p))
    return fail("longer than what is left of the data");
  const std::string_view bytes(p, static_cast<size_t>(size));
  p += size;
  if (step.as == AvroAs::kDecimal) return decimal(step, bytes, out) ? p : nullptr;
  const bool is_string =
      step.as == AvroAs::kText || (step.type == AvroType::kString && step.as != AvroAs::kBytes);
  if (is_string && !is_text(bytes)) return refuse("a string that is not UTF-8");
  out = Value::of_text(is_string ? Type::kString : Type::kBytes, bytes);
  return p;
}

bool AvroReader::decimal(const AvroStep& step, std::string_view bytes, Value& out) {
  if (bytes.size() > kMostDecimalBytes)
    return refuse("a decimal of " + format_count(bytes.size(), "byte")), false;
  out = number_from_text(arena_->copy(avro_decimal_text(bytes, step.scale)));
  return true;
}

// --- nested: as JSON ---

const char* AvroReader::json(const AvroStep& step, const char* p) {
  if (json_.size() > most_)
    return refuse("takes more than " + format_bytes(static_cast<int64_t>(most_)) + " as JSON");
  if (!step.problem.empty()) return refuse(step.problem);
  if (step.type == AvroType::kUnion) {
    const AvroStep* chosen = branch(step, p);
    return chosen == nullptr ? nullptr : json(*chosen, p);
  }
  if (step.type == AvroType::kRecord) return json_record(step, p);
  if (step.type != AvroType::kArray && step.type != AvroType::kMap) {
    Value scalar;
    p = value(step, p, scalar);
    if (p != nullptr) append_json(json_, scalar);
    return p;
  }
  const bool map = step.type == AvroType::kMap;
  json_ += map ? '{' : '[';
  bool first = true;
  p = items(step, p, false, [&](const char* at) -> const char* {
    if (!std::exchange(first, false)) json_ += ',';
    if (map) {
      Value key;
      at = text(kStringStep, at, key);
      if (at == nullptr) return nullptr;
      append_json(json_, key);
      json_ += ':';
    }
    return json(step.item(), at);
  });
  json_ += map ? '}' : ']';
  return p;
}

const char* AvroReader::json_record(const AvroStep& step, const char* p) {
  if (++depth_ > kMostNested)
    return fail("nested more than " + std::to_string(kMostNested) + " levels deep");
  const size_t start = json_.size();
  for (const AvroStep::Field& field : step.fields) {
    if (field.target >= 0) json_ += field.key;
    p = field.target < 0 ? skip(*field.step, p) : json(*field.step, p);
    if (p == nullptr) return fail_at(field);
  }
  for (const AvroStep::Default& one : step.defaults) {
    json_ += one.key;
    const char* const end = std::exchange(end_, one.bytes.data() + one.bytes.size());
    if (json(*one.step, one.bytes.data()) == nullptr) return nullptr;
    end_ = end;
  }
  --depth_;
  if (json_.size() == start) json_ += ',';
  json_[start] = '{';  // over the first comma
  json_ += '}';
  return p;
}

template <typename Item>
const char* AvroReader::items(const AvroStep& step, const char* p, bool skips, Item&& item) {
  if (++depth_ > kMostNested)
    return fail("nested more than " + std::to_string(kMostNested) + " levels deep");
  const uint64_t empty = step.type == AvroType::kArray ? step.item().empty : 0;
  while (true) {
    int64_t count = 0;
    int64_t size = 0;
    p = read_avro_long(p, end_, count);
    const bool sized = p != nullptr && count < 0;
    if (sized) p = read_avro_long(p, end_, size);
    if (p == nullptr || count == INT64_MIN || size < 0 || static_cast<uint64_t>(size) > left(p))
      return fail("no count of items");
    if (count == 0) break;
    if (sized && skips) {
      p += size;
      continue;
    }
    count = std::abs(count);
    if (empty == 0 && static_cast<uint64_t>(count) > left(p))
      return fail("more items than what is left of the data can hold");
    if (empty > 0 && skips) continue;
    if (empty > 0) {
      if (static_cast<uint64_t>(count) > (kMostEmptyItems - empty_items_) / empty)
        return refuse("more than " + format_count(kMostEmptyItems, "item") + " that take no bytes");
      empty_items_ += static_cast<uint64_t>(count) * empty;
    }
    for (; count > 0; --count) {
      p = item(p);
      if (p == nullptr) return nullptr;
    }
  }
  --depth_;
  return p;
}

// --- what nobody wants ---

const char* AvroReader::skip(const AvroStep& step, const char* p) {
  if (step.empty > 0) return p;
  switch (step.type) {
    case AvroType::kArray:
    case AvroType::kMap:
      return items(step, p, true, [&](const char* at) -> const char* {
        Value key;
        if (step.type == AvroType::kMap) at = text(kBytesStep, at, key);
        return at == nullptr ? nullptr : skip(step.item(), at);
      });
    case AvroType::kRecord:
      if (++depth_ > kMostNested)
        return fail("nested more than " + std::to_string(kMostNested) + " levels deep");
      for (const AvroStep* field : step.passed) {
        p = skip(*field, p);
        if (p == nullptr) return nullptr;
      }
      --depth_;
      return p;
    case AvroType::kUnion: {
      const AvroStep* chosen = branch(step, p);
      return chosen == nullptr ? nullptr : skip(*chosen, p);
    }
    case AvroType::kNull:
      return p;
    case AvroType::kBoolean:
      return p == end_ || static_cast<unsigned char>(*p) > 1 ? fail("no boolean") : p + 1;
    case AvroType::kFloat:
      return skip_bytes(sizeof(float), p);
    case AvroType::kDouble:
      return skip_bytes(sizeof(double), p);
    case AvroType::kFixed:
      return skip_bytes(step.size, p);
    case AvroType::kBytes:
    case AvroType::kString: {
      int64_t size = 0;
      p = read_avro_long(p, end_, size);
      return p == nullptr ? fail("no length") : skip_bytes(size, p);
    }
    case AvroType::kInt:
    case AvroType::kLong:
    case AvroType::kEnum: {
      int64_t n = 0;
      p = read_avro_long(p, end_, n);
      return p == nullptr ? fail("no whole number") : p;
    }
  }
  return nullptr;
}

const char* AvroReader::skip_bytes(int64_t size, const char* p) {
  if (size < 0 || static_cast<uint64_t>(size) > left(p))
    return fail("longer than what is left of the data");
  return p + size;
}

}  // namespace leat
