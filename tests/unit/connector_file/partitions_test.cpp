#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SinkType kFileSink;

namespace testing {
namespace {

using Names = std::vector<std::string>;

class PartitionsTest : public ::testing::Test {
 protected:
  PartitionsTest() : options_(kFileSink.options, "pipelines[0].sink") {
    options_.set("path", dir_ / "{site}/part.csv");
  }

  void open() {
    const WriteFormat* csv = find_write_format("csv");
    harness_ = std::make_unique<SinkHarness>(csv);
    harness_->set_format_options(Options(csv->options));
    Status opened = harness_->start(kFileSink, options_);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  Answer deliver(const std::vector<Row>& rows) {
    if (!harness_) open();
    return harness_->deliver(harness_->records(rows));
  }
  void expect_delivered(const std::vector<Row>& rows) {
    Answer answer = deliver(rows);
    EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  }
  // All that was to come has come.
  Status finish() {
    if (!harness_) open();
    std::optional<Status> finished;
    harness_->sink().finish([&finished](Status status) { finished = std::move(status); });
    EXPECT_TRUE(harness_->wait([&finished] { return finished.has_value(); }));
    return finished.value_or(Status{});
  }
  void close() {
    harness_->close();
    harness_.reset();
  }
  void kill() {
    harness_->kill();
    harness_.reset();
  }
  Names list(const std::string& site) {
    Names names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / site, none))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  std::string content(const std::string& name) { return read_file(dir_ / name); }
  static Row row(const char* site, int n) {
    return {{"site", text(site)}, {"n", Value::of_integer(n)}};
  }

