// What an operator asks of a journal, and what is in it afterwards.
#include "tools/operations.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <stdexcept>

#include "spool/spool_format.h"
#include "support/hand_loop.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

constexpr int64_t kNoon = 1'760'000'000'000'000;  // 2025-10-09T08:53:20Z
constexpr int64_t kMinute = 60'000'000;

class OperationsTest : public ::testing::Test {
 protected:
  OperationsTest() { open(); }

  std::string path() const { return folder_ / "journal.db"; }
  void open() {
    journal_.reset();
    auto opened = JournalDatabase::open(path(), loop_.clock());
    if (!opened) throw std::runtime_error(opened.error().message());
    journal_ = std::move(*opened);
  }
  void save(std::vector<SavedPosition> positions, const std::string& pipeline = "p") {
    ASSERT_TRUE(journal_->begin(false));
    for (const SavedPosition& one : positions) ASSERT_TRUE(journal_->save(pipeline, one));
    ASSERT_TRUE(journal_->commit());
  }
  // A batch of lines that arrived then.
  void spool(std::vector<std::string> lines, int64_t arrived_us,
             const std::string& pipeline = "p") {
    Budget budget(SIZE_MAX / 2);
    BlockPool pool(budget, 0);
    BatchRef batch = BatchRef::make(pool, Content::kSlices);
    batch->arrival_us = arrived_us;
    for (const std::string& line : lines)
      batch->slices.push_back({line.data(), static_cast<uint32_t>(line.size()), 0, 0});
    const auto count = static_cast<uint32_t>(lines.size());
    const Part part{batch, 0, count};
    ASSERT_TRUE(journal_->begin(false));
    if (!journal_->spool().opened().contains(pipeline)) {
      ASSERT_TRUE(journal_->spool().open(pipeline));
    }
    SpoolRow row;
    row.first = ends_[pipeline];
    row.records = count;
    row.content = write_spooled(std::span(&part, 1), {.format = "json\n", .origin = "here"});
    ends_[pipeline] += count;
    ASSERT_TRUE(journal_->append(pipeline, row, {}));
    ASSERT_TRUE(journal_->commit(true));
  }
  std::string ask(const std::string& name, OperationRequest request) {
    const Operation* operation = find_operation(name);
    if (operation == nullptr) return "no such operation";
    if (request.now_us == 0) request.now_us = kNoon + 60 * kMinute;
    if (operation->transaction && !journal_->begin(true)) return "no transaction";
    Result<std::string> answer = operation->run(journal_, request);
    if (operation->transaction && answer && !journal_->commit()) return "no commit";
    if (operation->transaction && !answer) journal_->rollback();
    ordered_ = request.ordered;
    return answer ? *answer : answer.error().message();
  }
  std::string saved() {
    std::string out;
    Result<std::vector<SavedPosition>> all = journal_->load("p");
    for (const SavedPosition& one : *all)
      out += (out.empty() ? "" : " ") + one.partition.substr(0, 6) + "=" + one.value;
    return out;
  }
  OperationRequest drop(const std::string& before_us, bool at_once = true) {
    OperationRequest out{.pipeline = "p", .at_once = at_once};
    out.parameters[before_us.empty() ? "all" : "before"] = before_us.empty() ? "1" : before_us;
    return out;
  }

  testing::TempDir folder_;
  testing::HandLoop loop_;
  std::unique_ptr<JournalDatabase> journal_;
  std::map<std::string, uint64_t> ends_;
  bool ordered_ = false;
};

TEST_F(OperationsTest, a_pipeline_that_nobody_knows_is_a_mistake_in_the_name) {
  spool({"1\n"}, kNoon);
  save({{"file", "7"}}, "q");
  for (const char* question : {"spool", "positions"}) {
    EXPECT_EQ(ask(question, {.pipeline = "pp"}), "the journal knows no pipeline \"pp\"");
    for (const char* known : {"", "p", "q"})
      EXPECT_TRUE(ask(question, {.pipeline = known}).starts_with("{")) << known;
    OperationRequest configured{.pipeline = "new"};
    configured.configured["new"] = {};
    EXPECT_TRUE(ask(question, configured).ends_with(":[]}\n"));
  }
}

