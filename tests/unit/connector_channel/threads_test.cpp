// A producer and two subscribers, each on a thread of its own: what is shared is touched by all.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "channel/channels.h"
#include "memory/arena.h"
#include "support/hand_loop.h"

namespace leat::testing {
namespace {

constexpr size_t kHandovers = 2'000;

// Takes, reads and settles until `kHandovers` have come.
class Taker {
 public:
  Taker(Channels& channels, const std::string& name)
      : thread_([this, channel = channels.find("c"), name] {
          FakeClock clock;
          Loop loop(clock);
          Budget budget(1 << 20);
          {
            BlockPool pool(budget);
            std::vector<BatchRef> held;
            ChannelReader reader(channel, name, loop, [&] {
              while (reader_->any()) {
                BatchRef batch = BatchRef::make(pool, Content::kRecords);
                const std::shared_ptr<Borrowed> borrowed = reader_->take();
                batch->records = (*borrowed)->records;
                batch->borrow(borrowed, (*borrowed)->bytes);
                for (const Record& record : batch->records) sum_ += integer_of(record.value(0));
                held.push_back(std::move(batch));
                reader_->settle(1);
                if (held.size() > 5) held.erase(held.begin());
                if (++taken_ == kHandovers) loop.stop();
              }
            });
            reader_ = &reader;
            ready_ = true;
            loop.run();
          }
          loop.close();
        }) {}
  void join() { thread_.join(); }
  bool ready() const { return ready_; }
  int64_t sum() const { return sum_; }

 private:
  ChannelReader* reader_ = nullptr;
  size_t taken_ = 0;
  int64_t sum_ = 0;
  std::atomic<bool> ready_ = false;
  std::thread thread_;
};

TEST(ChannelThreads, all_get_all_while_the_memory_goes_from_one_to_the_other) {
  Channels channels;
  channels.expect({{"c", {"p"}}}, {{"c", {"a", "b"}}});
  Taker a(channels, "a");
  Taker b(channels, "b");
  while (!a.ready() || !b.ready()) std::this_thread::yield();
  HandLoop loop;
  Budget budget(64 << 20);
  BlockPool pool(budget);
  const ShapeRef shape = std::make_shared<const Shape>(std::vector<std::string_view>{"n"});
  int64_t sum = 0;
  {
    ChannelWriter writer(channels.find("c"), 1 << 20, loop, [] {});
    std::vector<std::pair<std::shared_ptr<Handover>, BatchRef>> under_way;
    for (size_t i = 0; i < kHandovers; ++i) {
      BatchRef batch = BatchRef::make(pool, Content::kRecords);
      auto what = std::make_shared<Handover>();
      for (int64_t n = 0; n < 10; ++n, ++sum) {
        auto* values = batch->arena.array<Value>(1);
        values[0] = Value::of_integer(sum % 7);
        what->records.push_back({.shape = shape.get(), .values = values});
      }
      what->shapes.push_back(shape);
      what->bytes = 160;
      ASSERT_TRUE(writer.hand(what));
      under_way.emplace_back(what, batch);
      std::erase_if(under_way, [](auto& one) {
        if (one.first->owed.load(std::memory_order_acquire) > 0) return false;
        if (one.first->borrowed.load(std::memory_order_acquire) > 0)
          one.first->memory = one.second->give_away_memory();
        return true;
      });
    }
    a.join();
    b.join();
  }
  int64_t expected = 0;
  for (int64_t n = 0; n < sum; ++n) expected += n % 7;
  EXPECT_EQ(a.sum(), expected);
  EXPECT_EQ(b.sum(), expected);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace leat::testing
