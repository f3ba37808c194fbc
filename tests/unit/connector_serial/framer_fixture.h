// Feeds a Framer and says in one text what came of it: "frame|frame|!reason:bytes".
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "connectors/serial/framer.h"

namespace leat::serial {

class Collected : public FrameListener {
 public:
  void on_frame(std::string_view frame) override { add(std::string(frame)); }
  void on_bad_frame(std::string_view bytes, std::string_view why) override {
    EXPECT_LE(bytes.size(), 64u * 1024);
    add("!" + std::string(why) + ":" + std::string(bytes));
  }
  std::string text;

 private:
  void add(const std::string& what) { text += (text.empty() ? "" : "|") + what; }
};

// What `bytes` give, whether they come at once or one by one.
inline std::string framed(const FrameRules& rules, std::string_view bytes) {
  Collected whole;
  Framer framer(rules);
  framer.feed(bytes, whole);
  Collected single;
  Framer other(rules);
  for (char byte : bytes) other.feed({&byte, 1}, single);
  EXPECT_EQ(whole.text, single.text) << "it must not matter in which pieces the bytes come";
  EXPECT_EQ(framer.inside(), other.inside());
  return whole.text;
}

inline FrameRules lines() {
  FrameRules rules;
  rules.end = "\n";
  return rules;
}

inline FrameRules delimited(std::string end) {
  FrameRules rules;
  rules.type = FrameType::kDelimiter;
  rules.end = std::move(end);
  return rules;
}

inline FrameRules between(std::string start, std::string end) {
  FrameRules rules;
  rules.type = FrameType::kStartEnd;
  rules.start = std::move(start);
  rules.end = std::move(end);
  return rules;
}

inline FrameRules of_length(size_t length, std::string start = "") {
  FrameRules rules;
  rules.type = FrameType::kLength;
  rules.length = length;
  rules.start = std::move(start);
  return rules;
}

inline FrameRules with_gap() {
  FrameRules rules;
  rules.type = FrameType::kGap;
  return rules;
}

}  // namespace leat::serial
