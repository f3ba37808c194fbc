// Several tables at once, each into a data path of its own (Source::lane).
#include <set>

#include "table_group_bench.h"

namespace leat::testing {
namespace {

// The data path of a lane, beside the harness, which is that of the first.
class OtherLane final : public SourceContext {
 public:
  explicit OtherLane(SourceContext& like) : like_(like) {}

  Loop& loop() override { return like_.loop(); }
  const std::string& pipeline() override { return like_.pipeline(); }
  const std::string& agent() override { return like_.agent(); }
  bool exactly_once() override { return like_.exactly_once(); }
  size_t batch_bytes() const override { return like_.batch_bytes(); }
  Budget& budget() override { return like_.budget(); }
  const Framing* framing() override { return like_.framing(); }
  bool needs_preamble() override { return like_.needs_preamble(); }
  bool passes_rows() override { return like_.passes_rows(); }
  const std::vector<SavedPosition>& saved() override { return like_.saved(); }
  const std::vector<SavedPosition>& noted() override { return like_.noted(); }
  BatchRef new_batch_for(size_t reader, Content content) override {
    EXPECT_EQ(reader, 0U) << "it is the only one here";
    return like_.new_batch_for(100, content);
  }
  void emit(BatchRef batch) override {
    partitions.insert(batch->begin.partition);
    like_.emit(std::move(batch));
  }
  void finished(Status status) override {
    EXPECT_FALSE(ended) << "twice";
    EXPECT_TRUE(status) << "what has failed is said once";
    ended = true;
  }
  void in_flight_full(bool, Milliseconds) override {}
  void save(SavedPosition, std::function<void(Status)>) override {}
  void note(std::vector<SavedPosition> what, Survives survives,
            std::function<void(Status)> done) override {
    for (const SavedPosition& one : what) noted_here.insert(one.partition);
    like_.note(std::move(what), survives, std::move(done));
  }
  void progress(uint64_t, std::optional<uint64_t>) override { ADD_FAILURE() << "counted twice"; }

  std::set<uint32_t> partitions;
  std::set<std::string> noted_here;
  bool ended = false;

 private:
  SourceContext& like_;
};

class TableLanes : public TableGroupTest {
 protected:
  TableLanes() {
    options_.set("concurrency", int64_t{2});
    tables = {{"a", {1, 2, 3, 4, 5, 6}}, {"b", {11, 12, 13, 14, 15, 16}}, {"c", {21}}};
  }
  void TearDown() override { end(); }
  void start_both() {
    Result<std::unique_ptr<Source>> made = make();
    ASSERT_TRUE(made);
    adopt(std::move(*made));
    other_.emplace(*this);
    lane_ = source_->lane();
    ASSERT_TRUE(source_->open(*this));
    ASSERT_TRUE(lane_->open(*other_));
  }
  void stop_other() {
    bool closed = false;
    lane_->stop([&closed] { closed = true; });
    EXPECT_TRUE(wait([&closed] { return closed; })) << "never closed";
  }
  void end() {
    if (lane_ != nullptr) stop_other();
    stop();
    lane_.reset();
  }

  std::optional<OtherLane> other_;
  std::unique_ptr<Source> lane_;
};

TEST_F(TableLanes, each_is_read_into_one_of_them_and_both_end_together) {
  start_both();
  EXPECT_TRUE(wait_end());
  EXPECT_TRUE(other_->ended);
  EXPECT_FALSE(other_->partitions.empty());
  EXPECT_LT(other_->partitions.size(), 3U);
  std::ranges::sort(ids_);
  EXPECT_EQ(ids_, (Ids{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16, 21}));
  EXPECT_EQ(bytes_read_, 1300U);
  for (const Position& end : std::exchange(owed_, {})) {
    Source& by = other_->partitions.contains(end.partition) ? *lane_ : *source_;
    EXPECT_NE(by.describe(end).find("table "), std::string::npos);
    by.acked(end);
  }
}

TEST_F(TableLanes, what_failed_in_one_is_tried_again_wherever_there_is_room) {
  options_.set("failover.interval", int64_t{1'000});
  failures_in_row = {{"b", 14}};
  start_both();
  EXPECT_TRUE(wait([this] { return states() == "ad6 bw3 cd1 "; })) << states();
  EXPECT_FALSE(other_->ended);
  deliver();
  EXPECT_TRUE(other_->partitions.contains(1)) << "the other lane had b";
  failures_in_row.clear();
  EXPECT_TRUE(wait_end());
  EXPECT_TRUE(other_->ended);
  EXPECT_EQ(states(), "ad6 bd6 cd1 ");
  EXPECT_EQ(other_->noted_here, (std::set<std::string>{"table b"}))
      << "it may not save that later, when this one has saved more";
}

TEST_F(TableLanes, may_be_stopped_at_any_moment_and_in_any_order) {
  for (int turns = 0; turns < 60; ++turns) {
    start_both();
    for (int i = 0; i < turns; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
    if (turns % 2 == 0) {
      end();
    } else {
      stop_other();
      for (int i = 0; i < turns % 10; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
      stop();
      lane_.reset();
    }
    EXPECT_EQ(open_now, 0) << turns;
    journal_.clear();
  }
}

}  // namespace
}  // namespace leat::testing
