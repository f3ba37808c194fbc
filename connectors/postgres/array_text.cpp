#include "connectors/postgres/array_text.h"

namespace leat::postgres {

JsonArray::Step JsonArray::next() {
  json_.blanks();
  if (depth_ == 0 && after_one_) return json_.at_end() ? Step::kEnd : Step::kBroken;
  if (after_one_ && json_.take(']')) {
    --depth_;
    return Step::kCloses;
  }
  if (after_one_ && !json_.take(',')) return Step::kBroken;
  bool may_close = !after_one_ && depth_ > 0;  // an array that has just been opened
  after_one_ = false;
  json_.blanks();
  if (json_.take('[')) {
    if (++depth_ > JsonWalker::kDeepest) return Step::kBroken;
    return Step::kOpens;
  }
  after_one_ = true;
  if (may_close && json_.take(']')) {
    --depth_;
    return Step::kCloses;
  }
  if (depth_ == 0 || !read_element()) return Step::kBroken;
  return Step::kElement;
}

bool JsonArray::read_element() {
  size_t start = json_.place();
  char first = json_.peek();
  if (first == '"') {
    if (!json_.string()) return false;
    std::string_view text = json_.since(start);
    element_ = Value::of_text(Type::kString, text.substr(1, text.size() - 2), Form::kText);
    return true;
  }
  if (first == '{') {
    if (!json_.value()) return false;
    element_ = Value::of_text(Type::kJson, json_.since(start));
    return true;
  }
  if (!json_.word()) return false;
  std::string_view word = json_.since(start);
  element_ = word == "null"                      ? Value::null()
             : word == "true" || word == "false" ? Value::boolean(word == "true")
                                                 : number_from_text(word);
  return true;
}

void ArrayText::separate() {
  if (!out_.empty() && out_.back() != '{') out_ += delimiter_;
}

void ArrayText::open() {
  separate();
  out_ += '{';
}

void ArrayText::close() {
  out_ += '}';
}

void ArrayText::null() {
  separate();
  out_ += "NULL";
}

// In quotes, so that it is nothing but an element.
void ArrayText::add(std::string_view element) {
  separate();
  out_ += '"';
  for (char c : element) {
    if (c == '"' || c == '\\') out_ += '\\';
    out_ += c;
  }
  out_ += '"';
}

}  // namespace leat::postgres
