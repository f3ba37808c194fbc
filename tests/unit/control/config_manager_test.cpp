// From one configuration to another and back.
#include "control/config_manager.h"

#include <gtest/gtest.h>

#include "managed_configs.h"

namespace leat {
namespace {

using testing::FakeWorld;
using testing::kProbation;
using testing::version_of;

class ConfigManagerTest : public testing::ManagedConfigs {};

TEST_F(ConfigManagerTest, nothing_is_kept_before_there_is_another_one) {
  EXPECT_EQ(start("a1"), "a1");
  EXPECT_EQ(history(), History{});
  EXPECT_EQ(manager_->running().number, 1U);
  EXPECT_EQ(change("a2 b1"), "");
  EXPECT_EQ(running(), "a2 b1");
  EXPECT_EQ(history(), (History{"1 good", "2 probation"}));
}

TEST_F(ConfigManagerTest, one_that_does_for_its_probation_is_good) {
  start("a1");
  change("a2");
  pass(kProbation - Milliseconds{1});
  EXPECT_EQ(manager_->probation_left(), Milliseconds{1});
  pass(Milliseconds{1});
  EXPECT_EQ(history(), (History{"1 good", "2 good"}));
  EXPECT_EQ(manager_->probation_left(), std::nullopt);
}

TEST_F(ConfigManagerTest, one_that_starts_nothing_anew_needs_no_probation) {
  start("a1 b1");
  change("a1");
  EXPECT_EQ(history(), (History{"1 good", "2 good"}));
}

TEST_F(ConfigManagerTest, a_pipeline_that_cannot_be_opened_takes_all_of_it_back) {
  start("a1 b1");
  world_.cannot_open["b2"] = fail(ErrorKind::kUsage, "no such table");
  change("a2 b2");
  EXPECT_EQ(running(), "a1 b1");
  EXPECT_EQ(history(),
            (History{"1 good", "2 rolledBack: b cannot be opened in its new form: no such table"}));
  EXPECT_EQ(changes_, 2);
}

TEST_F(ConfigManagerTest, a_new_pipeline_that_cannot_be_opened_takes_it_back) {
  start("a1");
  world_.cannot_open["b1"] = fail(ErrorKind::kUsage, "no such table");
  change("a1 b1");
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(history(), (History{"1 good", "2 rolledBack: b failed: no such table"}));
}

TEST_F(ConfigManagerTest, a_pipeline_that_fails_meanwhile_takes_it_back) {
  start("a1 b1");
  change("a2 b1");
  pass(kProbation / 2);
  world_.there.at("a2")->end(fail(ErrorKind::kFatal, "out of luck"));
  EXPECT_TRUE(wait([this] { return changes_ == 2; }));
  EXPECT_EQ(running(), "a1 b1");
  EXPECT_EQ(history(), (History{"1 good", "2 rolledBack: a failed: out of luck"}));
}

TEST_F(ConfigManagerTest, one_that_is_not_part_of_the_change_takes_nothing_back) {
  start("a1 b1");
  change("a2 b1");
  world_.there.at("b1")->end(fail(ErrorKind::kFatal, "out of luck"));
  pass(kProbation);
  EXPECT_EQ(history(), (History{"1 good", "2 good"}));
}

TEST_F(ConfigManagerTest, one_that_had_failed_before_takes_nothing_back) {
  world_.cannot_open["b1"] = fail(ErrorKind::kUsage, "no such table");
  start("a1 b1");
  change("a2 b1");
  EXPECT_EQ(running(), "a2");
  pass(kProbation);
  EXPECT_EQ(history(), (History{"1 good", "2 good"}));
}

TEST_F(ConfigManagerTest, a_pipeline_that_delivered_and_delivers_nothing_takes_it_back) {
  start("a1");
  world_.status.delivered = 5;
  change("a2");
  world_.status.delivered = 0;
  world_.status.waiting = 3;
  pass(kProbation);
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(history(),
            (History{"1 good", "2 rolledBack: a delivered before, and delivers nothing now"}));
}

TEST_F(ConfigManagerTest, one_that_delivered_nothing_before_or_has_no_input_takes_nothing_back) {
  start("a1");
  world_.status.waiting = 3;
  change("a2");
  pass(kProbation);
  world_.status.waiting = 0;
  world_.status.delivered = 5;
  change("a3");
  world_.status.delivered = 0;
  pass(kProbation);
  EXPECT_EQ(history(), (History{"1 good", "2 good", "3 good"}));
}

TEST_F(ConfigManagerTest, one_that_cannot_be_made_changes_nothing) {
  start("a1");
  world_.cannot_make["b1"] = fail(ErrorKind::kUsage, "no such format");
  EXPECT_EQ(change("a1 b1"), "b: no such format");
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(history(), (History{"1 good", "2 rolledBack: b: no such format"}));
  EXPECT_EQ(manager_->running().number, 1U);
}

TEST_F(ConfigManagerTest, to_remove_what_delivered_is_on_probation) {
  start("a1 b1");
  world_.status.delivered = 5;
  change(" ");
  EXPECT_EQ(running(), "");
  EXPECT_EQ(history().back(), "2 probation");
  manager_->refuse("nobody can ask");
  EXPECT_EQ(running(), "a1 b1");
  change("a1");
  EXPECT_EQ(history().back(), "3 probation");
  pass(kProbation);
  EXPECT_EQ(history().back(), "3 good");
}

TEST_F(ConfigManagerTest, what_a_variable_stands_for_is_on_probation_when_it_is_another) {
  start("a1");
  EXPECT_EQ(reload("a1"), "");
  EXPECT_EQ(history(), History{}) << "nothing has changed";
  stands_for_ = 1;
  EXPECT_EQ(reload("a1"), "");
  EXPECT_EQ(running(), "a2");
  EXPECT_EQ(history(), (History{"1 good", "2 probation"}));
  EXPECT_EQ(manager_->running().author, "the file, with what it names read again");
  world_.there.at("a2")->end(fail(ErrorKind::kFatal, "out of luck"));
  EXPECT_TRUE(wait([this] { return changes_ == 3; }));
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(history().back(), "2 rolledBack: a failed: out of luck");
}

TEST_F(ConfigManagerTest, so_is_one_that_stands_in_what_is_of_the_agent_alone) {
  control_.emplace().keys.push_back({.id = "ops", .key = "what a file has"});
  start("a1");
  control_->keys[0].key = "what it has now";
  EXPECT_EQ(reload("a1"), "");
  EXPECT_EQ(changes_, 1) << "who uses the keys is told";
  EXPECT_EQ(supervisor_->config().control, control_);
  EXPECT_EQ(manager_->running().author, "the file, with what it names read again");
  EXPECT_EQ(history(), (History{"1 good", "2 good"})) << "no pipeline is touched";
}

TEST_F(ConfigManagerTest, in_the_place_of_a_file_that_cannot_be_used_the_last_good_one_runs) {
  start("a1");
  change("a2");
  pass(kProbation);
  stop_well();
  unusable_ = "leat.json: it ends in the middle";
  policy_ = ConfigPolicy::kFile;
  EXPECT_EQ(start("a1"), "a2");
  auto trouble = [this] {
    std::string out;
    bool answered = false;
    supervisor_->snapshot([&](const Snapshot& snapshot) {
      out = snapshot.config.trouble;
      answered = true;
    });
    EXPECT_TRUE(wait([&answered] { return answered; }));
    return out;
  };
  EXPECT_EQ(trouble(),
            "the file cannot be used, configuration version 2 runs, from the test: leat.json: it "
            "ends in the middle");
  EXPECT_EQ(reload("a3"), "");
  EXPECT_EQ(running(), "a3");
  EXPECT_EQ(trouble(), "");
}

TEST_F(ConfigManagerTest, where_none_was_good_before_such_a_file_is_an_error) {
  unusable_ = "leat.json: it ends in the middle";
  EXPECT_EQ(start("a1"), "");
  EXPECT_EQ(began_, unusable_);
}

TEST_F(ConfigManagerTest, a_file_that_was_changed_before_the_start_is_on_probation) {
  start("a1");
  change("a2");
  pass(kProbation);
  stop_well();
  EXPECT_EQ(start("a3"), "a3");
  EXPECT_EQ(manager_->probation_left(), kProbation);
  const int before = changes_;
  world_.there.at("a3")->end(fail(ErrorKind::kFatal, "out of luck"));
  EXPECT_TRUE(wait([this, before] { return changes_ == before + 1; }));
  EXPECT_EQ(running(), "a2");
  stop_well();
  EXPECT_EQ(start("a3"), "a2") << "it is the file that was taken back";
}

TEST_F(ConfigManagerTest, one_under_which_the_process_died_does_not_run_again) {
  start("a1");
  change("a2");
  die();
  EXPECT_EQ(start("a1"), "a1");
  EXPECT_EQ(history(),
            (History{"1 good", "2 rolledBack: the agent died while it was on probation"}));
}

TEST_F(ConfigManagerTest, nor_does_the_file_when_it_was_that_one) {
  start("a1");
  reload("a2");
  die();
  EXPECT_EQ(start("a2"), "a1");
  stop_well();
  policy_ = ConfigPolicy::kFile;
  EXPECT_EQ(start("a2"), "a1");
  stop_well();
  EXPECT_EQ(start("a3"), "a3") << "a person has changed it";
}

TEST_F(ConfigManagerTest, a_probation_that_the_end_cut_short_begins_anew) {
  start("a1");
  change("a2");
  stop_well();
  EXPECT_EQ(start("a1"), "a2");
  EXPECT_EQ(manager_->probation_left(), kProbation);
  world_.there.at("a2")->end(fail(ErrorKind::kFatal, "out of luck"));
  EXPECT_TRUE(wait([this] { return changes_ == 2; }));
  EXPECT_EQ(running(), "a1");
}

TEST_F(ConfigManagerTest, and_what_delivered_before_must_deliver_still) {
  start("a1");
  world_.status.delivered = 5;
  change("a2");
  stop_well();
  world_.status.delivered = 0;
  world_.status.waiting = 3;
  EXPECT_EQ(start("a1"), "a2");
  pass(kProbation);
  EXPECT_EQ(running(), "a1");
}

TEST_F(ConfigManagerTest, a_second_change_acquits_nothing_of_the_first) {
  start("a1 b1");
  world_.status.delivered = 5;
  change("a2 b1");
  world_.status.delivered = 0;
  world_.status.waiting = 3;
  change("a2 b1 ");  // starts nothing anew
  EXPECT_EQ(history().back(), "3 probation");
  pass(kProbation);
  EXPECT_EQ(running(), "a1 b1");
}

TEST_F(ConfigManagerTest, what_fails_while_another_change_is_made_takes_that_back_too) {
  start("a1 b1");
  change("a2 b1");
  on_make_ = [this](const std::string& form) {
    if (form == "b2") fails_ = manager_->pipeline_ended(out_of_luck());
  };
  change("a2 b2");
  EXPECT_TRUE(fails_);
  EXPECT_EQ(running(), "a1 b1");
  EXPECT_EQ(history(), (History{"1 good", "2 replaced", "3 rolledBack: a failed: out of luck"}));
}

TEST_F(ConfigManagerTest, what_fails_while_its_cure_is_made_takes_nothing_back) {
  start("a1");
  change("a2");
  on_make_ = [this](const std::string& form) {
    if (form == "a3") fails_ = manager_->pipeline_ended(out_of_luck());
  };
  change("a3");
  EXPECT_TRUE(fails_);
  pass(kProbation);
  EXPECT_EQ(running(), "a3");
  EXPECT_EQ(history(), (History{"1 good", "2 replaced", "3 good"}));
}

TEST_F(ConfigManagerTest, one_that_is_refused_when_it_is_told_is_taken_back_though_nothing_starts) {
  start("a1 b1");
  refuses_ = true;
  change("a1");
  EXPECT_EQ(running(), "a1 b1");
  EXPECT_EQ(history(), (History{"1 good", "2 rolledBack: nobody can ask"}));
}

TEST_F(ConfigManagerTest, the_file_is_known_after_many_that_came_from_afar) {
  start("a1");
  for (int i = 0; i < 13; ++i) {
    change(i % 2 == 0 ? "a2" : "a3");
    pass(kProbation);
  }
  stop_well();
  EXPECT_EQ(start("a1"), "a2");
}

TEST_F(ConfigManagerTest, what_came_from_afar_survives_a_restart_until_the_file_changes) {
  start("a1");
  change("a2");
  pass(kProbation);
  stop_well();
  EXPECT_EQ(start("a1"), "a2");
  EXPECT_EQ(reload("a1"), "");
  EXPECT_EQ(running(), "a2") << "the file is the same";
  stop_well();
  EXPECT_EQ(start("a3"), "a3");
  stop_well();
  EXPECT_EQ(start("a3"), "a3") << "it has changed since, and nothing came after it";
}

TEST_F(ConfigManagerTest, a_changed_file_that_is_read_again_takes_its_place) {
  start("a1");
  change("a2");
  pass(kProbation);
  reload("a3");
  EXPECT_EQ(running(), "a3");
}

TEST_F(ConfigManagerTest, the_file_says_which_one_runs) {
  start("a1");
  change("a2");
  pass(kProbation);
  stop_well();
  policy_ = ConfigPolicy::kFile;
  EXPECT_EQ(start("a1"), "a1");
  stop_well();
  policy_ = ConfigPolicy::kRemote;
  EXPECT_EQ(start("a3"), "a2");
}

// What it goes back to is found in its turn, and so is what else depends on what runs.
TEST_F(ConfigManagerTest, the_one_before_is_that_before_a_change_under_way) {
  start("a1");
  change("a2");
  pass(kProbation);
  manager_->change(written("a3"), ConfigOrigin::kRemote, "the test", [](const Result<Change>&) {});
  EXPECT_EQ(roll_back(0), "");
  EXPECT_EQ(running(), "a2");
}

TEST_F(ConfigManagerTest, a_file_that_has_not_changed_leaves_a_change_under_way) {
  start("a1");
  manager_->change(written("a2"), ConfigOrigin::kRemote, "the test", [](const Result<Change>&) {});
  EXPECT_EQ(reload("a1"), "");
  EXPECT_EQ(running(), "a2");
}

TEST_F(ConfigManagerTest, two_that_patch_what_runs_at_once_are_both_there) {
  start("a1");
  auto add = [this](const std::string& form) {
    manager_->patch(
        [this, form](const ConfigVersion& running) -> Result<WrittenConfig> {
          return written(running.text + form);
        },
        "the test", [](const Result<Change>& change) { EXPECT_TRUE(change); });
  };
  add(" b1");
  add(" c1");
  EXPECT_EQ(running(), "a1 b1 c1");
}

TEST_F(ConfigManagerTest, one_that_cannot_be_made_of_what_runs_changes_nothing) {
  start("a1");
  std::string why;
  manager_->patch(
      [](const ConfigVersion&) -> Result<WrittenConfig> {
        return fail(ErrorKind::kUsage, "there is no list");
      },
      "the test", [&why](const Result<Change>& change) { why = change.error().message(); });
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(why, "there is no list");
  EXPECT_EQ(history(), History{});
}

// Its goodbyes keep the loop turning for a while.
TEST_F(ConfigManagerTest, after_the_end_no_other_is_taken_over) {
  start(" ");
  manager_->end(true);
  EXPECT_EQ(change("a1"), "the agent is about to stop");
  EXPECT_EQ(reload("a2"), "the agent is about to stop");
  EXPECT_EQ(running(), "");
  stop();
}

TEST_F(ConfigManagerTest, a_verdict_that_comes_after_the_end_changes_nothing) {
  start("a1");
  world_.status.delivered = 5;
  change("a2");
  running();
  world_.status.delivered = 0;
  world_.status.waiting = 3;
  supervisor_->drain_all(Milliseconds{0});
  EXPECT_TRUE(wait([this] { return world_.there.empty(); }));
  loop_->advance(kProbation);
  manager_->end(false);
  EXPECT_EQ(history(), (History{"1 good", "2 interrupted"}));
  stop();
}

TEST_F(ConfigManagerTest, an_earlier_one_runs_again_as_a_new_one_and_stays) {
  start("a1");
  change("a2");
  pass(kProbation);
  EXPECT_EQ(roll_back(0), "");
  EXPECT_EQ(running(), "a1");
  pass(kProbation);
  EXPECT_EQ(history(), (History{"1 good", "2 good", "3 good"}));
  EXPECT_EQ(roll_back(2), "");
  EXPECT_EQ(running(), "a2");
  EXPECT_EQ(roll_back(7), "there is no configuration version 7");
  pass(kProbation);
  stop_well();
  EXPECT_EQ(start("a1"), "a2");
}

TEST_F(ConfigManagerTest, one_that_replaces_another_on_probation_goes_back_to_the_last_good_one) {
  start("a1");
  change("a2");
  world_.cannot_open["a3"] = fail(ErrorKind::kUsage, "no such table");
  change("a3");
  EXPECT_EQ(running(), "a1");
  EXPECT_EQ(history(),
            (History{"1 good", "2 replaced",
                     "3 rolledBack: a cannot be opened in its new form: no such table"}));
}

TEST_F(ConfigManagerTest, those_that_come_together_are_taken_in_turn) {
  start("a1");
  int done = 0;
  for (const char* text : {"a2", "a3", "a4"})
    manager_->change(written(text), ConfigOrigin::kRemote, "the test",
                     [&done](const Result<Change>& change) { done += change ? 1 : 0; });
  EXPECT_TRUE(wait([&done] { return done == 3; }));
  EXPECT_EQ(running(), "a4");
  EXPECT_EQ(history(), (History{"1 good", "2 replaced", "3 replaced", "4 probation"}));
}

TEST_F(ConfigManagerTest, one_that_means_nothing_any_more_is_passed_over_at_the_start) {
  start("a1");
  change("a2");
  pass(kProbation);
  stop_well();
  unreadable_ = "a2";
  EXPECT_EQ(start("a1"), "a1");
}

TEST_F(ConfigManagerTest, the_last_ten_that_were_good_are_kept) {
  start("a1");
  for (int i = 0; i < 12; ++i) {
    change(i % 2 == 0 ? "a2" : "a3");
    pass(kProbation);
  }
  History kept = history();
  EXPECT_EQ(kept.size(), ConfigVersions::kKept + 1);
  EXPECT_EQ(kept[0], "1 good") << "the file's";
  EXPECT_EQ(kept[1], "4 good");
  EXPECT_EQ(kept.back(), "13 good");
}

TEST_F(ConfigManagerTest, without_a_probation_it_counts_at_once) {
  start("a1");
  AgentConfig none = written("a2").config;
  none.probation = Milliseconds{0};
  manager_->change({"a2", none}, ConfigOrigin::kFile, "the test", [](const Result<Change>&) {});
  pass(kProbation);
  change("a3");
  EXPECT_EQ(history(), (History{"1 good", "2 good", "3 good"}));
}

}  // namespace
}  // namespace leat
