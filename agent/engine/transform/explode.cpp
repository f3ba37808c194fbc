// `explode`: one record for each element of an array. Nothing is converted or
// copied but the 16 bytes of each value: what is text stays where the array has
// it.
#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/text/json_scanner.h"
#include "record/shape_cache.h"
#include "transform/on_error.h"
#include "transform/types.h"

namespace leat {
namespace {

// What the records of one array may take, as the rows of a query
// (sql_query.cpp).
constexpr size_t kMostMade = 8 << 20;
// Of records of one shape. Elements nearly always look alike.
constexpr size_t kMostLayouts = 8;

using Names = std::vector<std::string_view>;

// Of records that come out: their shape, and where their values come from.
struct Layout {
  enum class From : uint8_t { kField, kMember, kElement, kNumber };
  struct Slot {
    From from;
    uint32_t at = 0;  // kField: in the record that goes in; kMember: in the element
  };

  bool of_object = false;            // its members become fields; else the element is one
  std::vector<std::string> members;  // their names
  ShapeRef shape = nullptr;
  std::vector<Slot> slots = {};
  uint64_t adopted_in = 0;  // number of the batch that keeps the shape alive

  bool is_of(bool object, const Names& names) const {
    return of_object == object && std::ranges::equal(members, names);
  }
  size_t heap_bytes() const {
    return sizeof(Layout) + heap_bytes_of(members) + heap_bytes_of(slots) + 2 * shape->footprint();
  }
};

class ExplodeTransform final : public Transform {
 public:
  explicit ExplodeTransform(const Options& options)
      : field_(options.string("field")),
        number_(options.string("index")),
        flatten_(options.boolean("flatten")),
        most_elements_(static_cast<size_t>(options.integer("maxElements"))),
        on_missing_(options.string("onMissing")),
        on_error_(options, "explode") {}

  Status run(BatchRef& batch, DeadLetters& dead) override {
    const size_t count = batch->records.size();
    if (count == 0) return {};
    ++batch_number_;
    out_.clear();
    const size_t made_before = batch->made;
    for (size_t row = 0; row < count; ++row) {
      if (Status status = take(*batch, row, dead); !status) return status;
      const bool enough = batch->made - made_before >= batch->quantum || dead.full();
      if (!enough || !batch->may_cut(row + 1)) continue;
      batch->leave_records(row + 1);
      break;
    }
    batch->records.swap(out_);
    trim(*batch);
    return {};
  }

  size_t held() const override {
    return known_.held() + layout_bytes_ + heap_bytes_of(out_) + heap_bytes_of(names_) +
           heap_bytes_of(members_);
  }

 private:
  struct Known {  // of the records of one shape
    int field = -1;
    std::vector<Layout> layouts;
    size_t last = 0;  // of them, the one that was used last
  };

  Status take(Batch& batch, size_t row, DeadLetters& dead) {
    const Record record = batch.records[row];
    Known& known = known_.get(batch, record.shape, [this](const Shape& shape) {
      return Known{.field = shape.find(field_), .layouts = {}};
    });
    const Value array = known.field < 0 ? Value::absent() : record.values[known.field];
    const bool missing = array.type == Type::kAbsent || array.type == Type::kNull;
    const size_t first = out_.size();
    if (!missing) {
      if (const char* problem = explode(batch, known, record, array)) {
        out_.resize(first);
        return on_error_.record_failed(batch, row, field_ + ": " + problem, dead, dropped_);
      }
      if (out_.size() > first) return {};
    }
    if (on_missing_ == "deadLetter") {
      dead.add(batch, row, field_ + (missing ? ": is missing" : ": has no elements"));
    } else if (on_missing_ == "keep") {
      names_.clear();
      add(batch, known, record, true, Value::null(), Value::null());
    }
    return {};
  }

