#include "connectors/mqtt/template.h"

#include "base/text.h"

namespace leat::mqtt {

Result<Template> Template::parse(std::string_view text) {
  auto bad = [](std::string message) { return fail(ErrorKind::kUsage, std::move(message)); };
  Template out;
  std::string literal;
  auto end_literal = [&out, &literal] {
    if (!literal.empty()) out.pieces_.push_back({literal, false, -1});
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
      if (name.empty() || name.find('{') != std::string_view::npos)
        return bad("\"{\" must be followed by the name of a field and \"}\"; write {{ for a brace");
      end_literal();
      out.pieces_.push_back({std::string(name), true, -1});
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

Status Template::append(std::string& out, const Record& record) {
  if (record.shape != shape_) {
    shape_ = record.shape;
    for (Piece& piece : pieces_)
      if (piece.is_field) piece.index = shape_->find(piece.text);
  }
  for (const Piece& piece : pieces_) {
    if (!piece.is_field) {
      out += piece.text;
      continue;
    }
    if (piece.index < 0 || record.value(static_cast<size_t>(piece.index)).type == Type::kAbsent)
      return fail(ErrorKind::kData, "the record has no field \"" + excerpt(piece.text) + '"');
    const Value& value = record.value(static_cast<size_t>(piece.index));
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

std::string Template::literal() const {
  std::string out;
  for (const Piece& piece : pieces_)
    if (!piece.is_field) out += piece.text;
  return out;
}

}  // namespace leat::mqtt
