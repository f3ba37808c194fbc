#include "codec/xml/tree.h"

#include <expat.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "codec/text/limits.h"
#include "codec/xml/pieces.h"

namespace leat {
namespace {

constexpr std::string_view kAround = "<r>";
constexpr size_t kShapesHeld = 64 * 1024;

bool is_number(std::string_view text) {
  return !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9')) &&
         json_number_length(text) == text.size();
}

int64_t byte_index(XML_Parser parser) {
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
  return XML_GetCurrentByteIndex64(parser);  // the other one, a long, is deprecated there
#else
  return XML_GetCurrentByteIndex(parser);
#endif
}

}  // namespace

struct XmlTree::Handlers {
  static void start(void* self, const XML_Char* name, const XML_Char** attributes) {
    static_cast<XmlTree*>(self)->start(name, attributes);
  }
  static void end(void* self, const XML_Char*) { static_cast<XmlTree*>(self)->end(); }
  static void text(void* self, const XML_Char* text, int size) {
    static_cast<XmlTree*>(self)->text(text, size);
  }
};

XmlTree::XmlTree(const XmlDialect& dialect)
    : dialect_(dialect), parser_(XML_ParserCreate(nullptr)), names_(dialect.arrays) {
  if (parser_ == nullptr) std::abort();  // memory that cannot be had, as operator new does
  text_name_.text = "#text";
}

XmlTree::~XmlTree() {
  XML_ParserFree(parser_);
}

void XmlTree::begin() {
  if (names_.too_many() || shape_bytes_ > kShapesHeld) {
    names_.clear();
    shapes_.clear();
    last_key_.clear();
    last_shape_.reset();
    shape_bytes_ = 0;
  }
  restart();
}

size_t XmlTree::held() const {
  return names_.held() + shape_bytes_ + nodes_.capacity() * sizeof(Node) + text_.capacity() +
         json_.capacity();
}

// Behind an error expat takes nothing more; and it never forgets a name.
void XmlTree::restart() {
  XML_ParserReset(parser_, dialect_.latin1 ? "ISO-8859-1" : "UTF-8");
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, Handlers::start, Handlers::end);
  XML_SetCharacterDataHandler(parser_, Handlers::text);
  reading_ = false;
  XML_Parse(parser_, kAround.data(), static_cast<int>(kAround.size()), XML_FALSE);
  base_ = static_cast<int64_t>(kAround.size());
}

bool XmlTree::read(std::string_view element, XmlScope& scope, Batch& batch, ValueRun& values) {
  nodes_.clear();
  open_.clear();
  text_.clear();
  stop_ = nullptr;
  scope_ = &scope;
  reading_ = true;
  const XML_Status status =
      XML_Parse(parser_, element.data(), static_cast<int>(element.size()), XML_FALSE);
  reading_ = false;
  if (status != XML_STATUS_OK) {
    fail_at(element, stop_ != nullptr ? stop_ : XML_ErrorString(XML_GetErrorCode(parser_)));
    restart();
    return false;
  }
  base_ += static_cast<int64_t>(element.size());
  if (nodes_.empty() || !open_.empty()) {
    // Where its end was found by its name, expat may still be within something.
    problem_ = "not well-formed";
    restart();
    return false;
  }
  return make(batch, values);
}

bool XmlTree::fail_at(std::string_view element, std::string_view why) {
  const int64_t at = byte_index(parser_) - base_;
  const std::string_view before = element.substr(
      0, static_cast<size_t>(std::clamp<int64_t>(at, 0, static_cast<int64_t>(element.size()))));
  const size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  problem_ = "invalid XML in line " + std::to_string(line) + ", column " + std::to_string(column) +
             " of the record: ";
  problem_ += why;
  return false;
}

// --- what expat tells ---

uint32_t XmlTree::add(const Node& node) {
  const auto index = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(node);
  if (open_.empty()) return index;
  Node& parent = nodes_[open_.back()];
  if (parent.first == 0) {
    parent.first = index;
  } else {
    nodes_[parent.last].next = index;
  }
  parent.last = index;
  return index;
}

