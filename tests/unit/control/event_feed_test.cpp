#include "control/events/event_feed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/hand_loop.h"

namespace leat::testing {
namespace {

class EventFeedTest : public ::testing::Test {
 protected:
  void happens(const std::string& text) { feed_.add(EventKind::kPipelineFailed, "press", text); }
  // As the pipeline `name` on this loop.
  void tell(const std::string& name, std::vector<std::string>& into) {
    feed_.tell(loop_, name, [&into](const AgentEvent* event) {
      into.push_back(event == nullptr ? "end" : event->text);
    });
    run();
  }
  void run() {
    // What was posted so far has its turn, and what that posts.
    for (int i = 0; i < 4; ++i) {
      bool turned = false;
      loop_.post([&turned] { turned = true; });
      EXPECT_TRUE(run_until(loop_, [&turned] { return turned; }));
    }
  }

  HandLoop loop_;
  EventFeed feed_{loop_};
};

using Texts = std::vector<std::string>;

TEST_F(EventFeedTest, a_pipeline_is_told_of_what_happened_before_it_listened_and_of_the_rest) {
  happens("one");
  Texts heard;
  tell(".notify", heard);
  EXPECT_EQ(heard, Texts{"one"});
  happens("two");
  run();
  EXPECT_EQ(heard, (Texts{"one", "two"}));
}

TEST_F(EventFeedTest, what_a_run_of_a_pipeline_was_told_of_its_next_run_is_not) {
  Texts first;
  tell(".notify", first);
  happens("one");
  run();
  feed_.forget(".notify");
  happens("two");
  run();
  EXPECT_EQ(first, Texts{"one"});
  Texts second;
  tell(".notify", second);
  EXPECT_EQ(second, Texts{"two"});
}

TEST_F(EventFeedTest, only_the_last_events_are_remembered) {
  for (size_t i = 0; i < EventFeed::kRemembered + 3; ++i) happens(std::to_string(i));
  Texts heard;
  tell(".notify", heard);
  ASSERT_EQ(heard.size(), EventFeed::kRemembered);
  EXPECT_EQ(heard.front(), "3");
}

TEST_F(EventFeedTest, who_listens_on_the_main_loop_is_told_of_what_happens_from_then_on) {
  happens("one");
  Texts heard;
  uint64_t id = feed_.listen([&heard](const AgentEvent& event) { heard.push_back(event.text); });
  happens("two");
  feed_.unlisten(id);
  happens("three");
  EXPECT_EQ(heard, Texts{"two"});
}

TEST_F(EventFeedTest, it_is_wanted_while_somebody_listens) {
  EXPECT_FALSE(feed_.wanted());
  Texts heard;
  tell(".notify", heard);
  EXPECT_TRUE(feed_.wanted());
  feed_.end();
  run();
  EXPECT_EQ(heard, Texts{"end"});
  feed_.forget(".notify");
  EXPECT_FALSE(feed_.wanted());
}

TEST_F(EventFeedTest, each_kind_has_a_name) {
  EXPECT_EQ(name_of(EventKind::kBudget), "budget");
  EXPECT_EQ(static_cast<size_t>(EventKind::kBudget) + 1, kEventNames.size());
}

}  // namespace
}  // namespace leat::testing
