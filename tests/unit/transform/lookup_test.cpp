#include <sqlite3.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "cache/caches.h"
#include "stage/codec.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"
#include "transform/fixture.h"
#include "transform/lookup_table.h"

namespace leat {
namespace {

class LookupTest : public TransformTest, protected CodecContext {
 protected:
  using Items = std::map<std::string, Options::Item>;

  ~LookupTest() override {
    last_.reset();
    transform_.reset();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
  }

  // In one step, as who cares writes it.
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / "new") << text;
    ASSERT_EQ(std::rename((folder_ / "new").c_str(), (folder_ / name).c_str()), 0);
  }
  void lookup(const std::string& name, Items items = {}) {
    items.emplace("path", folder_ / name);
    items.emplace("key", Lines{"dev"});
    use("lookup", items);
    ASSERT_TRUE(transform_->open(*this));
  }
  void execute(const std::string& name, const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / name).c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  static TestRecord from(const std::string& device) {
    return {text("dev", device), number("v", "1")};
  }
  // What one record of this device becomes; "" when it is gone.
  std::string look(const std::string& device) {
    const Lines lines = run(batch_of({from(device)}));
    return lines.empty() ? "" : lines.front();
  }
  bool becomes(const std::string& device, const std::string& line) {
    return run_until(
        loop_, [&] { return look(device) == line; }, Milliseconds{1'000});
  }

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  void go_on() override {}
  Caches* caches() override { return &caches_; }

  const std::string name_ = "p";
  Caches caches_;
  testing::TempDir folder_;
  testing::HandLoop loop_;
};

constexpr const char* kSites = "dev,site,floor\na,North,1\nb,South,2\n";

TEST_F(LookupTest, adds_the_columns_of_the_row_with_the_key) {
  write("t.csv", kSites);
  lookup("t.csv");
  EXPECT_EQ(run(batch_of({from("b"), from("a"), from("b")})),
            (Lines{R"({"dev":"b","v":1,"site":"South","floor":2})",
                   R"({"dev":"a","v":1,"site":"North","floor":1})",
                   R"({"dev":"b","v":1,"site":"South","floor":2})"}));
  EXPECT_GT(transform_->held(), 0U);
}

TEST_F(LookupTest, adds_only_the_fields_that_are_wanted_under_their_names) {
  write("t.csv", kSites);
  lookup("t.csv", {{"fields", Options::Map{{"level", "floor"}, {"v", "site"}}}});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":"North","level":1})");
}

TEST_F(LookupTest, of_json_and_by_columns_with_other_names) {
  write("t.jsonl", "{\"id\":\"a\",\"n\":1,\"where\":{\"x\":2}}\n{\"n\":1,\"id\":\"b\"}\n");
  lookup("t.jsonl", {{"key", Lines{"dev", "v"}}, {"keyColumns", Lines{"id", "n"}}});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"where":{"x":2}})");
  EXPECT_EQ(look("b"), R"({"dev":"b","v":1,"where":null})");
  EXPECT_EQ(run(batch_of({{text("dev", "a"), number("v", "2")}})),
            Lines{R"({"dev":"a","v":2,"where":null})"});
}

TEST_F(LookupTest, of_a_table_of_sqlite) {
  execute("t.db",
          "CREATE TABLE t (dev TEXT, f REAL, n INTEGER, other); "
          "INSERT INTO t VALUES ('a', 1.5, 7, NULL), (1, 2.5, 8, 'x')");
  lookup("t.db", {{"table", std::string("t")}});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"f":1.5,"n":7,"other":null})");
  EXPECT_EQ(run(batch_of({{number("dev", "1")}})), Lines{R"({"dev":1,"f":2.5,"n":8,"other":"x"})"});
}

TEST_F(LookupTest, without_a_row_a_record_is_kept_with_nulls) {
  write("t.csv", kSites);
  lookup("t.csv");
  EXPECT_EQ(
      run(batch_of({from("c"), {number("v", "1")}, {text("dev", "c"), text("site", "own")}})),
      (Lines{R"({"dev":"c","v":1,"site":null,"floor":null})", R"({"v":1,"site":null,"floor":null})",
             R"({"dev":"c","site":"own","floor":null})"}));
}

TEST_F(LookupTest, without_a_row_a_record_is_dropped_or_a_dead_letter_where_that_is_wanted) {
  write("t.csv", kSites);
  lookup("t.csv", {{"onMissing", std::string("drop")}});
  EXPECT_EQ(run(batch_of({from("c"), from("a")})).size(), 1U);
  EXPECT_TRUE(dead_.records.empty());
  lookup("t.csv", {{"onMissing", std::string("deadLetter")}});
  EXPECT_EQ(run(batch_of({from("c"), from("a")})).size(), 1U);
  EXPECT_EQ(dead_.records, Lines{R"({"dev":"c","v":1})"});
  EXPECT_EQ(dead_.reasons, Lines{"there is no row for its key"});
}