  // Adds a record for each element. Not null: what is wrong with it.
  const char* explode(Batch& batch, Known& known, const Record& record, const Value& array) {
    const size_t made_before = batch.made;
    const std::string_view json = array.view();
    if (array.type != Type::kJson || !json.starts_with('[')) return "is no array";
    JsonScanner scanner(true);
    scanner.set_end(json.data() + json.size());
    const char* p = scanner.skip_space(json.data() + 1);
    if (p < scanner.end() && *p == ']') return nullptr;
    for (size_t number = 0;; ++number) {
      if (number == most_elements_) return "has more elements than maxElements";
      if (batch.made - made_before > kMostMade) return "its records would take more than 8 MiB";
      const bool object = flatten_ && p < scanner.end() && *p == '{';
      Value element = Value::null();
      names_.clear();
      p = object ? read_members(scanner, p + 1) : scanner.value(p, element);
      if (p == nullptr) return scanner.error_text();
      add(batch, known, record, object, element, Value::of_integer(static_cast<int64_t>(number)));
      p = scanner.skip_space(p);
      if (p < scanner.end() && *p == ']') return nullptr;
      if (p >= scanner.end() || *p != ',') return "expected ',' or ']'";
      p = scanner.skip_space(p + 1);
    }
  }

  // Into names_ and members_. `p` is behind the '{'; returns the place behind
  // the '}', or null.
  const char* read_members(JsonScanner& scanner, const char* p) {
    members_.clear();
    unescaped_.clear();
    p = scanner.skip_space(p);
    if (p < scanner.end() && *p == '}') return p + 1;
    for (;;) {
      Value name;
      p = scanner.member_name(p, name);
      if (p == nullptr) return nullptr;
      if (name.form == Form::kText) append_unescaped(unescaped_.emplace_back(), name.view());
      names_.push_back(name.form == Form::kText ? unescaped_.back() : name.view());
      p = scanner.value(p, members_.emplace_back());
      if (p == nullptr) return nullptr;
      p = scanner.skip_space(p);
      if (p < scanner.end() && *p == '}') return p + 1;
      if (p >= scanner.end() || *p != ',') return scanner.fail(p, "expected ',' or '}'");
      p = scanner.skip_space(p + 1);
    }
  }

  // A record of `record` in which the element, or names_ and members_, are in
  // the array's place.
  void add(Batch& batch, Known& known, const Record& record, bool object, const Value& element,
           const Value& number) {
    Layout& layout = layout_for(batch, known, *record.shape, object);
    if (layout.adopted_in != batch_number_) {
      batch.adopt(layout.shape);
      layout.adopted_in = batch_number_;
    }
    Record out = record;
    out.shape = layout.shape.get();
    out.values = batch.arena.array<Value>(layout.slots.size());
    batch.made += sizeof(Record) + layout.slots.size() * sizeof(Value);
    for (size_t i = 0; i < layout.slots.size(); ++i) {
      const Layout::Slot& slot = layout.slots[i];
      Value& value = out.values[i];
      switch (slot.from) {
        case Layout::From::kField:
          value = record.values[slot.at];
          batch.made += value.is_text() ? value.size : 0;  // each record has it again
          break;
        case Layout::From::kMember:
          value = members_[slot.at];
          break;
        case Layout::From::kElement:
          value = element;
          break;
        case Layout::From::kNumber:
          value = number;
          break;
      }
    }
    out_.push_back(out);
  }

  // The names of a layout are unique, so only unknown ones are searched for one
  // that stands twice.
  Layout& layout_for(Batch& batch, Known& known, const Shape& shape, bool object) {
    std::vector<Layout>& all = known.layouts;
    if (known.last < all.size() && all[known.last].is_of(object, names_)) return all[known.last];
    keep_last_of_duplicates();
    for (known.last = 0; known.last < all.size(); ++known.last)
      if (all[known.last].is_of(object, names_)) return all[known.last];
    Layout fresh = make_layout(known, shape, object);
    layout_bytes_ += fresh.heap_bytes();
    batch.made += fresh.shape->footprint();
    if (all.size() < kMostLayouts) {
      all.push_back(std::move(fresh));
    } else {
      known.last = next_++ % kMostLayouts;
      layout_bytes_ -= std::min(layout_bytes_, all[known.last].heap_bytes());
      all[known.last] = std::move(fresh);
    }
    return all[known.last];
  }

  // As where records are read: the last value counts, in the place of the first
  // name.
  void keep_last_of_duplicates() {
    std::unordered_map<std::string_view, size_t> places;
    size_t kept = 0;
    for (size_t i = 0; i < names_.size(); ++i) {
      const size_t place = places.try_emplace(names_[i], kept).first->second;
      names_[place] = names_[i];
      members_[place] = members_[i];
      if (place == kept) ++kept;
    }
    names_.resize(kept);
    members_.resize(kept);
  }

