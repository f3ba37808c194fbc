// A dead letter as it stands in the file (task/dead_letter_line.h has its members).
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "task/rejection.h"

namespace leat {

struct Letter {
  uint64_t id = 0;  // 0: of a file of former times, when they had none
  uint32_t attempt = 1;
  std::string time, stage, code, reason, source;
  size_t step = 0;
  // JSON text, within the line; empty: it has none.
  std::string_view record, types, message, metadata;
  std::string event_time;
  std::optional<std::string> payload;
  std::optional<std::string> raw;  // with the end of its line
  RawIs raw_is = RawIs::kPart;
  std::string format;
};

// Nothing for a line that is no letter. The views look into it.
std::optional<Letter> read_letter(std::string_view line);

// Of a line that begins as one with an id does; else 0. Costs nothing.
uint64_t letter_id_of(std::string_view line);

// 16 hex digits. 0 for anything else.
uint64_t parse_letter_id(std::string_view text);
std::string letter_id_text(uint64_t id);

// Which letters are meant. Those without an id are none of them.
struct LetterFilter {
  std::vector<uint64_t> ids = {};  // empty: any
  std::string stage = {};          // "": any
  std::string reason = {};         // that has this in it, or this code
  int64_t before_us = INT64_MAX;   // Unix time

  bool is_open() const;               // nothing is said: all are meant
  bool may_match(uint64_t id) const;  // as far as the id says
  bool matches(const Letter& letter) const;
};

}  // namespace leat
