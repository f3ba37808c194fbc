#include "connectors/amqp/properties.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "options/option_errors.h"

namespace leat::amqp {
namespace {

struct Named {
  std::string_view option;
  amqp_flags_t flag;
  amqp_bytes_t amqp_basic_properties_t::*member;
};
constexpr Named kTexts[] = {
    {"messageId", AMQP_BASIC_MESSAGE_ID_FLAG, &amqp_basic_properties_t::message_id},
    {"correlationId", AMQP_BASIC_CORRELATION_ID_FLAG, &amqp_basic_properties_t::correlation_id},
    {"replyTo", AMQP_BASIC_REPLY_TO_FLAG, &amqp_basic_properties_t::reply_to},
    {"type", AMQP_BASIC_TYPE_FLAG, &amqp_basic_properties_t::type},
    {"appId", AMQP_BASIC_APP_ID_FLAG, &amqp_basic_properties_t::app_id},
};

// RabbitMQ's limit of a key is that of a short string; longer ones cannot be encoded.
constexpr size_t kLongestName = 255;
constexpr uint8_t kPersistent = 2;
constexpr int64_t kMicroseconds = 1'000'000;

// The field that a template is alone. Null: it is more than that, or something else.
Template::Piece* only_field(Template& text) {
  std::vector<Template::Piece>& pieces = text.pieces();
  return pieces.size() == 1 && pieces.front().is_field ? &pieces.front() : nullptr;
}

// The value as one of a table. `made`: memory for its text.
amqp_field_value_t field_of(const Value& value, std::string& made) {
  amqp_field_value_t out{};
  switch (value.type) {
    case Type::kBool:
      out.kind = AMQP_FIELD_KIND_BOOLEAN;
      out.value.boolean = value.integer != 0 ? 1 : 0;
      return out;
    case Type::kInteger:
      out.kind = AMQP_FIELD_KIND_I64;
      out.value.i64 = integer_of(value);
      return out;
    case Type::kFloat:
      out.kind = AMQP_FIELD_KIND_F64;
      out.value.f64 = real_of(value);
      return out;
    case Type::kTime:
      if (value.integer < 0) break;
      out.kind = AMQP_FIELD_KIND_TIMESTAMP;
      out.value.u64 = static_cast<uint64_t>(value.integer / kMicroseconds);
      return out;
    case Type::kBytes:
      out.kind = AMQP_FIELD_KIND_BYTES;
      out.value.bytes = bytes_of(value.view());
      return out;
    default:
      break;
  }
  append_text(made, value);
  out.kind = AMQP_FIELD_KIND_UTF8;
  out.value.bytes = bytes_of(made);
  return out;
}

}  // namespace

Result<PropertyMaker> PropertyMaker::from(const Options& options) {
  PropertyMaker out;
  OptionErrors errors;
  const Options& properties = options.object("properties");
  for (const Named& named : kTexts) {
    if (!properties.has(named.option)) continue;
    Result<Template> text = Template::parse(properties.string(named.option));
    if (!text) {
      errors.add(properties, named.option, text.error());
      continue;
    }
    out.texts_.push_back({named.flag, named.member, named.option, std::move(*text), {}});
  }
  for (const auto& [name, value] : options.map("headers")) {
    const std::string path = path_of_key("headers", name);
    Result<Template> text = Template::parse(value);
    if (!text) {
      errors.add(options, path, text.error());
    } else if (name.empty() || name.size() > kLongestName) {
      errors.add(options, path, "the name of a header must be of 1 to 255 bytes");
    } else {
      out.headers_.push_back({name, std::move(*text), {}});
    }
  }
  amqp_basic_properties_t& made = out.properties_;
  if (options.boolean("persistent")) {
    made._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    made.delivery_mode = kPersistent;
  }
  if (properties.has("priority")) {
    made._flags |= AMQP_BASIC_PRIORITY_FLAG;
    made.priority = static_cast<uint8_t>(properties.integer("priority"));
  }
  if (properties.has("expiration"))
    out.expiration_ = std::to_string(properties.duration("expiration").count());
  if (properties.has("contentType")) {
    out.content_type_ = properties.string("contentType");
  } else if (!options.has("payload")) {
    out.content_type_ = "application/json";
  }
  if (out.content_type_.size() > kLongestShortText)
    errors.add(properties, "contentType", "longer than 255 bytes");
  out.timestamp_ = properties.boolean("timestamp");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Result<const amqp_basic_properties_t*> PropertyMaker::make(const Record& record) {
  amqp_basic_properties_t& out = properties_;
  const auto set = [&out](amqp_flags_t flag, bool there) {
    out._flags = there ? out._flags | flag : out._flags & ~flag;
  };
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, !content_type_.empty());
  out.content_type = bytes_of(content_type_);
  set(AMQP_BASIC_EXPIRATION_FLAG, !expiration_.empty());
  out.expiration = bytes_of(expiration_);
  for (Text& text : texts_) {
    text.made.clear();
    const bool there = text.text.append(text.made, record).has_value();
    if (there && text.made.size() > kLongestShortText)
      return fail(ErrorKind::kData, "the property \"" + std::string(text.name) + "\" is of " +
                                        std::to_string(text.made.size()) + " bytes, more than 255");
    set(text.flag, there);
    out.*text.member = bytes_of(text.made);
  }
  if (timestamp_) {
    set(AMQP_BASIC_TIMESTAMP_FLAG, record.time_us >= 0);
    out.timestamp = static_cast<uint64_t>(std::max<int64_t>(record.time_us, 0) / kMicroseconds);
  }
  entries_.clear();
  for (Header& header : headers_) add_header(header, record);
  set(AMQP_BASIC_HEADERS_FLAG, !entries_.empty());
  out.headers = {static_cast<int>(entries_.size()), entries_.data()};
  return &out;
}

bool PropertyMaker::add_header(Header& header, const Record& record) {
  header.made.clear();
  amqp_field_value_t value{};
  if (Template::Piece* field = only_field(header.text)) {
    const Value* found = Template::find(*field, record);
    if (found == nullptr || found->type == Type::kAbsent || found->type == Type::kNull)
      return false;
    value = field_of(*found, header.made);
  } else {
    if (!header.text.append(header.made, record)) return false;
    value.kind = AMQP_FIELD_KIND_UTF8;
    value.value.bytes = bytes_of(header.made);
  }
  entries_.push_back({bytes_of(header.name), value});
  return true;
}

}  // namespace leat::amqp
