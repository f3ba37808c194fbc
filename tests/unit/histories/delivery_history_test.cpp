// Histories of whole pipelines: sources give, sinks answer (or not), the disk fails, fills up, the
// agent is killed, stopped, started, the power is cut; the loop, its timers and the journal's
// thread take their turns when the dice say so.
//
// What must hold is in DeliveryLine; and that in the end, with all well, everything comes to rest.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "histories/delivery_line.h"
#include "support/faulty_disk.h"
#include "support/hand_loop.h"

namespace leat::testing {
namespace {

class DeliveryHistory final : public History {
 public:
  explicit DeliveryHistory(uint64_t seed) : History(seed), folder_(empty_folder()), disk_(folder_) {
    large_ = dice.one_in(300);
    if (!dice.one_in(4)) commit_every_ = Milliseconds{dice.between(50, 5000)};
    static constexpr const char* kNames[] = {"press", "oven"};
    for (size_t i = 0, n = dice.between(1, 2); i < n; ++i) {
      lines_.push_back(std::make_unique<DeliveryLine>(kNames[i], dice, large_));
      DeliveryLine& line = *lines_.back();
      step([&line] { return line.about(); });
    }
  }
  ~DeliveryHistory() override {
    leave();
    lines_.clear();
    loop_.close();
  }