TEST_F(LookupTest, as_many_dead_letters_as_may_wait_end_a_turn) {
  write("t.csv", kSites);
  lookup("t.csv", {{"onMissing", std::string("deadLetter")}});
  dead_.most = 1;
  BatchRef batch = batch_of({from("a"), from("c"), from("b")});
  batch->quantum = 1000;
  BatchRef first = batch;
  EXPECT_EQ(run(batch).size(), 1U);
  ASSERT_TRUE(first->rest);
  EXPECT_EQ(run(std::exchange(first->rest, {})).size(), 1U);
}

TEST_F(LookupTest, a_file_that_changes_is_read_again) {
  write("t.csv", kSites);
  lookup("t.csv");
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"site":"North","floor":1})");
  const BatchRef before = last_;
  write("t.csv", "dev,name\na,new\n");
  EXPECT_TRUE(becomes("a", R"({"dev":"a","v":1,"name":"new"})"));
  std::string line;
  append_json(line, before->records.front());
  EXPECT_EQ(line, R"({"dev":"a","v":1,"site":"North","floor":1})") << "its rows are there yet";
}

TEST_F(LookupTest, a_database_that_changes_is_read_again) {
  execute("t.db",
          "PRAGMA journal_mode=WAL; CREATE TABLE t (dev TEXT, n INTEGER); "
          "INSERT INTO t VALUES ('a', 1)");
  lookup("t.db", {{"table", std::string("t")}});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"n":1})");
  execute("t.db", "UPDATE t SET n = 2");
  EXPECT_TRUE(becomes("a", R"({"dev":"a","v":1,"n":2})"));
}

TEST_F(LookupTest, a_version_that_cannot_be_read_leaves_the_one_before) {
  write("t.csv", kSites);
  lookup("t.csv");
  for (const char* broken : {"no,key\n1,2\n", "dev,site\n\"a,never closed\n", ""}) {
    write("t.csv", broken);
    loop_.advance(Milliseconds{1'000});
    for (int i = 0; i < 20; ++i) testing::turn(loop_);
    loop_.advance(Milliseconds{1'000});
    for (int i = 0; i < 20; ++i) testing::turn(loop_);
    EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"site":"North","floor":1})") << broken;
  }
  write("t.csv", "dev,site\na,again\n");
  EXPECT_TRUE(becomes("a", R"({"dev":"a","v":1,"site":"again"})"));
}

TEST_F(LookupTest, a_file_that_is_not_there_stops_the_pipeline_for_now) {
  lookup("missing.csv");
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1})");
  EXPECT_EQ(failure_, "lookup: " + (folder_ / "missing.csv") + ": No such file or directory");
  write("missing.csv", kSites);
  EXPECT_TRUE(becomes("a", R"({"dev":"a","v":1,"site":"North","floor":1})"));
}

