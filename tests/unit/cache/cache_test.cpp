#include "cache/cache.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cache/caches.h"
#include "cache/lookup_key.h"

namespace leat {
namespace {

using Fields = std::vector<std::pair<std::string_view, Value>>;

Value text(std::string_view s) {
  return Value::of_text(Type::kString, s);
}

class CacheTest : public ::testing::Test {
 protected:
  CacheTest() { cache_.set_key({"key"}); }

  bool put(const std::string& key, const Fields& fields) {
    std::vector<std::string_view> names;
    std::vector<Value> values;
    for (const auto& [name, value] : fields) {
      names.push_back(name);
      values.push_back(value);
    }
    const Shape shape(names);
    return cache_.put(key, {.shape = &shape, .values = values.data()}, bounds_, now_);
  }
  bool put(const std::string& key, int64_t n) { return put(key, {{"n", Value::of_integer(n)}}); }
  // "a=1, b=x"; "none" when there is none.
  std::string find(const std::string& key) {
    const auto found = cache_.find(key, now_);
    if (!found) return "none";
    std::string out;
    for (const auto& [name, value] : *found) {
      out += (out.empty() ? "" : ", ") + std::string(name) + "=";
      append_json(out, value);
    }
    return out;
  }
  CacheStatus status() { return cache_.status(now_); }

