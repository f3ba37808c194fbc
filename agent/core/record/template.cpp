#include "record/template.h"

#include <algorithm>

#include "base/text.h"

namespace leat {

Result<Template> Template::parse(std::string_view text, bool formats) {
  auto bad = [](std::string message) { return fail(ErrorKind::kUsage, std::move(message)); };
  Template out;
  std::string literal;
  auto end_literal = [&out, &literal] {
    if (!literal.empty()) out.pieces_.push_back({.text = literal});
    literal.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '{') {
      size_t close = text.find('}', i);
      if (close == std::string_view::npos) return bad("a \"{\" is not closed");
      std::string_view name = text.substr(i + 1, close - i - 1);
      std::string_view format;
      if (size_t colon = name.find(':'); formats && colon != std::string_view::npos) {
        format = name.substr(colon + 1);
        name = name.substr(0, colon);
        if (format.empty()) return bad("there is nothing behind a \":\"");
      }
      if (name.empty() || name.find('{') != std::string_view::npos)
        return bad("\"{\" must be followed by the name of a field and \"}\"; write {{ for a brace");
      end_literal();
      out.pieces_.push_back(
          {.text = std::string(name), .format = std::string(format), .is_field = true});
      i = close;
    } else if (c == '}') {
      return bad("a \"}\" without \"{\"; write }} for a brace");
    } else {
      literal += c;
    }
  }
  end_literal();
  return out;
}

// Shapes come and go, and may have the address of one before: so the name is looked at.
const Value* Template::find(Piece& field, const Record& record) {
  const Shape& shape = *record.shape;
  const auto at = static_cast<size_t>(field.index);
  if (field.index < 0 || at >= shape.size() || shape.name(at) != field.text)
    field.index = shape.find(field.text);
  if (field.index < 0) return nullptr;
  const Value& value = record.value(static_cast<size_t>(field.index));
  return value.type == Type::kAbsent ? nullptr : &value;
}

Status Template::append(std::string& out, const Record& record) {
  for (Piece& piece : pieces_) {
    if (!piece.is_field) {
      out += piece.text;
      continue;
    }
    const Value* found = find(piece, record);
    if (found == nullptr)
      return fail(ErrorKind::kData, "the record has no field \"" + excerpt(piece.text) + '"');
    const Value& value = *found;
    if (value.type == Type::kNull)
      return fail(ErrorKind::kData, "the field \"" + excerpt(piece.text) + "\" is null");
    if (value.form == Form::kPlain && value.is_text()) {
      out += value.view();  // bytes too: as they are, not as base64
    } else {
      append_text(out, value);
    }
  }
  return {};
}

bool Template::has_fields() const {
  return std::ranges::any_of(pieces_, &Piece::is_field);
}

std::string Template::literal() const {
  std::string out;
  for (const Piece& piece : pieces_)
    if (!piece.is_field) out += piece.text;
  return out;
}

}  // namespace leat
