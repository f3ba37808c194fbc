#include "codec/avro/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "codec/avro/defaults.h"

namespace leat {
namespace {

// Two schemas of 20,000 types each make few pairs; unions of many with many make more than anybody
// means.
constexpr size_t kMostSteps = 100'000;
// In one record; its schema makes them of nothing.
constexpr uint64_t kMostEmptyValues = 65'536;

bool is_number(AvroType type) {
  return type >= AvroType::kInt && type <= AvroType::kDouble;
}

bool is_text(AvroType type) {
  return type == AvroType::kBytes || type == AvroType::kString;
}

std::string_view unqualified(std::string_view name) {
  return name.substr(name.rfind('.') + 1);  // npos + 1 is 0
}

bool same_name(const AvroNode& writer, const AvroNode& reader) {
  if (unqualified(writer.name) == unqualified(reader.name)) return true;
  return std::ranges::any_of(reader.aliases, [&](const std::string& alias) {
    return alias == writer.name || unqualified(alias) == unqualified(writer.name);
  });
}

AvroAs as_of(const AvroNode& writer, const AvroNode& reader) {
  const auto is_time = [](AvroLogical logical) { return logical >= AvroLogical::kDate; };
  // A time is the same whatever the reader would count it in.
  const bool both = is_time(writer.logical) && is_time(reader.logical);
  switch (both ? writer.logical : reader.logical) {
    case AvroLogical::kDecimal:
      return AvroAs::kDecimal;
    case AvroLogical::kDate:
      return AvroAs::kDate;
    case AvroLogical::kTimeMillis:
      return AvroAs::kTimeMillis;
    case AvroLogical::kTimeMicros:
      return AvroAs::kTimeMicros;
    case AvroLogical::kTimestampMillis:
      return AvroAs::kTimestampMillis;
    case AvroLogical::kTimestampMicros:
      return AvroAs::kTimestampMicros;
    case AvroLogical::kLocalMillis:
      return AvroAs::kLocalMillis;
    case AvroLogical::kLocalMicros:
      return AvroAs::kLocalMicros;
    case AvroLogical::kUuid:
    case AvroLogical::kNone:
      break;
  }
  if (writer.type <= AvroType::kLong && reader.type >= AvroType::kFloat && is_number(reader.type))
    return AvroAs::kFloat;
  if (writer.type == AvroType::kBytes && reader.type == AvroType::kString) return AvroAs::kText;
  if (writer.type == AvroType::kString && reader.type == AvroType::kBytes) return AvroAs::kBytes;
  return AvroAs::kItself;
}

std::string described(const AvroNode& node) {
  const std::string name = avro_type_name(node.type);
  return node.name.empty() ? name : name + " " + excerpt(node.name);
}

}  // namespace

class AvroResolver {
 public:
  explicit AvroResolver(AvroPlan& plan) : plan_(plan) {}

  // `reader` null: as it was written.
  const AvroStep* step(const AvroNode& writer, const AvroNode* reader) {
    if (reader == nullptr) reader = &writer;
    auto [known, is_new] = known_.try_emplace({&writer, reader}, nullptr);
    if (!is_new) return known->second;
    plan_.steps_.push_back(std::make_unique<AvroStep>());
    AvroStep& out = *plan_.steps_.back();
    known->second = &out;
    if (!is_too_large()) resolve(writer, *reader, out);
    return &out;
  }
  bool is_too_large() const { return plan_.steps_.size() > kMostSteps; }

 private:
  void resolve(const AvroNode& writer, const AvroNode& reader, AvroStep& out) {
    out.type = writer.type;
    if (writer.type == AvroType::kUnion) {
      for (const AvroNode* branch : writer.branches) {
        // Against the same union each branch is its own.
        out.branches.push_back(step(*branch, &writer == &reader ? branch : &reader));
      }
      return;
    }
    if (reader.type == AvroType::kUnion) {
      const AvroNode* fit = branch_for(writer, reader);
      if (fit == nullptr) return refuse(writer, reader, out);
      return resolve(writer, *fit, out);
    }
    if (!fits(writer, reader)) return refuse(writer, reader, out);
    out.as = as_of(writer, reader);
    out.size = writer.size;
    out.scale = reader.scale;
    const bool is_empty =
        writer.type == AvroType::kNull || (writer.type == AvroType::kFixed && writer.size == 0);
    out.empty = is_empty ? 1 : 0;
    if (out.as == AvroAs::kDecimal && writer.logical == AvroLogical::kDecimal &&
        writer.scale != reader.scale)
      out.problem = "a decimal of scale " + std::to_string(writer.scale) + " is not one of scale " +
                    std::to_string(reader.scale);
    switch (writer.type) {
      case AvroType::kArray:
      case AvroType::kMap:
        out.branches.push_back(step(writer.item(), &reader.item()));
        return;
      case AvroType::kEnum:
        return resolve_enum(writer, reader, out);
      case AvroType::kRecord:
        return resolve_record(writer, reader, out);
      default:
        return;
    }
  }

  // As it was written, so that it can be passed over.
  void refuse(const AvroNode& writer, const AvroNode& reader, AvroStep& out) {
    resolve(writer, writer, out);
    out.problem = "written as " + described(writer) + ", which is not read as " + described(reader);
  }

