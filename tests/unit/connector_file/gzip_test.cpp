// The file sink with "compression": "gzip".
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/sink_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SinkType kFileSink;

namespace testing {
namespace {

using Names = std::vector<std::string>;

class GzipTest : public ::testing::Test {
 protected:
  GzipTest() : options_(kFileSink.options, "pipelines[0].sink") {
    options_.set("path", dir_ / "out.csv.gz");
    options_.set("compression", std::string("gzip"));
    format_.record_end = RecordEnd::kNewline;
  }

  void deliver(const std::vector<std::string>& lines) {
    if (!harness_) {
      harness_ = std::make_unique<SinkHarness>(&format_);
      harness_->set_wrap({opening_, "", 0});
      Status opened = harness_->start(kFileSink, options_);
      ASSERT_TRUE(opened) << opened.error().message();
    }
    Answer answer = harness_->deliver(harness_->slices(lines));
    EXPECT_EQ(answer.outcome, Outcome::kDelivered) << answer.reason;
  }
  void close() {
    harness_->close();
    harness_.reset();
  }
  void kill() {
    harness_->kill();
    harness_.reset();
  }
  // As zlib's own reader reads it; "damaged" at the end when it does not like that.
  std::string unpacked(const std::string& name) {
    std::string out;
    gzFile file = gzopen((dir_ / name).c_str(), "rb");
    char chunk[4096];
    int n = 0;
    while ((n = gzread(file, chunk, sizeof chunk)) > 0) out.append(chunk, static_cast<size_t>(n));
    if (n < 0 || gzclose(file) != Z_OK) out += "damaged";
    return out;
  }
  // What a kill in the middle of a write leaves behind the last whole member.
  void tear(size_t bytes) {
    const std::string whole = read_file(dir_ / "out.csv.gz.part");
    std::ofstream(dir_ / "out.csv.gz.part", std::ios::binary | std::ios::app)
        << whole.substr(0, bytes);
  }

  TempDir dir_;
  std::string opening_ = "n\n";
  WriteFormat format_{};
  Options options_;
  std::unique_ptr<SinkHarness> harness_;
};

TEST_F(GzipTest, the_file_is_whole_after_each_delivery) {
  deliver({"1\n", "2\n"});
  EXPECT_EQ(unpacked("out.csv.gz.part"), "n\n1\n2\n");
  deliver({"3\n"});
  EXPECT_EQ(unpacked("out.csv.gz.part"), "n\n1\n2\n3\n");
  close();
  EXPECT_EQ(unpacked("out.csv.gz"), "n\n1\n2\n3\n");
}

TEST_F(GzipTest, a_large_delivery_becomes_smaller) {
  std::vector<std::string> lines;
  std::string all = opening_;
  for (int i = 0; i < 50'000; ++i) {
    lines.push_back(std::to_string(i) + ",some text that comes again\n");
    all += lines.back();
  }
  deliver(lines);
  close();
  EXPECT_TRUE(unpacked("out.csv.gz") == all);
  EXPECT_LT(std::filesystem::file_size(dir_ / "out.csv.gz"), all.size() / 5);
}

TEST_F(GzipTest, what_a_kill_tore_is_cut_off_and_the_file_gone_on_with) {
  deliver({"1\n"});
  kill();
  tear(15);
  deliver({"2\n"});
  close();
  EXPECT_EQ(dir_.list(), Names{"out.csv.gz"});
  EXPECT_EQ(unpacked("out.csv.gz"), "n\n1\n2\n");
}

TEST_F(GzipTest, without_attributes_it_is_cut_behind_its_last_whole_member) {
  std::string all = "n\n1\n";
  deliver({"1\n"});
  for (size_t torn = 1; torn < 20; ++torn) {  // less than the member of the opening
    kill();
    tear(torn);
    removexattr((dir_ / "out.csv.gz.part").c_str(), "user.leat.whole");
    deliver({"2\n"});
    all += "2\n";
    EXPECT_EQ(unpacked("out.csv.gz.part"), all) << torn;
  }
  close();
  EXPECT_EQ(unpacked("out.csv.gz"), all);
}

TEST_F(GzipTest, another_opening_begins_another_file) {
  deliver({"1\n"});
  kill();
  opening_ = "m\n";
  deliver({"2\n"});
  close();
  EXPECT_EQ(dir_.list(), (Names{"out-20251009T085320Z-0001.csv.gz", "out.csv.gz"}));
  EXPECT_EQ(unpacked("out.csv.gz"), "n\n1\n");
  EXPECT_EQ(unpacked("out-20251009T085320Z-0001.csv.gz"), "m\n2\n");
}

TEST_F(GzipTest, a_file_is_full_when_what_was_packed_is_that_large) {
  options_.set("rotate.bytes", int64_t{60});
  for (const char* line : {"1\n", "2\n", "3\n"}) deliver({line});
  close();
  EXPECT_EQ(dir_.list(),
            (Names{"out-20251009T085320Z-0001.csv.gz", "out-20251009T085320Z-0002.csv.gz"}));
  EXPECT_EQ(unpacked("out-20251009T085320Z-0001.csv.gz"), "n\n1\n2\n");
  EXPECT_EQ(unpacked("out-20251009T085320Z-0002.csv.gz"), "n\n3\n");
}

}  // namespace
}  // namespace testing
}  // namespace leat
