// A row that is longer than anybody wants, as it arrives: the beginning of each field is kept, and
// the rest thrown away. No I/O here, and nothing the server sends is trusted.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace leat::postgres {

class LongRow {
 public:
  // Bytes of a field that are kept: of one with as many, nobody knows whether it had more.
  static constexpr size_t kKept = 1024;

  // The body of a DataRow message comes, of so many bytes.
  void begin(size_t bytes);
  // Takes those that are of it; how many.
  size_t take(std::span<const char> bytes);
  bool complete() const { return left_ == 0; }

  size_t bytes() const { return bytes_; }
  // Like that of a DataRow message, until the next one begins.
  std::string_view body() const { return body_; }

 private:
  static constexpr size_t kMostKept = 4 * 1024 * 1024;  // more than 1,664 fields need

  size_t bytes_ = 0;
  size_t left_ = 0;
  std::string body_;
  std::string head_;       // of what comes next: the number of fields, or the size of one
  size_t field_at_ = 0;    // in body_, where its size stands
  size_t field_left_ = 0;  // of the field that comes
};

}  // namespace leat::postgres
