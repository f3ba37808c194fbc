// The last commands that were taken, with what has become of them: so that one that comes twice
// acts once, and one that the end of the agent cuts short is told of.
//
// In the journal each is a position of the agent itself, beside configurations and counters:
// partition "control:command:CORRELATION", value a JSON object.
//
// Thread: the main loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "record/position.h"

namespace leat::control {

struct TakenCommand {
  std::string correlation = {};
  std::string command = {};
  std::string state = "accepted";  // then as Answer's, and at last for good
  std::string text = {};           // why
  bool changes = false;            // it does more than look, so its state is kept and shown
  std::string base = {};           // of the topics of its state and answers: "leat/gw-17"
  std::string answer_to = {};      // a response topic; "": the agent's own
  std::string answer_data = {};    // what is to come with the answer
  uint64_t number = 0;             // the order in which they came

  bool under_way() const { return state == "accepted" || state == "running"; }
};

class TakenCommands {
 public:
  static constexpr size_t kKept = 64;

  // What is in the journal, among other positions of the agent.
  void restore(const std::vector<SavedPosition>& saved);
  // Null: none, or it has been forgotten.
  TakenCommand* find(std::string_view correlation);
  // A new one. Gives what is to be saved: that, and which ones go for it.
  std::vector<SavedPosition> add(TakenCommand command);
  void remove(std::string_view correlation);
  static SavedPosition saved(const TakenCommand& command);
  size_t under_way() const;
  const std::map<std::string, TakenCommand, std::less<>>& all() const { return all_; }

 private:
  std::map<std::string, TakenCommand, std::less<>> all_;
  uint64_t last_ = 0;  // number
};

}  // namespace leat::control
