#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "cache/caches.h"
#include "support/sink_harness.h"

namespace leat {

extern const SinkType kCacheSink;

namespace testing {
namespace {

class CacheHarness final : public SinkHarness {
 public:
  explicit CacheHarness(Caches& caches) : caches_(caches) {}
  Caches* caches() override { return &caches_; }

 private:
  Caches& caches_;
};

class CacheSinkTest : public ::testing::Test {
 protected:
  using Items = std::map<std::string, Options::Item>;

  static Options options(const Items& items) {
    Options out(kCacheSink.options, "sink");
    out.set("name", std::string("c"));
    out.set("key", std::vector<std::string>{"dev"});
    for (const auto& [name, item] : items) out.set(name, item);
    return out;
  }
  void start(const Items& items = {}) {
    harness_ = std::make_unique<CacheHarness>(caches_);
    const Status status = harness_->start(kCacheSink, options(items));
    ASSERT_TRUE(status) << status.error().message();
  }
  Answer deliver(const std::vector<Row>& rows) {
    return harness_->deliver(harness_->records(rows));
  }
  static Row reading(std::string_view device, int64_t n) {
    return {{"dev", text(device)}, {"n", Value::of_integer(n)}};
  }
  // Of the field n; -1 when there is no such record.
  int64_t find(const std::string& key) {
    const auto found = caches_.find("c")->find(key, harness_->loop().now());
    return found ? (*found)[1].value.integer : -1;
  }

  Caches caches_;
  std::unique_ptr<CacheHarness> harness_;
};

TEST_F(CacheSinkTest, puts_the_last_record_of_each_key_in_the_cache) {
  start();
  EXPECT_EQ(deliver({reading("a", 1), reading("b", 2), reading("a", 3)}).outcome,
            Outcome::kDelivered);
  EXPECT_EQ(find("a"), 3);
  EXPECT_EQ(find("b"), 2);
  EXPECT_EQ(find("c"), -1);
  harness_->advance(Milliseconds{60'000});
  EXPECT_EQ(find("a"), -1) << "by default, a minute";
}

TEST_F(CacheSinkTest, rejects_records_without_a_key_and_takes_the_others) {
  start();
  const Answer answer = deliver(
      {reading("a", 1), {{"n", Value::of_integer(2)}}, {{"dev", Value::null()}}, reading("b", 3)});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(answer.why(0).code, "no-key");
  EXPECT_EQ(deliver({reading("a", 1), reading("b", 3)}).outcome, Outcome::kDelivered);
  EXPECT_EQ(find("b"), 3);
}

TEST_F(CacheSinkTest, rejects_a_record_for_which_there_is_no_room_at_all) {
  start({{"maxBytes", int64_t{4096}}});
  const std::string large(5000, 'x');
  const Answer answer = deliver({reading("a", 1), {{"dev", text("b")}, {"n", text(large)}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  EXPECT_EQ(answer.why(0).code, "too-large");
  EXPECT_EQ(find("a"), 1);
}

TEST_F(CacheSinkTest, takes_at_most_half_of_the_pipelines_memory) {
  start({{"maxRecords", int64_t{100'000}}, {"maxBytes", int64_t{1} << 30}});
  harness_->budget().set_limit(64 * 1024);
  const std::string names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  const std::string large(5000, 'x');
  for (const std::string& name : names)
    EXPECT_EQ(deliver({{{"dev", text(name)}, {"n", text(large)}}}).outcome, Outcome::kDelivered);
  const CacheStatus status = caches_.status(harness_->loop().now()).front();
  EXPECT_LE(status.bytes, 32U * 1024);
  EXPECT_GT(status.evicted, 0U);
  EXPECT_EQ(harness_->budget().used(), status.bytes);
}

TEST_F(CacheSinkTest, a_record_is_found_by_several_fields_as_text) {
  start({{"key", std::vector<std::string>{"site", "dev"}}});
  EXPECT_EQ(
      deliver(
          {{{"dev", Value::of_integer(7)}, {"n", Value::of_integer(1)}, {"site", text("north")}}})
          .outcome,
      Outcome::kDelivered);
  EXPECT_EQ(find("north\x1f"
                 "7"),
            1);
}

TEST_F(CacheSinkTest, the_next_run_finds_what_was_put_in_unless_its_key_is_another) {
  start();
  deliver({reading("a", 1)});
  start();
  EXPECT_EQ(find("a"), 1);
  start({{"key", std::vector<std::string>{"n"}}});
  EXPECT_EQ(find("a"), 1) << "the older run may still fill it";
  deliver({reading("a", 2)});
  EXPECT_EQ(find("a"), -1);
  EXPECT_EQ(find("2"), 2);
}

TEST_F(CacheSinkTest, needs_a_name_and_a_key) {
  const auto refusal = [](const Items& items) {
    const auto made = kCacheSink.make(options(items));
    return made ? "" : made.error().message();
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_NE(refusal({{"name", std::string()}}).find("sink.name: must not be empty"),
            std::string::npos);
  EXPECT_NE(refusal({{"key", std::vector<std::string>()}}).find("sink.key: must have"),
            std::string::npos);
}

TEST(CacheSink, is_there_only_within_an_agent) {
  SinkHarness harness;
  Options options(kCacheSink.options, "sink");
  options.set("name", std::string("c"));
  options.set("key", std::vector<std::string>{"dev"});
  const Status status = harness.start(kCacheSink, options);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::kUsage);
}

}  // namespace
}  // namespace testing
}  // namespace leat
