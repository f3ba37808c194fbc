// A JSON array as a PostgreSQL array: [1,"a",null] becomes {1,"a",NULL}.
#pragma once

#include <string>
#include <string_view>

#include "record/json_walker.h"
#include "record/value.h"

namespace leat::postgres {

// The elements of a JSON array, nested arrays taken for further dimensions, as PostgreSQL's own
// json_populate_record() does.
class JsonArray {
 public:
  enum class Step { kOpens, kElement, kCloses, kEnd, kBroken };

  explicit JsonArray(std::string_view json) : json_(json) {}

  Step next();
  // After kElement, until the next step. Objects are kJson.
  const Value& element() const { return element_; }

 private:
  bool read_element();

  JsonWalker json_;
  size_t depth_ = 0;
  bool after_one_ = false;  // an element or an array; what follows is a comma or the end
  Value element_;
};

// Writes the literal into `out`, which is cleared first.
class ArrayText {
 public:
  ArrayText(std::string& out, char delimiter) : out_(out), delimiter_(delimiter) { out_.clear(); }

  void open();
  void close();
  void null();
  void add(std::string_view element);

 private:
  void separate();

  std::string& out_;
  const char delimiter_;
};

}  // namespace leat::postgres