XmlName& XmlTree::name_of(const char* written, bool attribute) {
  if (!dialect_.namespaces.empty()) {
    scope_->name(dialect_, written, attribute, mapped_);
    written = mapped_.c_str();
  }
  return attribute ? names_.attribute(written) : names_.element(written);
}

void XmlTree::start(const char* name, const char** attributes) {
  if (!reading_) return;
  if (open_.size() >= kMaxDepth) {
    stop_ = "elements nested more than 60 levels deep";
    XML_StopParser(parser_, XML_FALSE);
    return;
  }
  const bool mapped = !dialect_.namespaces.empty();
  if (mapped)
    for (const char** a = attributes; *a != nullptr; a += 2)
      if (XmlScope::is_declaration(a[0]))
        scope_->declare(dialect_, dialect_.path.level() + open_.size(), a[0], a[1]);
  Node element;
  element.name = &name_of(name, false);
  open_.push_back(add(element));
  for (const char** a = attributes; *a != nullptr; a += 2) {
    if (XmlScope::is_declaration(a[0])) continue;
    Node attribute;
    attribute.name = &name_of(a[0], true);
    attribute.attribute = true;
    attribute.text = static_cast<uint32_t>(text_.size());
    text_ += a[1];
    attribute.size = static_cast<uint32_t>(text_.size()) - attribute.text;
    add(attribute);
  }
}

void XmlTree::end() {
  if (open_.empty()) return;
  open_.pop_back();
  if (!dialect_.namespaces.empty()) scope_->close(dialect_.path.level() + open_.size());
}

void XmlTree::text(const char* text, int size) {
  if (open_.empty()) return;
  const std::string_view more(text, static_cast<size_t>(size));
  const bool blank = std::all_of(more.begin(), more.end(), is_xml_space);
  const uint32_t last = nodes_[open_.back()].last;
  if (last != 0 && nodes_[last].name == nullptr) {
    text_ += more;  // expat gives it in parts; nothing else was added in between
    nodes_[last].size += static_cast<uint32_t>(more.size());
    nodes_[last].blank = nodes_[last].blank && blank;
    return;
  }
  // Space between elements.
  if (blank && last != 0 && !nodes_[last].attribute) return;
  Node node;
  node.blank = blank;
  node.text = static_cast<uint32_t>(text_.size());
  node.size = static_cast<uint32_t>(more.size());
  text_ += more;
  add(node);
}

// --- the record ---

bool XmlTree::make(Batch& batch, ValueRun& values) {
  fields_.clear();
  collect(0);
  if (fields_.size() > kMaxFields) {
    problem_ = "more than " + std::to_string(kMaxFields) + " fields";
    return false;
  }
  const size_t count = fields_.size();
  ShapeRef shape = shape_of_fields(count);
  Value* out = values.reserve(count);
  // Text of the values goes to the arena, where the room is: it must be theirs first.
  values.commit(count);
  for (size_t i = 0; i < count; ++i) out[i] = value_of(fields_[i], batch.arena);
  batch.adopt(shape);
  batch.records.push_back({shape.get(), out, batch.arrival_us});
  return true;
}

ShapeRef XmlTree::shape_of_fields(size_t count) {
  key_.clear();
  for (size_t i = 0; i < count; ++i) key_.push_back(fields_[i].name);
  if (last_shape_ != nullptr && key_ == last_key_) return last_shape_;
  ShapeRef& shape = shapes_[key_];
  if (shape == nullptr) {
    std::vector<std::string_view> names;
    names.reserve(count);
    for (const XmlName* name : key_) names.push_back(name->text);
    shape = std::make_shared<const Shape>(names);
    shape_bytes_ += shape->footprint() + count * sizeof(void*) + 96;
  }
  last_key_ = key_;
  last_shape_ = shape;
  return shape;
}