  TempDir dir_;
  Options options_;
  std::unique_ptr<SinkHarness> harness_;
};

TEST_F(PartitionsTest, each_value_has_a_file_of_its_own_in_the_order_of_the_records) {
  expect_delivered({row("north", 1), row("south", 2), row("north", 3)});
  EXPECT_EQ(list("north"), Names{"part.csv.part"});
  expect_delivered({row("south", 4)});
  close();
  EXPECT_EQ(content("north/part.csv"), "site,n\nnorth,1\nnorth,3\n");
  EXPECT_EQ(content("south/part.csv"), "site,n\nsouth,2\nsouth,4\n");
}

TEST_F(PartitionsTest, files_of_different_columns_do_not_meet) {
  expect_delivered({row("a", 1), {{"site", text("b")}, {"x", text("y")}}, row("a", 2)});
  close();
  EXPECT_EQ(content("a/part.csv"), "site,n\na,1\na,2\n");
  EXPECT_EQ(content("b/part.csv"), "site,x\nb,y\n");
}

TEST_F(PartitionsTest, more_files_than_may_be_open_are_gone_on_with) {
  options_.set("openFiles", int64_t{2});
  for (int round = 0; round < 3; ++round)
    expect_delivered({row("a", round), row("b", round), row("c", round), row("d", round)});
  close();
  for (const char* site : {"a", "b", "c", "d"}) {
    EXPECT_EQ(list(site), Names{"part.csv"});
    EXPECT_EQ(content(std::string(site) + "/part.csv"),
              std::string("site,n\n") + site + ",0\n" + site + ",1\n" + site + ",2\n");
  }
}

TEST_F(PartitionsTest, a_thousand_files_need_few_descriptors) {
  options_.set("openFiles", int64_t{8});
  options_.set("sync", false);
  open();
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back(std::to_string(i));
  std::vector<Row> rows;
  for (const std::string& name : names) rows.push_back(row(name.c_str(), 1));
  expect_delivered(rows);
  close();
  setrlimit(RLIMIT_NOFILE, &before);
  for (const std::string& name : {names.front(), names[500], names.back()})
    EXPECT_EQ(content(name + "/part.csv"), "site,n\n" + name + ",1\n");
}

TEST_F(PartitionsTest, killed_files_are_taken_up_again_and_finished) {
  expect_delivered({row("a", 1), row("b", 1)});
  kill();
  EXPECT_EQ(list("b"), Names{"part.csv.part"});
  expect_delivered({row("a", 2)});
  close();
  EXPECT_EQ(content("a/part.csv"), "site,n\na,1\na,2\n");
  EXPECT_EQ(content("b/part.csv"), "site,n\nb,1\n") << "also where nothing more came";
}

TEST_F(PartitionsTest, what_was_left_is_finished_when_nothing_comes_at_all) {
  expect_delivered({row("a", 1)});
  kill();
  open();
  close();
  EXPECT_EQ(list("a"), Names{"part.csv"});
}

TEST_F(PartitionsTest, late_records_open_a_new_part) {
  expect_delivered({row("a", 1)});
  close();
  expect_delivered({row("a", 2)});
  close();
  EXPECT_EQ(list("a"), (Names{"part-20251009T085320Z-0001.csv", "part.csv"}));
  EXPECT_EQ(content("a/part.csv"), "site,n\na,1\n");
  EXPECT_EQ(content("a/part-20251009T085320Z-0001.csv"), "site,n\na,2\n");
}

TEST_F(PartitionsTest, each_is_finished_by_its_own_age) {
  options_.set("rotate.age", int64_t{60'000});
  options_.set("openFiles", int64_t{1});
  expect_delivered({row("a", 1)});
  harness_->advance(std::chrono::seconds(30));
  expect_delivered({row("b", 1)});
  EXPECT_TRUE(
      harness_->wait([this] { return list("a") == Names{"part-20251009T085420Z-0001.csv"}; },
                     Milliseconds{31'000}));
  EXPECT_EQ(list("b"), Names{"part.csv.part"});
  close();
}

TEST_F(PartitionsTest, each_is_finished_by_its_own_size) {
  options_.set("rotate.bytes", int64_t{20});
  expect_delivered({row("a", 1), row("b", 1), row("a", 22222), row("a", 33333)});
  close();
  EXPECT_EQ(list("a").size(), 2U);
  EXPECT_EQ(list("b").size(), 1U);
}

TEST_F(PartitionsTest, success_is_told_in_each_folder_at_the_end_of_all) {
  options_.set("successFile", true);
  expect_delivered({row("a", 1), row("b", 1)});
  ASSERT_TRUE(finish());
  close();
  EXPECT_EQ(list("a"), (Names{"_SUCCESS", "part.csv"}));
  EXPECT_EQ(list("b"), (Names{"_SUCCESS", "part.csv"}));
  // Another run begins to write there.
  expect_delivered({row("a", 2)});
  EXPECT_EQ(list("a"), (Names{"part.csv", "part.csv.part"}));
  close();
  EXPECT_EQ(std::ranges::count(list("a"), "_SUCCESS"), 0) << "it was stopped";
}

TEST_F(PartitionsTest, a_record_without_a_path_is_rejected_for_its_own_reason) {
  options_.set("path", dir_ / "{day:%Y}/part.csv");
  Answer answer = deliver({{{"day", text("2026-01-02T00:00:00Z")}}, {{"day", text("soon")}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{1});
  EXPECT_EQ(answer.why(0).code, "path");
  EXPECT_EQ(dir_.list(), Names{}) << "nothing of the delivery is written";
  close();
}

TEST_F(PartitionsTest, a_record_that_the_format_cannot_express_is_rejected) {
  Answer answer = deliver({row("a", 1), row("b", 1), {{"site", text("b")}, {"x", text("y")}}});
  EXPECT_EQ(answer.outcome, Outcome::kRejected);
  EXPECT_EQ(answer.bad_records, std::vector<uint32_t>{2});
  EXPECT_EQ(answer.why(0).reason, "x: not among the columns of this CSV");
  close();
}

TEST_F(PartitionsTest, tried_again_it_writes_nothing_twice) {
  open();
  ASSERT_EQ(mkdir((dir_ / "a").c_str(), 0777), 0);
  // Where the second file's folder is to be there is a file.
  std::ofstream(dir_ / "b").put('x');
  std::optional<Delivery> delivery = harness_->records({row("a", 1), row("b", 1)});
  Answer answer = harness_->deliver(*delivery);
  EXPECT_EQ(answer.outcome, Outcome::kRetry);
  EXPECT_EQ(content("a/part.csv.part"), "site,n\na,1\n");
  ASSERT_EQ(::remove((dir_ / "b").c_str()), 0);
  answer = harness_->deliver(*delivery);
  delivery.reset();  // before the harness, whose pool it is from
  EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  close();
  EXPECT_EQ(content("a/part.csv"), "site,n\na,1\n");
  EXPECT_EQ(content("b/part.csv"), "site,n\nb,1\n");
}

TEST_F(PartitionsTest, what_another_writes_is_left_to_it) {
  Options plain(kFileSink.options, "pipelines[1].sink");
  plain.set("path", dir_ / "a/part.csv");
  ASSERT_EQ(mkdir((dir_ / "a").c_str(), 0777), 0);
  SinkHarness other(find_write_format("csv"));
  ASSERT_TRUE(other.start(kFileSink, plain));
  ASSERT_EQ(other.deliver(other.slices({"other\n"})).outcome, Outcome::kDelivered);
  expect_delivered({row("b", 1)});
  EXPECT_TRUE(finish());
  EXPECT_EQ(list("a"), Names{"part.csv.part"});
  EXPECT_EQ(list("b"), Names{"part.csv"});
  close();
  other.close();
  EXPECT_EQ(content("a/part.csv"), "other\n");
}

TEST_F(PartitionsTest, its_folder_is_not_made_where_something_is_to_be_mounted) {
  options_.set("path", dir_ / "stick/{site}/part.csv");
  const WriteFormat* csv = find_write_format("csv");
  harness_ = std::make_unique<SinkHarness>(csv);
  EXPECT_EQ(harness_->start(kFileSink, options_).error().kind(), ErrorKind::kUnavailable);
  kill();
}

TEST_F(PartitionsTest, a_path_with_fields_takes_records) {
  EXPECT_EQ(kFileSink.takes(options_), Consumes::kRecords);
  options_.set("path", dir_ / "part.csv");
  EXPECT_EQ(kFileSink.takes(options_), Consumes::kSlices);
}

TEST_F(PartitionsTest, what_is_wrong_with_the_path_is_said_with_its_place) {
  options_.set("path", std::string("/x/{"));
  EXPECT_EQ(kFileSink.make(options_).error().message(),
            "pipelines[0].sink.path: a \"{\" is not closed");
  options_.set("path", std::string("/x/y"));
  options_.set("successFile", true);
  EXPECT_EQ(kFileSink.make(options_).error().message(),
            "pipelines[0].sink.successFile: needs a `path` with fields");
}

}  // namespace
}  // namespace testing
}  // namespace leat