TEST_F(OperationsTest, a_time_that_lies_in_the_future_or_is_none_drops_nothing) {
  spool({"1\n"}, kNoon);
  for (const char* future : {"1760003600000001", "1760000000000000000", "9223372036854775807"})
    EXPECT_EQ(ask("spool/drop", drop(future)),
              "before: that lies in the future; say all where all is meant");
  for (const char* none : {"99999999999999999999", "-1", "12x", "noon"})
    EXPECT_TRUE(ask("spool/drop", drop(none)).starts_with("before: microseconds")) << none;
  EXPECT_NE(ask("spool", {}).find("\"records\":1"), std::string::npos);
}

TEST_F(OperationsTest, spools_are_listed_with_what_is_not_delivered_of_them) {
  EXPECT_EQ(ask("spool", {}), "{\"spools\":[]}\n");
  spool({"1\n", "2\n", "3\n"}, kNoon);
  spool({"4\n"}, kNoon + kMinute);
  spool({"x\n"}, kNoon, "q");
  save({{"spool:" + journal_->spool().epoch("p"), "2"}});
  OperationRequest known;
  known.configured["p"] = {.max_spool = 4096};
  std::string all = ask("spool", known);
  EXPECT_NE(all.find("{\"pipeline\":\"p\",\"records\":2,\"batches\":2,\"bytes\":"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("\"oldest\":\"2025-10-09T08:53:20Z\",\"maxBytes\":4096}"), std::string::npos)
      << all;
  EXPECT_NE(all.find("{\"pipeline\":\"q\",\"records\":1,"), std::string::npos) << all;
  EXPECT_EQ(ask("spool", {.pipeline = "q"}).find("\"p\""), std::string::npos);
}

TEST_F(OperationsTest, records_of_a_spool_come_a_batch_at_a_time) {
  spool({"1\n", "2\n"}, kNoon);
  spool({"\xff\n"}, 0);
  OperationRequest first{.pipeline = "p", .parameters = {{"from", "1"}}};
  EXPECT_EQ(
      ask("spool/records", first),
      "{\"number\":1,\"arrived\":\"2025-10-09T08:53:20Z\",\"format\":\"json\",\"raw\":\"2\"}\n");
  OperationRequest second{.pipeline = "p", .parameters = {{"from", "2"}}};
  EXPECT_EQ(ask("spool/records", second),
            "{\"number\":2,\"format\":\"json\",\"rawBase64\":\"/w==\"}\n");
  OperationRequest behind{.pipeline = "p", .parameters = {{"from", "3"}}};
  EXPECT_EQ(ask("spool/records", behind), "");
  EXPECT_EQ(ask("spool/records", {.pipeline = "other"}),
            "the journal has no spool of a pipeline \"other\"");
}

TEST_F(OperationsTest, what_is_delivered_is_not_shown) {
  spool({"1\n", "2\n"}, 0);
  save({{"spool:" + journal_->spool().epoch("p"), "1"}});
  EXPECT_EQ(ask("spool/records", {.pipeline = "p"}),
            "{\"number\":1,\"format\":\"json\",\"raw\":\"2\"}\n");
}

TEST_F(OperationsTest, a_damaged_batch_is_shown_as_such_and_found_by_verify) {
  spool({"1\n", "2\n"}, kNoon);
  spool({"3\n"}, kNoon);
  std::string sound = ask("journal/verify", {});
  EXPECT_TRUE(sound.starts_with("{\"ok\":true,")) << sound;
  ASSERT_EQ(sqlite3_exec(journal_->handle(),
                         "UPDATE spool SET batch = substr(batch, 1, length(batch) - 1) || x'00'"
                         " WHERE records = 2",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  std::string shown = ask("spool/records", {.pipeline = "p"});
  EXPECT_TRUE(shown.starts_with("{\"number\":0,\"records\":2,\"damaged\":")) << shown;
  std::string verified = ask("journal/verify", {});
  EXPECT_TRUE(verified.starts_with("{\"ok\":false,")) << verified;
  EXPECT_NE(verified.find("spooled batch at record 0 (p): its checksum is wrong"),
            std::string::npos)
      << verified;
}

TEST_F(OperationsTest, what_arrived_before_a_time_goes_in_whole_batches) {
  spool({"1\n"}, kNoon);
  spool({"2\n"}, kNoon + kMinute);
  spool({"3\n"}, kNoon + 10 * kMinute);
  std::string done = ask("spool/drop", drop(std::to_string(kNoon + 5 * kMinute)));
  EXPECT_NE(done.find("\"records\":1,"), std::string::npos)
      << "the second may hold what arrived later: " << done;
  done = ask("spool/drop", drop(std::to_string(kNoon + 20 * kMinute)));
  EXPECT_NE(done.find("\"records\":2,"), std::string::npos) << done;
  EXPECT_FALSE(ordered_);
  EXPECT_EQ(ask("spool", {}), "{\"spools\":[]}\n");
  EXPECT_EQ(saved(), "spool:=3") << "their numbers are not used again";
}

TEST_F(OperationsTest, of_a_pipeline_that_may_run_what_is_there_now_is_marked_for_its_next_start) {
  spool({"1\n", "2\n"}, kNoon);
  std::string done = ask("spool/drop", drop("", false));
  EXPECT_NE(done.find("\"records\":2,"), std::string::npos) << done;
  EXPECT_TRUE(ordered_);
  EXPECT_EQ(saved(), "drop:=2");
  EXPECT_NE(ask("spool", {}).find("\"records\":2,"), std::string::npos);
}

TEST_F(OperationsTest, nothing_is_dropped_without_saying_what) {
  spool({"1\n"}, kNoon);
  EXPECT_EQ(ask("spool/drop", {.pipeline = "p"}),
            "say what to drop: all, or what arrived before a time");
}

TEST_F(OperationsTest, positions_are_listed_with_what_is_ordered_of_them) {
  save({{"f1", "80"}});
  EXPECT_EQ(ask("positions/reset", {.pipeline = "p", .parameters = {{"to", "end"}}}),
            "{\"pipeline\":\"p\",\"to\":\"end\"}\n");
  EXPECT_TRUE(ordered_);
  EXPECT_EQ(
      ask("positions", {}),
      "{\"positions\":[{\"pipeline\":\"p\",\"partition\":\"f1\",\"value\":\"80\","
      "\"saved\":\"2025-10-09T08:53:20Z\"},{\"pipeline\":\"p\",\"resetOf\":\"\",\"to\":\"end\","
      "\"saved\":\"2025-10-09T08:53:20Z\"}]}\n");
}

TEST_F(OperationsTest,
       positions_that_the_sink_keeps_are_marked_whether_the_journal_has_notes_or_not) {
  save({{"f1", "0"}});
  OperationRequest request;
  request.configured["p"] = {.sink_keeps = true};
  request.configured["q"] = {.sink_keeps = true};
  request.configured["r"] = {};
  EXPECT_EQ(ask("positions", request),
            "{\"positions\":[{\"pipeline\":\"p\",\"partition\":\"f1\",\"value\":\"0\","
            "\"saved\":\"2025-10-09T08:53:20Z\",\"keptBy\":\"sink\"},"
            "{\"pipeline\":\"q\",\"keptBy\":\"sink\"}]}\n");
}

TEST_F(OperationsTest, an_order_that_makes_no_sense_is_refused) {
  save({{"f1", "80"}});
  EXPECT_EQ(ask("positions/reset", {.pipeline = "p", .parameters = {{"to", "-1"}}}),
            "to: start, end, or an offset, found \"-1\"");
  EXPECT_EQ(ask("positions/reset",
                {.pipeline = "m", .configured = {{"m", {.max_spool = 1, .has_place = false}}}}),
            "m: its source has no place that it could go back to; it gets what its peer sends");
  EXPECT_EQ(ask("positions/reset", {.pipeline = "q"}),
            "the journal has no positions of a pipeline \"q\"");
  EXPECT_EQ(saved(), "f1=80");
}

TEST_F(OperationsTest, a_compacted_journal_is_smaller_and_goes_on_where_it_was) {
  save({{"f1", "80"}});
  std::string noise;
  uint64_t state = 1;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    noise += static_cast<char>('!' + (state >> 33) % 90);
  }
  spool({noise}, kNoon);
  spool({"2\n"}, kNoon);
  ASSERT_TRUE(journal_->begin(false));
  ASSERT_TRUE(journal_->remove("p", 1));
  ASSERT_TRUE(journal_->commit());
  const std::string epoch = journal_->spool().epoch("p");
  std::string done = ask("journal/compact", {});
  ASSERT_TRUE(done.starts_with("{\"before\":")) << done;
  EXPECT_LT(std::filesystem::file_size(path()), 20'000U);
  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(journal_->spool().epoch("p"), epoch);
  spool({"3\n"}, kNoon);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(ask("spool", {}).find("\"records\":2,"), std::string::npos);
    EXPECT_TRUE(ask("journal/verify", {}).starts_with("{\"ok\":true,"));
    EXPECT_TRUE(saved().starts_with("f1=80")) << saved();
    open();
  }
  for (const std::string& name : folder_.list())
    EXPECT_TRUE(name.find("damaged") == std::string::npos &&
                name.find("compact") == std::string::npos)
        << name;
}

TEST_F(OperationsTest, without_room_for_the_copy_the_journal_stays_as_it_is) {
  save({{"f1", "80"}});
  journal_->room().ask([] { return uint64_t{0}; });
  std::string done = ask("journal/compact", {});
  EXPECT_NE(done.find("; it takes "), std::string::npos) << done;
  EXPECT_EQ(saved(), "f1=80");
}

TEST_F(OperationsTest, a_look_changes_nothing_and_mends_nothing) {
  spool({"1\n"}, kNoon);
  journal_.reset();
  const std::string before = testing::read_file(path());
  {
    auto look = JournalDatabase::open_to_look(path(), loop_.clock());
    ASSERT_TRUE(look) << look.error().message();
    Result<std::string> found = verify_journal(**look);
    EXPECT_TRUE(found->starts_with("{\"ok\":true,")) << *found;
    EXPECT_FALSE(JournalDatabase::open(path(), loop_.clock())) << "two must never have it";
  }
  EXPECT_EQ(testing::read_file(path()), before);
  std::filesystem::remove(path() + "-wal");  // all of it is in the file
  std::string torn = before;
  for (size_t i = 1024; i < 1124; ++i) torn[i] = '\xff';
  testing::write_file(path(), torn);
  {
    auto look = JournalDatabase::open_to_look(path(), loop_.clock());
    ASSERT_TRUE(look) << look.error().message();
    Result<std::string> found = verify_journal(**look);
    EXPECT_TRUE(found->starts_with("{\"ok\":false,")) << *found;
  }
  EXPECT_EQ(testing::read_file(path()), torn);
}

TEST_F(OperationsTest, an_order_for_a_whole_pipeline_takes_the_place_of_those_for_its_files) {
  save({{"a", "7"}});
  auto order = [this](const std::string& to, const std::string& file) {
    OperationRequest out{.pipeline = "p", .parameters = {{"to", to}}};
    if (!file.empty()) out.parameters["file"] = file;
    ask("positions/reset", std::move(out));
  };
  order("5", "/a");
  order("6", "/b");
  order("start", "");
  EXPECT_EQ(saved(), "a=7 reset:=start");
  order("3", "/a");  // and one for a file changes that file's alone
  EXPECT_EQ(saved(), "a=7 reset:=start reset:=3");
}

}  // namespace
}  // namespace leat