// Puts the element's children by name behind fields_: attributes, elements, and its own text when
// there is any beside them.
void XmlTree::collect(uint32_t element) {
  const uint64_t here = ++collected_;
  const size_t from = fields_.size();
  const bool text_only = is_text_only(nodes_[element]);
  for (uint32_t i = nodes_[element].first; i != 0; i = nodes_[i].next) {
    Node& node = nodes_[i];
    if (node.name == nullptr && node.blank && !text_only) continue;
    XmlName& name = node.name == nullptr ? text_name_ : *node.name;
    if (name.seen_in == here) {
      nodes_[name.last].same = i;
    } else {
      name.seen_in = here;
      fields_.push_back({&name, i});
    }
    name.last = i;
  }
  // One place for it, wherever it stood.
  auto own = std::find_if(fields_.begin() + static_cast<std::ptrdiff_t>(from), fields_.end(),
                          [this](const Field& field) { return field.name == &text_name_; });
  if (own != fields_.end()) std::rotate(own, own + 1, fields_.end());
}

// Nothing else in it: it is its text.
bool XmlTree::is_text_only(const Node& element) const {
  return element.first != 0 && nodes_[element.first].name == nullptr &&
         element.first == element.last;
}

Value XmlTree::plain(std::string_view text, Arena& arena) const {
  if (dialect_.infer) {
    if (is_number(text)) return number_from_text(arena.copy(text));
    if (text == "true" || text == "false") return Value::boolean(text[0] == 't');
  }
  return Value::of_text(Type::kString, arena.copy(text));
}

Value XmlTree::value_of(Field field, Arena& arena) {
  const Node& node = nodes_[field.first];
  auto text_at = [this](const Node& at) {
    return std::string_view(text_).substr(at.text, at.size);
  };
  if (node.name == nullptr && node.same != 0) {
    joined_.clear();
    for (uint32_t i = field.first; i != 0; i = nodes_[i].same) joined_ += text_at(nodes_[i]);
    return plain(joined_, arena);
  }
  if (node.same == 0 && !field.name->array) {
    if (node.name == nullptr || node.attribute) return plain(text_at(node), arena);
    if (node.first == 0) return Value::null();
    if (is_text_only(node)) return plain(text_at(nodes_[node.first]), arena);
  }
  json_.clear();
  write(field);
  return Value::of_text(Type::kJson, arena.copy(json_));
}

// --- nested elements, as JSON ---

void XmlTree::write(Field field) {
  const Node& first = nodes_[field.first];
  if (first.name == nullptr) {
    joined_.clear();
    for (uint32_t i = field.first; i != 0; i = nodes_[i].same)
      joined_ += std::string_view(text_).substr(nodes_[i].text, nodes_[i].size);
    return write_text(joined_);
  }
  if (first.same == 0 && !field.name->array) return write(field.first);
  json_ += '[';
  for (uint32_t i = field.first; i != 0; i = nodes_[i].same) {
    if (i != field.first) json_ += ',';
    write(i);
  }
  json_ += ']';
}

void XmlTree::write(uint32_t index) {
  const Node& node = nodes_[index];
  if (node.attribute) return write_text(std::string_view(text_).substr(node.text, node.size));
  if (node.first == 0) {
    json_ += "null";
    return;
  }
  if (is_text_only(node)) {
    const Node& own = nodes_[node.first];
    return write_text(std::string_view(text_).substr(own.text, own.size));
  }
  const size_t from = fields_.size();
  collect(index);
  const size_t to = fields_.size();
  json_ += '{';
  for (size_t i = from; i < to; ++i) {
    if (i > from) json_ += ',';
    json_ += '"';
    append_json_escaped(json_, fields_[i].name->text);
    json_ += "\":";
    write(fields_[i]);
  }
  json_ += '}';
  fields_.resize(from);
}

void XmlTree::write_text(std::string_view text) {
  const bool as_it_is = dialect_.infer && (is_number(text) || text == "true" || text == "false");
  if (as_it_is) {
    json_ += text;
    return;
  }
  json_ += '"';
  append_json_escaped(json_, text);
  json_ += '"';
}

}  // namespace leat
