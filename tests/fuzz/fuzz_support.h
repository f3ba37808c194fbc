// What the fuzz entries have in common. A broken promise aborts, as fuzzers expect it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "record/batch.h"
#include "stage/codec.h"
#include "stage/dead_letter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace leat::fuzz {

inline void expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

class Letters final : public DeadLetters {
 public:
  void add(const Batch&, size_t, std::string_view reason) override { note("", reason); }
  void add_text(std::string_view bytes, const Position&, std::string_view reason) override {
    note(bytes, reason);
  }
  std::vector<std::string> texts;

 private:
  void note(std::string_view bytes, std::string_view reason) {
    expect(!reason.empty() && reason.find('\n') == std::string_view::npos, "a reason is one line");
    texts.emplace_back(bytes);
  }
};

// Memory of the exact size, so that the address sanitizer sees a read beyond it.
class Bytes {
 public:
  explicit Bytes(std::string_view text) : size_(text.size()), data_(new char[text.size()]) {
    if (size_ > 0) std::memcpy(data_, text.data(), size_);
  }
  ~Bytes() { delete[] data_; }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  char* data() { return data_; }
  size_t size() const { return size_; }

 private:
  size_t size_;
  char* data_;
};

inline std::vector<std::string> shown(const Batch& batch) {
  std::vector<std::string> all;
  for (const Record& record : batch.records) append_json(all.emplace_back(), record);
  return all;
}

}  // namespace leat::fuzz
