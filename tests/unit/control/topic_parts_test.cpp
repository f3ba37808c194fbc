// What the control topic is made of, without time and connections: the queue, answers as text, and
// the commands that were taken.
#include <gtest/gtest.h>

#include "control/json_text.h"
#include "control/topic/answer_text.h"
#include "control/topic/out_queue.h"
#include "control/topic/taken_commands.h"

namespace leat::control {
namespace {

TEST(AnswerText, says_what_has_become_of_a_command) {
  EXPECT_EQ(answer_text("c-1", "ping", succeeded("{\"id\":\"gw\"}\n")),
            R"({"correlation":"c-1","command":"ping","state":"succeeded","result":{"id":"gw"}})");
  EXPECT_EQ(
      answer_text("c-2", "pipeline.pause", done("p: pause")),
      R"({"correlation":"c-2","command":"pipeline.pause","state":"succeeded","text":"p: pause"})");
  Answer wrong = failed(Fault::kBadRequest, "no");
  wrong.problems = R"([{"path":"a"}])";
  EXPECT_EQ(answer_text("c-3", "config.set", wrong),
            R"({"correlation":"c-3","command":"config.set","state":"failed",)"
            R"("error":{"code":"badRequest","text":"no","problems":[{"path":"a"}]}})");
  EXPECT_EQ(
      answer_text("c-4", "tap", succeeded("{\"a\":1}\n{\"a\":2}\n"), true),
      R"({"correlation":"c-4","command":"tap","state":"succeeded","result":[{"a":1},{"a":2}]})");
  EXPECT_EQ(answer_text("c-5", "tap", succeeded(""), true),
            R"({"correlation":"c-5","command":"tap","state":"succeeded","result":[]})");
}

TEST(AnswerText, longer_than_a_message_may_be_comes_in_parts_that_make_the_whole) {
  std::string text = "{\"result\":\"";
  for (int i = 0; i < 300; ++i) text += "\xE2\x82\xAC\\\"x\xF0\x9F\x98\x80\\n";
  text += "\"}";
  for (size_t limit : {70U, 100U, 1'000U}) {
    const std::vector<std::string> parts = in_parts("c-1", text, limit);
    std::string whole;
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_LE(parts[i].size(), limit);
      Json part(cJSON_Parse(parts[i].c_str()), cJSON_Delete);
      auto number = [&part](const char* name) {
        return cJSON_GetNumberValue(cJSON_GetObjectItem(part.get(), name));
      };
      ASSERT_EQ(number("part"), static_cast<double>(i + 1)) << parts[i];
      ASSERT_EQ(number("parts"), static_cast<double>(parts.size()));
      whole += cJSON_GetStringValue(cJSON_GetObjectItem(part.get(), "data"));
    }
    EXPECT_EQ(whole, text);
  }
  EXPECT_EQ(in_parts("c-1", text, text.size()), std::vector<std::string>{text});
}

std::vector<std::string> waiting(OutQueue& queue) {
  std::vector<std::string> out;
  uint16_t id = 100;
  while (const OutMessage* next = queue.next()) {
    out.push_back(next->topic + "=" + next->payload);
    queue.sent(++id);
  }
  return out;
}
using Sent = std::vector<std::string>;

TEST(OutQueue, sends_again_in_order_what_a_lost_connection_left_open) {
  OutQueue queue;
  for (const char* payload : {"1", "2", "3"}) queue.add({.topic = "t", .payload = payload});
  EXPECT_EQ(waiting(queue), (Sent{"t=1", "t=2", "t=3"}));
  EXPECT_TRUE(queue.acked(102));
  EXPECT_FALSE(queue.acked(102)) << "twice";
  queue.connection_lost();
  EXPECT_EQ(waiting(queue), (Sent{"t=1", "t=3"}));
}

TEST(OutQueue, of_what_is_retained_only_the_newest_waits) {
  OutQueue queue;
  queue.add({.topic = "s", .payload = "1", .retain = true});
  queue.sent(1);
  queue.add({.topic = "s", .payload = "2", .retain = true});
  queue.add({.topic = "e", .payload = "x"});
  queue.add({.topic = "s", .payload = "3", .retain = true});
  EXPECT_EQ(waiting(queue), (Sent{"e=x", "s=3"}));
}

TEST(OutQueue, is_bounded_and_keeps_what_is_retained) {
  OutQueue queue;
  queue.add({.topic = "s", .payload = "state", .retain = true});
  for (int i = 0; i < 5; ++i)
    queue.add({.topic = "t", .payload = std::string(OutQueue::kMostBytes / 3, 'x')});
  EXPECT_EQ(queue.dropped(), 3U);
  EXPECT_EQ(waiting(queue).front(), "s=state");
}

std::vector<SavedPosition> without_empty(const std::vector<SavedPosition>& saved) {
  std::vector<SavedPosition> out;
  for (const SavedPosition& one : saved)
    if (!one.value.empty()) out.push_back(one);
  return out;
}

TEST(TakenCommands, are_known_again_after_a_restart) {
  TakenCommands taken;
  TakenCommand command{.correlation = "c-1",
                       .command = "config.set",
                       .changes = true,
                       .answer_to = "desk/1",
                       .answer_data = std::string("\0\xFFx", 3)};
  command.state = "running";
  std::vector<SavedPosition> saved = taken.add(command);
  saved.push_back({"config:1", "{}"});
  saved.push_back({"control:command:broken", "no JSON"});

  TakenCommands again;
  again.restore(saved);
  ASSERT_EQ(again.all().size(), 1U);
  const TakenCommand* found = again.find("c-1");
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->under_way());
  EXPECT_TRUE(found->changes);
  EXPECT_EQ(found->answer_to, "desk/1");
  EXPECT_EQ(found->answer_data, command.answer_data);
}

TEST(TakenCommands, keep_the_last_and_forget_the_oldest_that_is_over) {
  TakenCommands taken;
  taken.add({.correlation = "open", .state = "running"});
  for (size_t i = 1; i < TakenCommands::kKept; ++i)
    taken.add({.correlation = std::to_string(i), .state = "succeeded"});
  const std::vector<SavedPosition> saved = taken.add({.correlation = "one more"});
  ASSERT_EQ(saved.size(), 2U);
  EXPECT_EQ(saved[1].partition, "control:command:1");
  EXPECT_EQ(saved[1].value, "");
  EXPECT_EQ(without_empty(saved).size(), 1U);
  EXPECT_NE(taken.find("open"), nullptr);
  EXPECT_EQ(taken.find("1"), nullptr);
  EXPECT_EQ(taken.all().size(), TakenCommands::kKept);
  EXPECT_EQ(taken.under_way(), 2U);
}

}  // namespace
}  // namespace leat::control