  static bool fits(const AvroNode& writer, const AvroNode& reader) {
    if (is_number(writer.type) && is_number(reader.type)) return writer.type <= reader.type;
    if (is_text(writer.type) && is_text(reader.type)) return true;
    if (writer.type != reader.type) return false;
    if (&writer == &reader) return true;
    switch (writer.type) {
      case AvroType::kFixed:
        return writer.size == reader.size && same_name(writer, reader);
      case AvroType::kEnum:
      case AvroType::kRecord:
        return same_name(writer, reader);
      default:
        return true;
    }
  }

  // The first that is of the same type and name, else the first that it can be promoted to.
  static const AvroNode* branch_for(const AvroNode& writer, const AvroNode& reader) {
    for (const AvroNode* branch : reader.branches)
      if (branch->type == writer.type && branch->name == writer.name && fits(writer, *branch))
        return branch;
    for (const AvroNode* branch : reader.branches)
      if (branch->type == writer.type && fits(writer, *branch)) return branch;
    for (const AvroNode* branch : reader.branches)
      if (fits(writer, *branch)) return branch;
    return nullptr;
  }

  static void resolve_enum(const AvroNode& writer, const AvroNode& reader, AvroStep& out) {
    for (const std::string& symbol : writer.symbols) {
      const bool known = std::ranges::find(reader.symbols, symbol) != reader.symbols.end();
      out.symbols.push_back(known ? symbol : reader.default_symbol);
    }
  }

  void resolve_record(const AvroNode& writer, const AvroNode& reader, AvroStep& out) {
    std::vector<std::string_view> names;
    for (const AvroField& field : reader.fields) names.push_back(field.name);
    out.shape = std::make_shared<const Shape>(names);
    plan_.footprint_ += out.shape->footprint();
    std::vector<bool> filled(reader.fields.size());
    uint64_t empty = 1;
    for (const AvroField& field : writer.fields) {
      const int target =
          &writer == &reader ? static_cast<int>(out.fields.size()) : target_of(field.name, reader);
      const bool wanted = target >= 0 && !filled[static_cast<size_t>(target)];
      if (wanted) filled[static_cast<size_t>(target)] = true;
      const AvroNode* type = wanted ? reader.fields[static_cast<size_t>(target)].type : nullptr;
      const AvroStep* value = step(*field.type, type);
      if (value->empty == 0)
        out.passed.push_back(value);
      else if (!wanted)
        continue;
      else
        empty = std::min(empty + value->empty, kMostEmptyValues + 1);
      out.fields.push_back(
          {value, wanted ? target : -1,
           wanted ? std::string(out.shape->json_key(static_cast<size_t>(target))) : ""});
    }
    if (out.passed.empty()) out.empty = empty;
    if (empty > kMostEmptyValues) {
      out.problem = "more than " + format_count(kMostEmptyValues, "value") + " that take no bytes";
      return;
    }
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      if (filled[i]) continue;
      const AvroField& field = reader.fields[i];
      if (!field.has_default) {
        out.problem =
            "the field \"" + excerpt(field.name) + "\" was not written, and has no default";
        return;
      }
      Result<std::string> bytes = avro_default(field, default_values_);
      if (!bytes) {
        out.problem = bytes.error().message();
        return;
      }
      out.defaults.push_back({static_cast<int>(i), std::string(out.shape->json_key(i)),
                              step(*field.type, nullptr), std::move(*bytes)});
    }
  }

  static int target_of(const std::string& name, const AvroNode& reader) {
    for (size_t i = 0; i < reader.fields.size(); ++i)
      if (reader.fields[i].name == name) return static_cast<int>(i);
    for (size_t i = 0; i < reader.fields.size(); ++i)
      if (std::ranges::find(reader.fields[i].aliases, name) != reader.fields[i].aliases.end())
        return static_cast<int>(i);
    return -1;
  }

  AvroPlan& plan_;
  size_t default_values_ = 0;
  std::map<std::pair<const AvroNode*, const AvroNode*>, const AvroStep*> known_;
};

Result<AvroPlanRef> AvroPlan::make(AvroSchemaRef writer, const AvroSchemaRef& reader) {
  auto plan = std::make_shared<AvroPlan>();
  plan->writer_ = std::move(writer);
  AvroResolver resolver(*plan);
  plan->root_ = resolver.step(plan->writer_->root(), reader == nullptr ? nullptr : &reader->root());
  if (resolver.is_too_large())
    return fail(ErrorKind::kData, "the schemas are too large to be compared");
  if (!plan->root_->problem.empty()) return fail(ErrorKind::kData, plan->root_->problem);
  plan->value_shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"value"});
  for (const auto& step : plan->steps_)
    plan->footprint_ += sizeof(AvroStep) + step->fields.capacity() * sizeof(AvroStep::Field) +
                        step->symbols.capacity() * sizeof(std::string) +
                        step->passed.capacity() * sizeof(void*) +
                        step->branches.capacity() * sizeof(void*);
  plan->footprint_ += plan->writer_->footprint();
  return AvroPlanRef(std::move(plan));
}

}  // namespace leat