  // The fields of the record, with the element's in the place of the array. Of
  // two that have the same name there is one, in the place of the first: the
  // element's before the record's, and the number before both.
  Layout make_layout(const Known& known, const Shape& shape, bool object) const {
    Layout out{.of_object = object, .members = {names_.begin(), names_.end()}};
    Names names;
    std::unordered_map<std::string_view, size_t> places;
    auto put = [&](std::string_view name, Layout::Slot slot) {
      const auto [found, is_new] = places.try_emplace(name, names.size());
      if (!is_new) {
        out.slots[found->second] = slot;
        return;
      }
      names.push_back(name);
      out.slots.push_back(slot);
    };
    auto put_element = [&] {
      if (!object) put(field_, {Layout::From::kElement});
      for (size_t i = 0; i < names_.size(); ++i)
        put(names_[i], {Layout::From::kMember, static_cast<uint32_t>(i)});
    };
    for (size_t i = 0; i < shape.size(); ++i) {
      if (static_cast<int>(i) == known.field)
        put_element();
      else if (!places.contains(shape.name(i)))  // a member has it already
        put(shape.name(i), {Layout::From::kField, static_cast<uint32_t>(i)});
    }
    if (!number_.empty()) put(number_, {Layout::From::kNumber});
    out.shape = std::make_shared<const Shape>(names);
    return out;
  }

  void trim(const Batch& batch) {
    constexpr size_t kShare = 16;
    constexpr size_t kAlways = 16 * 1024;
    known_.trim(batch);
    if (layout_bytes_ > std::max(batch.pool().budget().limit() / kShare, kAlways)) known_.clear();
    if (known_.held() == 0) layout_bytes_ = 0;
  }

  const std::string field_;
  const std::string number_;  // the field with the element's; "": none
  const bool flatten_;
  const size_t most_elements_;
  const std::string on_missing_;
  const OnError on_error_;
  ShapeCache<Known> known_;
  size_t layout_bytes_ = 0;
  size_t next_ = 0;  // layout to be replaced
  uint64_t batch_number_ = 0;
  std::vector<Record> out_;
  // Of the element at hand, when it is an object.
  Names names_;
  std::vector<Value> members_;
  std::deque<std::string> unescaped_;  // names_ may point into these
};

constexpr std::string_view kOnMissing[] = {"keep", "drop", "deadLetter"};

constexpr Option kOptions[] = {
    {.name = "field",
     .required = true,
     .help = "The field with the array. Each of its elements becomes a record, "
             "with all other "
             "fields and the same event time.",
     .example = "\"readings\""},
    {.name = "flatten",
     .type = OptionType::kBool,
     .fallback = "true",
     .help = "The members of an element that is an object become fields, in "
             "the place of the "
             "array; one with the name of another field takes its place. With "
             "false it stays JSON, "
             "under the array's name, as what is no object always does."},
    {.name = "index",
     .help = "A field for the number of the element in its array, from 0. "
             "Default: none."},
    {.name = "maxElements",
     .type = OptionType::kInteger,
     .fallback = "10000",
     .help = "An array with more of them makes its record fail; so does one "
             "whose records would "
             "take more than 8 MiB.",
     .min = 1,
     .max = 1'000'000},
    {.name = "onMissing",
     .fallback = "keep",
     .help = "What becomes of a record without the field, with null, or with an "
             "array without "
             "elements: it is kept without the field, dropped, or a dead letter.",
     .choices = kOnMissing},
    {.name = "onError",
     .fallback = "deadLetter",
     .help = "What becomes of a record whose field is no array, or one with "
             "too much in it: kept "
             "as a dead letter, dropped (and counted), or the pipeline fails.",
     .choices = kOnErrorChoices}};

Result<std::unique_ptr<Transform>> make(const Options& options) {
  return std::make_unique<ExplodeTransform>(options);
}

}  // namespace

const TransformType kExplodeTransform{.name = "explode",
                                      .help = "Makes one record for each element of an array.",
                                      .options = kOptions,
                                      .make = make,
                                      .code = "type",
                                      .parallel = [](const Options&) { return true; }};

}  // namespace leat
