// Topic names and topic filters [MQTT5 §4.7], [MQTT5 §4.8.2].
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::mqtt {

// Errors say what is wrong with the filter, without the filter: "\"#\" must be the last level".
Status check_filter(std::string_view filter);
// The same for a topic to publish to.
Status check_topic(std::string_view topic);

// True for "$share/group/filter".
bool is_shared(std::string_view filter);
// Whether a message on `topic` is one that `filter` asks for.
bool matches(std::string_view filter, std::string_view topic);

// Whether there are topics that both filters ask for.
bool overlap(std::string_view a, std::string_view b);

// Names for levels of a topic: "plant/{site}/press/{device}". Other levels must be equal; "+"
// stands for any level and "#", at the end, for any number of them.
class TopicPattern {
 public:
  static Result<TopicPattern> parse(std::string_view text);

  const std::vector<std::string>& names() const { return names_; }
  // Appends the level of each name, in order, to `values` when the topic is like the pattern; else
  // changes nothing. The values are parts of `topic`.
  bool match(std::string_view topic, std::vector<std::string_view>& values) const;

 private:
  enum class Kind { kExact, kAny, kNamed, kRest };
  struct Level {
    Kind kind;
    std::string text;
  };
  std::vector<Level> levels_;
  std::vector<std::string> names_;
};

}  // namespace leat::mqtt