  CacheBounds bounds_{.ttl = Milliseconds{60'000}, .max_records = 1000, .max_bytes = 1 << 20};
  Milliseconds now_{5'000'000};
  Cache cache_{"c"};
};

TEST_F(CacheTest, finds_the_record_that_was_put_in_last) {
  EXPECT_EQ(find("a"), "none");
  EXPECT_TRUE(put("a", 1));
  EXPECT_TRUE(put("b", 2));
  EXPECT_TRUE(put("a", {{"n", Value::of_integer(3)}, {"s", text("new")}}));
  EXPECT_EQ(find("a"), R"(n=3, s="new")");
  EXPECT_EQ(find("b"), "n=2");
  EXPECT_EQ(status().records, 2U);
  EXPECT_EQ(status().hits, 2U);
  EXPECT_EQ(status().misses, 1U);
}

TEST_F(CacheTest, keeps_a_copy_of_every_type_as_it_is) {
  std::string json = R"({"x":[1,2]})";
  std::string escaped = R"(a\nb)";
  std::string exact = "12345678901234567890.10";
  EXPECT_TRUE(put("a", {{"f", Value::of_float(5.0)},
                        {"d", Value::of_text(Type::kDecimal, exact, Form::kText)},
                        {"e", Value::of_text(Type::kString, escaped, Form::kText)},
                        {"j", Value::of_text(Type::kJson, json)},
                        {"z", Value::null()},
                        {"no", Value::absent()},
                        {"b", Value::boolean(true)},
                        {"t", Value::of_time(1'760'000'000'000'000)}}));
  json = exact = escaped = "something else, which is as long";
  EXPECT_EQ(find("a"), R"(f=5, d=12345678901234567890.10, e="a\nb", j={"x":[1,2]}, z=null, )"
                       R"(no=null, b=true, t="2025-10-09T08:53:20Z")");
  EXPECT_EQ((*cache_.find("a", now_))[0].value.type, Type::kFloat);
  EXPECT_EQ((*cache_.find("a", now_))[5].value.type, Type::kAbsent);
}

TEST_F(CacheTest, a_record_is_too_old_after_ttl_and_new_again_when_it_comes_again) {
  put("a", 1);
  put("b", 1);
  now_ += Milliseconds{59'999};
  EXPECT_EQ(find("a"), "n=1");
  put("b", 2);
  now_ += Milliseconds{1};
  EXPECT_EQ(find("a"), "none");
  EXPECT_EQ(find("b"), "n=2");
  EXPECT_EQ(status().expired, 1U);
  EXPECT_EQ(status().records, 1U);
  now_ += Milliseconds{60'000};
  EXPECT_EQ(status().records, 0U) << "nobody has to look for it";
}

TEST_F(CacheTest, another_ttl_counts_for_what_is_there_too) {
  put("a", 1);
  bounds_.ttl = Milliseconds{10};
  put("b", 1);
  now_ += Milliseconds{10};
  EXPECT_EQ(find("a"), "none");
}

TEST_F(CacheTest, the_one_put_in_first_goes_for_one_more_than_there_may_be) {
  bounds_.max_records = 2;
  put("a", 1);
  put("b", 1);
  put("a", 2);  // so now b is the oldest
  EXPECT_EQ(find("b"), "n=1") << "which changes nothing in that";
  put("c", 1);
  EXPECT_EQ(find("b"), "none");
  EXPECT_EQ(find("a"), "n=2");
  EXPECT_EQ(find("c"), "n=1");
  EXPECT_EQ(status().evicted, 1U);
  EXPECT_EQ(status().expired, 0U);
}

TEST_F(CacheTest, never_takes_more_than_it_may) {
  bounds_.max_bytes = 16 * 1024;
  const std::string long_text(500, 'x');
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(put("key-" + std::to_string(i % 300), {{"s", text(long_text)}}));
    ASSERT_LE(status().bytes, bounds_.max_bytes);
  }
  EXPECT_GT(status().records, 10U);
  EXPECT_GT(status().evicted, 0U);
}

TEST_F(CacheTest, one_that_is_too_large_alone_leaves_what_there_is) {
  bounds_.max_bytes = 4096;
  put("a", 1);
  put("b", 1);
  EXPECT_FALSE(put("a", {{"s", text(std::string(4096, 'x'))}}));
  EXPECT_EQ(find("a"), "n=1");
  EXPECT_EQ(find("b"), "n=1");
  EXPECT_TRUE(put("a", {{"s", text(std::string(3000, 'x'))}}));
}

TEST_F(CacheTest, takes_records_again_when_it_may_have_much_less_than_it_had) {
  bounds_ = {.ttl = Milliseconds{60'000}, .max_records = 100'000, .max_bytes = 64 << 20};
  for (int i = 0; i < 50'000; ++i) put(std::to_string(i), i);
  bounds_.max_bytes = 4096;
  EXPECT_TRUE(put("a", 1));
  EXPECT_EQ(find("a"), "n=1");
  EXPECT_LE(status().bytes, 4096U);
}

TEST_F(CacheTest, by_other_fields_nobody_would_find_what_is_there) {
  put("a", 1);
  cache_.set_key({"key"});
  EXPECT_EQ(find("a"), "n=1");
  cache_.set_key({"other"});
  EXPECT_EQ(find("a"), "none");
  EXPECT_EQ(status().evicted, 0U);
}

TEST_F(CacheTest, counts_against_who_fills_it_and_else_against_who_looks_it_up) {
  Budget first(1 << 20);
  Budget second(1 << 20);
  cache_.add_filler(first);
  cache_.add_filler(second);
  put("a", 1);
  EXPECT_EQ(first.used(), status().bytes);
  EXPECT_EQ(second.used(), 0U);
  EXPECT_EQ(cache_.held(), 0U);
  cache_.remove_filler(first);
  EXPECT_EQ(first.used(), 0U);
  EXPECT_EQ(second.used(), status().bytes);
  cache_.remove_filler(second);
  EXPECT_EQ(second.used(), 0U);
  EXPECT_EQ(cache_.held(), status().bytes);
}

TEST(Caches, stay_while_the_configuration_has_them_or_somebody_uses_them) {
  Caches caches;
  std::shared_ptr<Cache> used = caches.find("used");
  caches.find("named");
  caches.find("neither");
  caches.keep({"named"});
  std::vector<std::string> names;
  for (const CacheStatus& one : caches.status(Milliseconds{0})) names.push_back(one.name);
  EXPECT_EQ(names, (std::vector<std::string>{"named", "used"}));
  EXPECT_EQ(caches.find("used"), used);
}

TEST(LookupKey, is_the_text_of_its_values) {
  LookupKey key;
  EXPECT_TRUE(key.add(Value::of_integer(7)));
  EXPECT_EQ(key.text(), "7");
  EXPECT_TRUE(key.add(text("x")));
  EXPECT_EQ(key.text(), "7\x1fx");
  EXPECT_FALSE(key.add(Value::null()));
  EXPECT_FALSE(key.add(Value::absent()));
}

}  // namespace
}  // namespace leat
