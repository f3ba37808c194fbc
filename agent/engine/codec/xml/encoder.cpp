#include "codec/xml/encoder.h"

#include <array>

#include "base/text.h"
#include "codec/text/json_members.h"
#include "codec/xml/dialect.h"

namespace leat {
namespace {

// What stands for a character that cannot stand for itself (XML 1.0 sections 2.4 and 3.3.3). Line
// ends are written so, too: a record is a line, and a parser would make spaces of those in
// attributes.
std::string_view reference(char c, bool attribute) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    case '"':
      return attribute ? "&quot;" : "";
    case '\t':
      return attribute ? "&#9;" : "";
    default:
      return "";
  }
}

constexpr auto kNotPlain = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 0x20; ++c) table[c] = true;
  for (unsigned char c : {'&', '<', '>', '"'}) table[c] = true;
  table[0xEF] = true;  // U+FFFE and U+FFFF begin so, and are no characters of XML
  return table;
}();

}  // namespace

Result<BatchRef> XmlEncoder::encode(const Batch& in, DeadLetters& dead) {
  BatchRef out = batch_like(in);
  SliceWriter writer(out->arena);
  size_t made = 0;
  for (size_t i = 0; i < in.records.size(); ++i) {
    const Record& record = in.records[i];
    bool stop = false;
    if (write_record(record, shapes_.get(in, record.shape, map_shape), writer)) {
      out->slices.push_back(writer.finish(record.end_offset, record.end_line));
      made += out->slices.back().size;
      stop = made >= in.quantum;
    } else {
      writer.discard();
      dead.add(in, i, reason_);
      stop = dead.full();
    }
    if (stop && in.may_cut(i + 1)) return stop_behind(i, in, std::move(out));
  }
  shapes_.trim(in);
  return out;
}

XmlEncoder::Names XmlEncoder::map_shape(const Shape& shape) {
  Names names;
  for (size_t i = 0; i < shape.size(); ++i) {
    std::string_view name = shape.name(i);
    const bool attribute = name.starts_with('@');
    (attribute ? names.attributes : names.others).push_back(i);
    if (attribute) name.remove_prefix(1);
    if (names.bad < 0 && name != "#text" && !is_xml_name(name)) names.bad = static_cast<int>(i);
  }
  return names;
}

// False when XML cannot express it; then reason_ says why.
bool XmlEncoder::write_record(const Record& record, const Names& names, SliceWriter& writer) {
  if (names.bad >= 0)
    return refuse(record.shape->name(static_cast<size_t>(names.bad)), "no name of an element");
  writer.append('<');
  writer.append(record_);
  for (size_t i : names.attributes)
    if (!write_attribute(record.shape->name(i), record.values[i], writer)) return false;
  writer.append('>');
  for (size_t i : names.others)
    if (!write_element(record.shape->name(i), record.values[i], writer)) return false;
  writer.append("</");
  writer.append(record_);
  writer.append(">\n");
  return true;
}

bool XmlEncoder::write_attribute(std::string_view name, const Value& value, SliceWriter& writer) {
  if (value.type == Type::kAbsent || value.type == Type::kNull) return true;
  writer.append(' ');
  writer.append(name.substr(1));
  writer.append("=\"");
  if (!write_text(value, In::kAttribute, writer)) return refuse(name, reason_);
  writer.append('"');
  return true;
}

bool XmlEncoder::write_element(std::string_view name, const Value& value, SliceWriter& writer) {
  if (value.type == Type::kAbsent) return true;
  if (value.type == Type::kJson) return write_json(name, value.view(), writer);
  if (name == "#text") return write_text(value, In::kText, writer) || refuse(name, reason_);
  writer.append('<');
  writer.append(name);
  if (value.type == Type::kNull) {
    writer.append("/>");
    return true;
  }
  writer.append('>');
  if (!write_text(value, In::kText, writer)) return refuse(name, reason_);
  writer.append("</");
  writer.append(name);
  writer.append('>');
  return true;
}

// JSON is no deeper than JsonScanner allows, and so neither is this.
bool XmlEncoder::write_json(std::string_view name, std::string_view json, SliceWriter& writer) {
  if (name == "#text") return refuse(name, "text cannot be an object or an array");
  return json[0] == '{' ? write_object(name, json, writer) : write_array(name, json, writer);
}

bool XmlEncoder::write_object(std::string_view name, std::string_view json, SliceWriter& writer) {
  writer.append('<');
  writer.append(name);
  bool empty = true;
  const bool good = each_json_member(json, [&](std::string_view member, const Value& value) {
    if (!member.starts_with('@')) {
      empty = false;
      return true;
    }
    if (!is_xml_name(member.substr(1))) return refuse(member, "no name of an attribute");
    return write_attribute(member, value, writer);
  });
  if (!good) return false;
  if (empty) {
    writer.append("/>");
    return true;
  }
  writer.append('>');
  if (!each_json_member(json, [&](std::string_view member, const Value& value) {
        if (member.starts_with('@')) return true;
        if (member != "#text" && !is_xml_name(member))
          return refuse(member, "no name of an element");
        return write_element(member, value, writer);
      }))
    return false;
  writer.append("</");
  writer.append(name);
  writer.append('>');
  return true;
}

// An array in an array has no name of its own for its elements.
bool XmlEncoder::write_array(std::string_view name, std::string_view json, SliceWriter& writer) {
  return each_json_member(json, [&](std::string_view, const Value& value) {
    const bool nested = value.type == Type::kJson && value.view()[0] == '[';
    if (!nested) return write_element(name, value, writer);
    writer.append('<');
    writer.append(name);
    writer.append('>');
    if (!write_array("item", value.view(), writer)) return false;
    writer.append("</");
    writer.append(name);
    writer.append('>');
    return true;
  });
}

bool XmlEncoder::write_text(const Value& value, In in, SliceWriter& writer) {
  const bool number = value.form == Form::kText && value.type != Type::kString;
  if (number || value.type == Type::kDecimal) {
    writer.append(value.view());
    return true;
  }
  const bool as_it_is = value.is_text() && value.form == Form::kPlain && value.type != Type::kBytes;
  if (as_it_is) return escape(value.view(), in, writer);
  scratch_.clear();
  append_text(scratch_, value);
  return escape(scratch_, in, writer);
}

bool XmlEncoder::escape(std::string_view text, In in, SliceWriter& writer) {
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const char* plain = p;
    while (p < end && !kNotPlain[static_cast<unsigned char>(*p)]) ++p;
    writer.append({plain, static_cast<size_t>(p - plain)});
    if (p == end) break;
    const std::string_view stands = reference(*p, in == In::kAttribute);
    const auto byte = static_cast<unsigned char>(*p);
    const std::string_view rest(p, static_cast<size_t>(end - p));
    if (rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF") ||
        (byte < 0x20 && stands.empty() && byte != '\t')) {
      reason_ = "a character that XML cannot hold";
      return false;
    }
    if (stands.empty()) {
      writer.append(*p);
    } else {
      writer.append(stands);
    }
    ++p;
  }
  return true;
}

bool XmlEncoder::refuse(std::string_view name, std::string_view why) {
  reason_ = excerpt(name) + ": " + std::string(why);
  return false;
}

}  // namespace leat
