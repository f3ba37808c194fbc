// What is found to have happened, with pipelines and a machine that the test leads.
#include "control/events/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "fake_pipeline.h"
#include "net/tls.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using Texts = std::vector<std::string>;

class ObserverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SupervisorSetup setup{.clock = clock_, .data_dir = folder_ / "data"};
    setup.make = testing::make_fakes(world_);
    setup.make_loop = [this](const Clock& /*clock*/) -> std::unique_ptr<Loop> {
      auto loop = std::make_unique<testing::HandLoop>(clock_);
      loop_ = loop.get();
      return loop;
    };
    setup.on_change = [this] {
      if (observer_) observer_->changed();
    };
    setup.on_end = [this](const PipelineEnd& end) { observer_->ended(end); };
    setup.on_idle = [this] { ++idle_; };
    Result<std::unique_ptr<Supervisor>> opened = Supervisor::open(std::move(setup));
    if (!opened) throw std::runtime_error(opened.error().message());
    supervisor_ = std::move(*opened);
    observer_ = std::make_unique<Observer>(
        *supervisor_, folder_ / "data",
        Observer::Machine{
            .free_share =
                [this](const std::string&, const std::function<void(double)>& then) {
                  if (!disk_hangs_) return then(free_share_);
                  asked_of_disk_.push_back(then);
                },
            .certificate_end_us =
                [this](const std::string&, bool, const std::function<void(int64_t)>& then) {
                  then(certificate_end_us_);
                }});
    supervisor_->begin();
  }
  void TearDown() override {
    observer_.reset();
    Status journal;
    EXPECT_TRUE(supervisor_->close(journal));
  }

  // As a pipeline that tells of events does.
  void listen() {
    supervisor_->events().tell(*loop_, ".notify", [this](const AgentEvent* event) {
      if (event == nullptr) return heard_.emplace_back("end");
      std::string line(name_of(event->kind));
      if (!event->pipeline.empty()) line += " " + event->pipeline;
      return heard_.emplace_back(line + ": " + event->text);
    });
    settle();
    heard_.clear();
  }
  void run(std::vector<PipelineConfig> pipelines) {
    AgentConfig config;
    config.id = "test";
    config.pipelines = std::move(pipelines);
    bool made = false;
    supervisor_->apply(std::move(config), [&made](const Result<Change>& change) {
      EXPECT_TRUE(change);
      made = true;
    });
    EXPECT_TRUE(testing::run_until(*loop_, [&made] { return made; }));
    settle();
  }
  void settle() {
    for (int i = 0; i < 20; ++i) {
      bool answered = false;
      supervisor_->snapshot([&answered](const Snapshot&) { answered = true; });
      EXPECT_TRUE(testing::run_until(*loop_, [&answered] { return answered; }));
    }
  }
  Texts heard() {
    settle();
    std::erase_if(heard_,
                  [](const std::string& line) { return line.starts_with("pipelineState"); });
    return std::exchange(heard_, {});
  }
  // What takes its way through the journal comes when it comes.
  bool told(const std::string& line) {
    return testing::run_until(*loop_, [this, &line] {
      observer_->changed();
      return std::ranges::find(heard_, line) != heard_.end();
    });
  }
  Texts a_minute_later() {
    settle();
    loop_->advance(Milliseconds{60'000});
    return heard();
  }

  testing::TempDir folder_;
  testing::FakeClock clock_;
  testing::HandLoop* loop_ = nullptr;
  testing::FakeWorld world_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<Observer> observer_;
  double free_share_ = 0.5;
  bool disk_hangs_ = false;
  std::vector<std::function<void(double)>> asked_of_disk_;
  int64_t certificate_end_us_ = 0;
  Texts heard_;
  int idle_ = 0;
};

TEST_F(ObserverTest, a_pipeline_that_fails_and_one_that_runs_again_are_told) {
  run({testing::version_of("press")});
  listen();
  world_.there.at("press1")->end(fail(ErrorKind::kUnavailable, "the disk is gone"));
  EXPECT_TRUE(told("pipelineFailed press: the disk is gone; started again in 1.0s"));
  loop_->advance(Milliseconds{1'000});
  EXPECT_TRUE(told("pipelineRecovered press: runs again"));
}

TEST_F(ObserverTest, a_circuit_is_told_when_it_opens_and_when_it_closes) {
  run({testing::version_of("press")});
  listen();
  world_.status.circuit_open = true;
  world_.status.trouble = "connection refused";
  observer_->changed();
  EXPECT_EQ(heard(), Texts{"circuitOpened press: connection refused"});
  observer_->changed();
  EXPECT_EQ(heard(), Texts{});
  world_.status = {};
  observer_->changed();
  EXPECT_EQ(heard().size(), 1U);
}

TEST_F(ObserverTest, what_is_counted_is_told_when_it_has_grown) {
  run({testing::version_of("press")});
  listen();
  world_.status.dead_letters = 3;
  world_.status.dead_letter_reasons = {{"decode json", "decode", "a brace is missing", 3}};
  world_.status.spool_dropped = 2;
  EXPECT_EQ(a_minute_later(),
            (Texts{"recordsDropped press: 2 records were dropped",
                   "deadLetters press: 3 dead letters, most of all: a brace is missing"}));
  EXPECT_EQ(a_minute_later(), Texts{});
  world_.status.dead_letters = 4;
  EXPECT_EQ(a_minute_later().size(), 1U);
}

TEST_F(ObserverTest, a_spool_that_fills_is_told_once_until_it_has_room_again) {
  run({testing::version_of("press")});
  listen();
  world_.status.spool_bytes = 52 << 20;  // of 64 MiB
  EXPECT_EQ(a_minute_later(),
            Texts{"spoolNearlyFull press: 52.0 MiB of 64.0 MiB (delivery.maxSpool) are spooled"});
  world_.status.spool_bytes = 50 << 20;
  EXPECT_EQ(a_minute_later(), Texts{});
  world_.status.spool_bytes = 52 << 20;
  EXPECT_EQ(a_minute_later(), Texts{});
  world_.status.spool_bytes = 0;
  EXPECT_EQ(a_minute_later(), Texts{});
  world_.status.spool_bytes = 52 << 20;
  EXPECT_EQ(a_minute_later().size(), 1U);
}

TEST_F(ObserverTest, a_clock_that_is_put_right_is_told) {
  listen();
  EXPECT_EQ(a_minute_later(), Texts{});
  clock_.step(std::chrono::hours(3));
  EXPECT_EQ(a_minute_later(),
            Texts{"clockStepped: the clock was put forward by 3h 0m, to 2025-10-09T11:55:20Z"});
  EXPECT_EQ(a_minute_later(), Texts{});
}

TEST_F(ObserverTest, a_disk_is_told_of_when_it_is_nearly_full) {
  listen();
  free_share_ = 0.09;
  EXPECT_EQ(a_minute_later().size(), 1U);
  free_share_ = 0.12;
  EXPECT_EQ(a_minute_later(), Texts{});
  free_share_ = 0.09;
  EXPECT_EQ(a_minute_later(), Texts{});
  free_share_ = 0.5;
  EXPECT_EQ(a_minute_later(), Texts{});
  free_share_ = 0.09;
  EXPECT_EQ(a_minute_later().size(), 1U);
}

TEST_F(ObserverTest, what_a_slow_disk_answers_counts_when_it_comes) {
  run({testing::version_of("press")});
  listen();
  disk_hangs_ = true;
  world_.status.dead_letters = 1;
  EXPECT_EQ(a_minute_later(), Texts{"deadLetters press: 1 dead letter"}) << "nothing waits for it";
  ASSERT_EQ(asked_of_disk_.size(), 1U);
  asked_of_disk_[0](0.05);
  EXPECT_EQ(heard().size(), 1U);
  observer_.reset();
  asked_of_disk_[0](0.01);
  EXPECT_EQ(heard(), Texts{}) << "who asked is gone";
}

TEST_F(ObserverTest, the_real_machine_knows_its_disk_and_certificates_a_while_later) {
  const Observer::Machine machine = Observer::real_machine(*loop_);
  std::optional<double> share;
  std::optional<int64_t> end_us;
  machine.free_share(folder_.path(), [&share](double found) { share = found; });
  machine.certificate_end_us("/is/no/file", false, [&end_us](int64_t found) { end_us = found; });
  EXPECT_FALSE(share || end_us) << "the loop does not wait for a disk";
  ASSERT_TRUE(testing::run_until(*loop_, [&] { return share && end_us; }));
  EXPECT_GE(*share, 0);
  EXPECT_LE(*share, 1);
  EXPECT_EQ(*end_us, 0);
}

TEST_F(ObserverTest, a_certificate_is_told_of_14_days_before_its_end_and_each_day_then) {
  Options tls(kTlsServerOptions);
  tls.set("cert", std::string("/c.pem"));
  AgentConfig config;
  config.admin =
      AdminConfig{.host = "127.0.0.1", .port = 1, .tokens = {}, .tls = tls, .has_tls = true};
  certificate_end_us_ = clock_.unix_us() + int64_t{15} * 86'400'000'000;
  observer_->configured(config);
  listen();
  EXPECT_EQ(heard(), Texts{});
  loop_->advance(std::chrono::hours(24));
  EXPECT_EQ(heard(), Texts{"certificateEnds: /c.pem ends on 2025-10-24T08:53:20Z"});
  loop_->advance(std::chrono::hours(24));
  EXPECT_EQ(heard().size(), 1U);
}

TEST_F(ObserverTest, while_nobody_is_told_nothing_wakes_the_agent) {
  run({testing::version_of("press")});
  EXPECT_EQ(loop_->next_due(), std::nullopt);
  listen();
  EXPECT_NE(loop_->next_due(), std::nullopt);
  supervisor_->events().forget(".notify");
  loop_->advance(Milliseconds{6'000});  // what was starting is looked at again
  settle();
  EXPECT_EQ(loop_->next_due(), std::nullopt);
}

}  // namespace
}  // namespace leat