  void run() override {
    uint64_t steps =
        long_histories() ? dice.between(10, large_ ? 300 : 45) : dice.between(8, large_ ? 300 : 28);
    start();
    while (steps-- > 0 && !broken()) one_step();
    mend();
    if (running_ && dice.one_in(2)) stop();
    if (running_ && (sync_failed() || dice.one_in(2))) kill();
    if (!running_) start();
    if (!running_) return breaks("it cannot be started though nothing fails any more");
    if (!come_to_rest()) return;
    for (auto& line : lines_) line->check_totals();
    for (auto& line : lines_) line->check_all_is_there();
    for (int i = 0; i < 3; ++i) {  // what could not be saved is tried again within a minute
      turn();
      pass(Milliseconds{70'000});
      turn();
    }
    kill();
    start();
    if (!running_) return breaks("it cannot be started again");
    for (auto& line : lines_) check_nothing_is_left(*line);
    note_faults();
  }

 private:
  void one_step() {
    if (!running_) return dice.one_in(2) ? mend() : start();
    DeliveryLine& line = *lines_[dice.below(lines_.size())];
    switch (dice.pick({20, 14, 10, 10, 8, 4, 2, 2, 2, 1, 3, 1})) {
      case 0:
        step([] { return "give"; });
        line.give(dice, true);
        break;
      case 1:
        step([] { return "the journal's turn"; });
        serve();
        break;
      case 2:
        step([] { return "the loop's turn"; });
        uv_run(loop_.uv(), UV_RUN_NOWAIT);
        break;
      case 3:
        step([] { return "the sink answers"; });
        line.answer(dice, false);
        break;
      case 4: {
        static constexpr int kWaits[] = {5, 30, 300, 1100, 6000};
        pass(Milliseconds{kWaits[dice.below(5)]});
        break;
      }
      case 5:
        turn();
        break;
      case 6:
        kill();
        start();
        break;
      case 7:
        stop();
        start();
        break;
      case 8:
        reload(line);
        break;
      case 9:
        cut_power();
        break;
      case 10:
        break_something();
        break;
      case 11:
        mend();
        break;
    }
  }

  void start() {
    step([] { return "start"; });
    Result<std::unique_ptr<Journal>> opened = Journal::open(folder_ + "/journal.db", loop_.clock());
    if (!opened) {
      step([&opened] { return "  " + opened.error().message(); });
      if (!failing_) breaks("cannot be opened: " + opened.error().message());
      return;
    }
    running_ = true;
    journal_ = std::move(*opened);
    journal_->set_commit_every(commit_every_);
    journal_->ask_room([this] { return disk_.free(); });
    client_ = journal_->make_client(loop_);
    sync_failures_ = disk_.counters().failed[DiskCall::kSync];
    for (auto& line : lines_) {
      if (start(*line)) continue;
      if (!failing_) breaks("a pipeline cannot be started");
      return kill();
    }
  }

  bool start(DeliveryLine& line) {
    return line.start({.loop = &loop_,
                       .journal = client_.get(),
                       .folder = folder_,
                       .commit_every = commit_every_,
                       .turn = [this] { turn(); },
                       .breaks = [this](const std::string& what) { breaks(what); },
                       .says = [this](const auto& say) { note(say); }});
  }

  void leave() {
    if (!running_) return;
    for (auto& line : lines_) line->end(dice);
    client_.reset();
    journal_.reset();
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    running_ = false;
  }

  void kill() {
    step([] { return "kill -9"; });
    disk_.kill();
    leave();
    ++met["kill"];
  }

  // The pipelines have some time to settle.
  void stop() {
    step([] { return "stop"; });
    for (auto& line : lines_) line->stop_input();
    for (int i = 0; i < 20; ++i) {
      turn();
      for (auto& line : lines_) line->answer(dice, false);
      pass(Milliseconds{30});
    }
    for (auto& line : lines_) line->end_input();
    turn();
    if (!failed_)
      for (auto& line : lines_) line->ended_well();
    leave();
    ++met["stop"];
  }

  // Its successor is there before what it asked of the journal is through.
  void reload(DeliveryLine& line) {
    step([] { return "reload"; });
    line.end(dice);
    ++met["reload"];
    if (start(line)) return;
    if (!failing_ && !sync_failed()) breaks("a pipeline cannot be started by a reload");
    kill();
  }

  void cut_power() {
    for (auto& line : lines_)
      if (!line->survives_power_cut()) return;
    auto unsynced = static_cast<Unsynced>(dice.below(3));
    uint64_t seed = dice.seed();
    for (auto& line : lines_) line->positions_may_be_lost();
    step([unsynced] { return "power cut, " + std::to_string(static_cast<int>(unsynced)); });
    disk_.cut_power(unsynced, seed);
    leave();
    ++met["power_cut"];
    start();
  }

  void break_something() {
    failing_ = failed_ = true;
    for (auto& line : lines_) line->positions_may_be_lost();
    if (dice.one_in(3)) {
      uint64_t room = dice.below(8000);
      step([room] { return "room for " + std::to_string(room) + " bytes more"; });
      return disk_.set_capacity(disk_.used() + room);
    }
    static constexpr DiskCall kCalls[] = {DiskCall::kWrite, DiskCall::kSync, DiskCall::kRead};
    DiskFault fault{.call = kCalls[dice.pick({4, 3, 1})]};
    if (dice.one_in(2)) fault.file = dice.one_in(2) ? "-wal" : ".db";
    fault.nth = dice.between(1, 6);
    fault.times = dice.one_in(6) ? DiskFault::kForEver : dice.between(1, 3);
    if (fault.call == DiskCall::kWrite && dice.one_in(2)) fault.keep = dice.below(1024);
    step([&fault] {
      return "from now the " + std::to_string(fault.nth) + ". " + to_string(fault.call) + " of *" +
             fault.file + " fails";
    });
    disk_.fail(fault);
  }

  void mend() {
    step([] { return "the disk is well"; });
    disk_.mend();
    disk_.set_capacity(std::nullopt);
    failing_ = false;
  }

  bool sync_failed() { return disk_.counters().failed[DiskCall::kSync] > sync_failures_; }

  void serve() { journal_->serve_all(); }

  void turn() {
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    serve();
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
    if (failed_) return;
    for (auto& line : lines_)
      if (line->running()) line->journal_had_its_turn();
  }

  void pass(Milliseconds time) {
    step([time] { return std::to_string(time.count()) + " ms pass"; });
    loop_.advance(time);
    uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }

  bool come_to_rest() {
    step([] { return "all is well"; });
    for (int i = 0; i < 600 && !broken(); ++i) {
      turn();
      bool rest = true;
      for (auto& line : lines_) {
        line->give(dice, false);
        line->answer(dice, true);
        rest = rest && line->at_rest();
      }
      if (rest) return true;
      Milliseconds time{i < 100 ? 30 : 400};
      loop_.advance(time);
    }
    for (auto& line : lines_)
      if (!line->at_rest())
        breaks("with all well it does not come to rest: " + line->about() + "; " +
               std::to_string(line->waiting()) + " records wait");
    return false;
  }

  void check_nothing_is_left(DeliveryLine& line) {
    if (line.waiting() > 0)
      breaks(std::to_string(line.waiting()) + " delivered records wait after a kill");
    if (line.replays() && line.resumed_at() != line.given())
      breaks("after a kill it resumes at " + std::to_string(line.resumed_at()) + " of " +
             std::to_string(line.given()));
  }

  void note_faults() {
    FaultyDisk::Counters counters = disk_.counters();
    for (const auto& [call, times] : counters.failed)
      met[std::string("failed_") + to_string(call)] += times;
    met["disk_full"] += counters.full;
  }

  HandLoop loop_;
  std::string folder_;
  FaultyDisk disk_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<JournalClient> client_;
  std::vector<std::unique_ptr<DeliveryLine>> lines_;
  bool large_ = false;
  bool running_ = false;
  bool failing_ = false;
  bool failed_ = false;  // at some time
  Milliseconds commit_every_{0};
  uint64_t sync_failures_ = 0;  // when it was started
};

class DeliveryHistories : public ::testing::TestWithParam<int> {};

TEST_P(DeliveryHistories, hold) {
  run_histories("delivery", GetParam(),
                [](uint64_t seed) { return std::make_unique<DeliveryHistory>(seed); });
}

INSTANTIATE_TEST_SUITE_P(Part, DeliveryHistories, ::testing::Range(0, kParts));

}  // namespace
}  // namespace leat::testing
