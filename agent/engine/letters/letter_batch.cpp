#include "letters/letter_batch.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "codec/text/json_scanner.h"
#include "task/field_types.h"

namespace leat {
namespace {

auto refuse(std::string why) {
  return fail(ErrorKind::kData, std::move(why));
}

class Misread final : public DeadLetters {
 public:
  void add(const Batch& /*batch*/, size_t /*index*/, std::string_view reason) override {
    why = reason;
  }
  void add_text(std::string_view /*bytes*/, const Position& /*after*/,
                std::string_view reason) override {
    why = reason;
  }
  std::string why;
};

std::optional<Type> type_called(std::string_view name) {
  for (Type type : {Type::kFloat, Type::kDecimal, Type::kBytes, Type::kTime})
    if (name == type_name(type)) return type;
  return {};
}

// The members of an object whose values are text.
std::vector<std::pair<std::string, std::string>> texts_of(std::string_view object) {
  std::vector<std::pair<std::string, std::string>> out;
  JsonScanner scanner(true);
  scanner.set_end(object.data() + object.size());
  const char* p = scanner.skip_space(object.data() + 1);
  while (p != nullptr && p < scanner.end() && *p == '"') {
    Value name;
    Value value;
    p = scanner.member_name(p, name);
    if (p != nullptr) p = scanner.value(p, value);
    if (p == nullptr) break;
    auto& [key, text] = out.emplace_back();
    append_text(key, name);
    append_text(text, value);
    p = scanner.skip_space(p);
    if (p < scanner.end() && *p == ',') p = scanner.skip_space(p + 1);
  }
  return out;
}

}  // namespace

BatchRef LetterBatches::batch_of(std::string_view bytes, Content content) {
  BatchRef batch = BatchRef::make(host_.pool(), content);
  std::string_view kept = batch->arena.copy(bytes);
  auto size = static_cast<uint32_t>(kept.size());
  batch->end.offset = std::max<uint32_t>(size, 1);
  if (content == Content::kBytes) {
    batch->bytes = {const_cast<char*>(kept.data()), kept.size()};  // the arena's own
  } else {
    batch->slices.push_back({kept.data(), size, static_cast<uint32_t>(batch->end.offset), 1});
  }
  return batch;
}

Result<Feed::Given> LetterBatches::make(const Letter& letter, LetterFrom from, uint64_t offset) {
  const bool has_payload = letter.payload || (letter.raw && letter.raw_is == RawIs::kPayload);
  if (letter.raw && letter.raw_is == RawIs::kPart && !letter.payload && letter.record.empty())
    return refuse("only a part of what the source read was kept");
  if (from == LetterFrom::kStart && !has_payload)
    return refuse("what the source gave was not there any more at \"" + letter.stage +
                  "\": retry it from that stage");
  if (from == LetterFrom::kStage && letter.record.empty() && letter.raw_is != RawIs::kOutput)
    return refuse("it was no record yet at \"" + letter.stage + "\": retry it from the start");
  const bool start = from == LetterFrom::kStart || (from == LetterFrom::kBest && has_payload);
  Result<Feed::Given> given = start ? from_start(letter) : from_stage(letter);
  // A CSV stream's row needs its header; what it became is as good.
  if (!given && from == LetterFrom::kBest && start && !letter.record.empty())
    given = from_stage(letter);
  if (!given) return given;
  Batch& batch = *given->batch;
  batch.arrival_us = host_.loop().clock().unix_us();
  batch.begin = {.partition = Feed::kPartition, .offset = offset};
  batch.end = {.partition = Feed::kPartition, .offset = offset + batch.end.offset, .last = true};
  return given;
}

Result<Feed::Given> LetterBatches::from_start(const Letter& letter) {
  const SourceType& source = *host_.config().source.type;
  const std::string& bytes = letter.payload ? *letter.payload : *letter.raw;
  if (source.produces == Produces::kRecords)
    return refuse("the source " + std::string(source.name) + " makes its records itself");
  if (source.produces == Produces::kSlices) {
    BatchRef batch = batch_of(bytes, Content::kSlices);
    if (Status added = add_message(*batch, letter.message); !added) return fail(added.error());
    return Feed::Given{std::move(batch)};
  }
  if (host_.needs_preamble())
    return refuse(
        "the source's format needs the start of a stream, which is not kept: put it into "
        "a file of its own, under its header");
  const Framing& framing = *host_.framing();
  const bool whole = framing.complete_prefix(bytes) == bytes.size();
  return Feed::Given{
      batch_of(whole ? bytes : bytes + std::string(framing.terminator()), Content::kBytes)};
}

Result<Feed::Given> LetterBatches::from_stage(const Letter& letter) {
  const SinkConfig& sink = host_.config().sink;
  if (letter.record.empty()) {
    const std::string_view wire = sink.format == nullptr ? std::string_view() : sink.format->wire;
    if (letter.format != wire)
      return refuse("it was written as " + letter.format +
                    ", which the sink does not take any more");
    return Feed::Given{batch_of(*letter.raw, Content::kSlices), steps_.size()};
  }
  Result<size_t> step = step_for_record(letter);
  if (!step) return fail(step.error());
  Result<BatchRef> batch = record_of(letter.record, letter.types);
  if (!batch) return fail(batch.error());
  Record& record = (*batch)->records[0];
  if (auto time = TimeFormat::parse("rfc3339")->read(std::string_view(letter.event_time)))
    record.time_us = *time;
  return Feed::Given{std::move(*batch), *step};
}

// Of the stage that has the name now; by its number only where that is the same one still.
Result<size_t> LetterBatches::step_for_record(const Letter& letter) const {
  const bool takes_records = host_.config().sink.takes() == Consumes::kRecords;
  if (letter.step == 0) {
    if (letter.stage != host_.config().sink.type->name)
      return refuse("the configuration has no stage \"" + letter.stage + "\" any more");
    if (takes_records) return steps_.size();
    if (!steps_.empty() && steps_.back().starts_with("encode ")) return steps_.size() - 1;
    return refuse("the sink takes bytes now, and nothing makes them of records");
  }
  size_t at = letter.step - 1;
  if (at >= steps_.size() || steps_[at] != letter.stage) {
    if (std::ranges::count(steps_, letter.stage) != 1)
      return refuse("the configuration has no stage \"" + letter.stage +
                    "\" in that place any more");
    at = static_cast<size_t>(std::ranges::find(steps_, letter.stage) - steps_.begin());
  }
  if (steps_[at].starts_with("decode ")) return at + 1;  // it was made a record by hand
  if (steps_[at].starts_with("split "))
    return refuse("bytes pass through this pipeline: retry it from the start");
  return at;
}

Result<BatchRef> LetterBatches::record_of(std::string_view json, std::string_view types) {
  if (json_ == nullptr) {
    const ReadFormat* format = find_read_format("json");
    if (format == nullptr) return refuse("this build has no JSON");
    Result<std::unique_ptr<Decoder>> made = format->make_decoder(Options(format->options));
    if (!made) return fail(made.error());
    json_ = std::move(*made);
  }
  BatchRef batch = batch_of(json, Content::kSlices);
  Misread misread;
  Result<Turn> turn = json_->decode(*batch, misread);
  if (!turn) return fail(turn.error());
  if (batch->records.size() != 1)
    return refuse("its record is no JSON object: " + (misread.why.empty() ? "array" : misread.why));
  batch->source_slices.clear();  // what the source gave is something else
  if (Status typed = set_types(*batch, types); !typed) return fail(typed.error());
  return batch;
}

Status LetterBatches::set_types(Batch& batch, std::string_view types) const {
  if (types.empty()) return {};
  Record& record = batch.records[0];
  std::vector<std::pair<std::string, Type>> declared;
  for (auto& [name, type_text] : texts_of(types)) {
    const std::optional<Type> type = type_called(type_text);
    const int field = record.shape->find(name);
    if (!type || field < 0) continue;
    if (*type != Type::kBytes) {
      declared.emplace_back(name, *type);
      continue;
    }
    Value& value = record.values[field];
    std::string text;
    std::string bytes;
    append_text(text, value);
    if (value.type != Type::kString || !append_from_base64(bytes, text))
      return refuse(name + ": is no base64");
    value = Value::of_text(Type::kBytes, batch.arena.copy(bytes));
  }
  FieldTypes fields(declared);
  if (!fields.apply(record, batch.arena)) return refuse(fields.problem());
  return {};
}

// Its values are copied: they lie in a batch of their own at first.
Status LetterBatches::add_message(Batch& batch, std::string_view message) {
  if (message.empty()) return {};
  Result<BatchRef> read = record_of(message, {});
  if (!read) return fail(read.error());
  const Record& fields = (*read)->records[0];
  const size_t size = fields.shape->size();
  auto* values = batch.arena.array<Value>(size);
  for (size_t i = 0; i < size; ++i) {
    values[i] = fields.values[i];
    if (values[i].is_text()) values[i].text = batch.arena.copy(values[i].view()).data();
  }
  batch.adopt((*read)->shapes().back());
  batch.message_fields.push_back(
      {.shape = fields.shape, .values = values, .end_offset = batch.slices[0].end_offset});
  return {};
}

}  // namespace leat