TEST_F(LookupTest, a_file_with_more_than_it_may_take_is_not_used) {
  std::string text = "dev,site\n";
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i) + ",somewhere\n";
  write("t.csv", text);
  lookup("t.csv", {{"maxBytes", int64_t{100'000}}});
  look("a");
  EXPECT_NE(failure_.find("takes more than maxBytes (97.7 KiB)"), std::string::npos) << failure_;
}

#ifdef LEAT_WITH_CACHE
class CacheLookupTest : public LookupTest {
 protected:
  CacheLookupTest() { cache_->set_key({"id"}); }

  void lookup_in_cache(Items items = {}) {
    items.emplace("cache", std::string("c"));
    items.emplace("key", Lines{"dev"});
    items.emplace("fields", Options::Map{{"site", "name"}, {"floor", "floor"}});
    use("lookup", items);
    ASSERT_TRUE(transform_->open(*this));
  }
  void put(const std::string& id, const TestRecord& fields) {
    const BatchRef batch = batch_of({fields});
    EXPECT_TRUE(cache_->put(id, batch->records.front(),
                            {.ttl = Milliseconds{60'000}, .max_records = 10, .max_bytes = 1 << 20},
                            loop_.now()));
  }

  std::shared_ptr<Cache> cache_ = caches_.find("c");
};

TEST_F(CacheLookupTest, adds_fields_of_the_last_record_there) {
  lookup_in_cache();
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"site":null,"floor":null})");
  put("a", {text("name", "North"), number("floor", "3"), text("else", "x")});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"site":"North","floor":3})");
  put("a", {text("name", "South")});
  EXPECT_EQ(look("a"), R"({"dev":"a","v":1,"site":"South","floor":null})");
  EXPECT_EQ(cache_->status(loop_.now()).hits, 2U);
  EXPECT_EQ(cache_->status(loop_.now()).misses, 1U);
}

TEST_F(CacheLookupTest, what_a_batch_got_stays_when_the_record_goes) {
  lookup_in_cache();
  put("a", {text("name", "North"), number("floor", "3")});
  EXPECT_EQ(run(batch_of({from("a"), from("b"), from("a")})).size(), 3U);
  put("a", {text("name", "other"), number("floor", "4")});
  std::string line;
  append_json(line, last_->records.back());
  EXPECT_EQ(line, R"({"dev":"a","v":1,"site":"North","floor":3})");
}

TEST_F(CacheLookupTest, one_that_is_too_old_is_missing) {
  lookup_in_cache({{"onMissing", std::string("deadLetter")}});
  put("a", {text("name", "North")});
  EXPECT_EQ(run(batch_of({from("a")})).size(), 1U);
  loop_.advance(Milliseconds{60'000});
  EXPECT_EQ(run(batch_of({from("a")})).size(), 0U);
  EXPECT_EQ(dead_.reasons, Lines{"there is no row for its key"});
}

TEST_F(CacheLookupTest, a_record_without_its_key_is_not_looked_up) {
  lookup_in_cache();
  EXPECT_EQ(run(batch_of({{number("v", "1")}})), Lines{R"({"v":1,"site":null,"floor":null})"});
  EXPECT_EQ(cache_->status(loop_.now()).misses, 0U);
}

TEST_F(CacheLookupTest, much_that_is_made_of_little_comes_in_turns) {
  lookup_in_cache();
  put("a", {text("name", std::string(10'000, 'x'))});
  std::vector<TestRecord> records(10, from("a"));
  EXPECT_EQ(run_in_turns(batch_of(records), 25'000), (std::vector<size_t>{3, 3, 3, 1}));
}

TEST_F(CacheLookupTest, takes_memory_only_while_nobody_fills_the_cache) {
  lookup_in_cache();
  put("a", {text("name", std::string(10'000, 'x'))});
  EXPECT_GT(transform_->held(), 10'000U);
  Budget filler(1 << 20);
  cache_->add_filler(filler);
  EXPECT_LT(transform_->held(), 1'000U);
  cache_->remove_filler(filler);
}

TEST_F(CacheLookupTest, refuses_options_that_do_not_go_together) {
  const Items good{
      {"cache", std::string("c")}, {"key", Lines{"a"}}, {"fields", Options::Map{{"x", "x"}}}};
  auto with = [this, &good](const std::string& name, Options::Item item) {
    Items items = good;
    items.insert_or_assign(name, std::move(item));
    return refusal("lookup", items);
  };
  EXPECT_EQ(refusal("lookup", good), "");
  EXPECT_NE(with("path", std::string("/t.csv")).find("t.path: is for a file"), std::string::npos);
  EXPECT_NE(with("keyColumns", Lines{"b"}).find("t.keyColumns: is for"), std::string::npos);
  EXPECT_NE(with("fields", Options::Map()).find("t.fields: "), std::string::npos);
  EXPECT_NE(refusal("lookup", {{"key", Lines{"a"}}}).find("t.path: or cache is needed"),
            std::string::npos);
}
#endif

TEST_F(LookupTest, refuses_options_that_do_not_go_together) {
  const Items good{{"path", std::string("/t.csv")}, {"key", Lines{"a"}}};
  auto with = [this, &good](const std::string& name, Options::Item item) {
    Items items = good;
    items.insert_or_assign(name, std::move(item));
    return refusal("lookup", items);
  };
  EXPECT_EQ(refusal("lookup", good), "");
  EXPECT_NE(with("key", Lines{}).find("at least"), std::string::npos);
  EXPECT_NE(with("keyColumns", Lines{"a", "b"}).find("as many"), std::string::npos);
  EXPECT_NE(with("table", std::string("t")).find("sqlite"), std::string::npos);
  EXPECT_NE(with("path", std::string("/t.db")).find("sqlite"), std::string::npos);
}

TEST(LookupTable, finds_each_of_many_rows_and_nothing_else) {
  LookupTable table({"n"}, 64 << 20);
  constexpr int kRows = 100'000;
  for (int i = 0; i < kRows; ++i) {
    const Value value = Value::of_integer(i);
    ASSERT_TRUE(table.add("key-" + std::to_string(i), {&value, 1}));
  }
  const Value last = Value::of_integer(-1);
  ASSERT_TRUE(table.add("key-5", {&last, 1}));
  EXPECT_EQ(table.rows(), static_cast<size_t>(kRows));
  for (int i = 0; i < kRows; ++i) {
    const Value* found = table.find("key-" + std::to_string(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->integer, i == 5 ? -1 : i);
    EXPECT_EQ(table.find("kez-" + std::to_string(i)), nullptr);
  }
  EXPECT_LT(table.bytes(), size_t{kRows} * 100);
}

}  // namespace
}  // namespace leat
