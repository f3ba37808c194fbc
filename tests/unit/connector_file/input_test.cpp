// The parts of the source: files as they are opened, read, recognised, and cut into records.
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>

#include "connectors/file/input_file.h"
#include "connectors/file/paths.h"
#include "connectors/file/stream.h"
#include "sink_harness.h"

namespace leat {
namespace {

using testing::TempDir;
using testing::write_file;

class InputTest : public ::testing::Test {
 protected:
  std::shared_ptr<InputFile> open(const std::string& name) {
    Result<std::shared_ptr<InputFile>> file = InputFile::open(folder_ / name, Compression::kAuto);
    EXPECT_TRUE(file) << file.error().message();
    return *file;
  }
  static std::string read_all(InputFile& file) {
    std::string out;
    char buffer[7];
    while (true) {
      InputFile::Read got = file.read(buffer, sizeof buffer);
      if (!got.status) out += "<" + got.status.error().message() + ">";
      if (got.bytes == 0) return out;
      out.append(buffer, got.bytes);
    }
  }
  void write_gzip(const std::string& name, const std::string& text, const char* mode = "wb") {
    gzFile file = gzopen((folder_ / name).c_str(), mode);
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }
  TempDir folder_;
};

TEST_F(InputTest, reads_plain_and_gzip_alike) {
  write_file(folder_ / "plain", "hello records");
  write_gzip("packed", "hello ");
  write_gzip("packed", "records", "ab");  // a second member
  EXPECT_EQ(read_all(*open("plain")), "hello records");
  EXPECT_EQ(read_all(*open("packed")), "hello records");
}

TEST_F(InputTest, goes_on_at_an_offset_of_the_content) {
  write_file(folder_ / "plain", "0123456789");
  write_gzip("packed", "0123456789");
  for (const char* name : {"plain", "packed"}) {
    std::shared_ptr<InputFile> file = open(name);
    ASSERT_TRUE(file->skip_to(6));
    EXPECT_EQ(read_all(*file), "6789") << name;
    EXPECT_EQ(file->offset(), 10U);
  }
}

TEST_F(InputTest, says_once_that_gzip_data_ends_in_the_middle) {
  write_gzip("packed", std::string(1000, 'x'));
  std::filesystem::resize_file(folder_ / "packed", 20);
  std::string got = read_all(*open("packed"));
  EXPECT_NE(got.find("ends in the middle"), std::string::npos) << got;
}

TEST_F(InputTest, a_folder_and_a_fifo_are_refused_with_advice) {
  std::filesystem::create_directory(folder_ / "sub");
  Result<std::shared_ptr<InputFile>> folder = InputFile::open(folder_ / "sub", Compression::kAuto);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message().find("/sub/*"), std::string::npos);
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(InputFile::open(folder_ / "fifo", Compression::kAuto));
}

TEST_F(InputTest, a_file_is_recognised_under_another_name_and_not_after_a_change) {
  write_file(folder_ / "a", "ts,temp\n1,2\n3,4\n");
  InputStream stream;
  stream.path = folder_ / "a";
  stream.file = open("a");
  stream.identity = stream.file->identity();
  ResumePoint point;
  ASSERT_TRUE(from_saved(to_saved(stream, {1, 12, 2, false}), point));
  EXPECT_EQ(point.offset, 12U);
  EXPECT_EQ(point.line, 2U);

  std::filesystem::rename(folder_ / "a", folder_ / "b");
  EXPECT_TRUE(is_same_file(*open("b"), point));
  write_file(folder_ / "b", "ts,temp\n1,2\n3,4\n5,6\n");  // grown
  EXPECT_TRUE(is_same_file(*open("b"), point));
  write_file(folder_ / "b", "ts,temp\n9,9\n3,4\n");  // the same inode and header, other rows
  EXPECT_FALSE(is_same_file(*open("b"), point));
  write_file(folder_ / "b", "ts");
  EXPECT_FALSE(is_same_file(*open("b"), point));
  write_file(folder_ / "a", "ts,temp\n1,2\n3,4\n");  // the same content, another file
  EXPECT_FALSE(is_same_file(*open("a"), point));
}

TEST_F(InputTest, positions_of_other_sources_are_not_taken_for_files) {
  ResumePoint point;
  EXPECT_FALSE(from_saved({"seed 7", "12"}, point));
  EXPECT_FALSE(from_saved({"1:2:zz", "{}"}, point));
  EXPECT_FALSE(from_saved({"1:2:ff", "not json"}, point));
}

TEST_F(InputTest, globs_are_expanded_in_order_without_duplicates_and_folders) {
  for (const char* name : {"b.log", "a.log", "c.txt"}) write_file(folder_ / name, "");
  std::filesystem::create_directory(folder_ / "d.log");
  std::vector<std::string> got =
      expand({folder_ / "c.txt", folder_ / "*.log", folder_ / "a.log", folder_ / "missing"});
  EXPECT_EQ(got, (std::vector<std::string>{folder_ / "c.txt", folder_ / "a.log", folder_ / "b.log",
                                           folder_ / "missing"}));
}

TEST_F(InputTest, every_folder_that_could_hold_a_match_is_watched) {
  std::filesystem::create_directories(folder_ / "x/logs");
  std::filesystem::create_directories(folder_ / "y");
  EXPECT_EQ(
      folders_to_watch({folder_ / "*/logs/*.log"}),
      (std::set<std::string>{folder_.path(), folder_ / "x", folder_ / "x/logs", folder_ / "y"}));
  EXPECT_EQ(folders_to_watch({folder_ / "y/deep/er/a.log"}),
            (std::set<std::string>{folder_ / "y"}));
}

// Lines, as a framing of its own: the codecs are not linked here.
class Lines final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    size_t newline = bytes.rfind('\n');
    return newline == std::string_view::npos ? 0 : newline + 1;
  }
  std::string_view terminator() const override { return "\n"; }
  void split(Batch& /*batch*/) const override {}
};

class CutTest : public InputTest {
 protected:
  // Reads the whole file into one buffer and cuts it.
  Pieces cut(bool end, size_t max_record = 1000) {
    write_file(folder_ / "f", text_);
    stream_.file = open("f");
    buffer_.assign(text_.size() + 1, '\0');
    size_t n = stream_.file->read(buffer_.data(), text_.size()).bytes;
    return cut_records(stream_, {buffer_.data(), n}, end, Lines(), max_record);
  }
  static std::string whole(const Pieces& pieces) {
    return {pieces.whole.data(), pieces.whole.size()};
  }
  std::string text_;
  std::string buffer_;
  InputStream stream_;
};

TEST_F(CutTest, keeps_an_incomplete_line_for_the_next_read) {
  text_ = "one\ntwo\nthr";
  EXPECT_EQ(whole(cut(false)), "one\ntwo\n");
  EXPECT_EQ(stream_.carry, "thr");
}

TEST_F(CutTest, completes_the_last_line_at_the_end) {
  text_ = "one\ntwo";
  EXPECT_EQ(whole(cut(true)), "one\ntwo\n");
  EXPECT_EQ(stream_.carry, "");
}

TEST_F(CutTest, drops_a_byte_order_mark_at_the_start_only) {
  text_ = "\xEF\xBB\xBFone\n\xEF\xBB\xBF\n";
  Pieces pieces = cut(false);
  EXPECT_EQ(whole(pieces), "one\n\xEF\xBB\xBF\n");
  EXPECT_EQ(pieces.offset, 3U);
}

TEST_F(CutTest, gives_up_a_line_that_is_too_long_and_goes_on_behind_it) {
  text_ = "one\n" + std::string(50, 'x');
  Pieces pieces = cut(false, 20);
  EXPECT_EQ(whole(pieces), "one\n");
  EXPECT_EQ(pieces.too_long.size(), 50U);
  EXPECT_TRUE(stream_.skipping);
  text_ = std::string(10, 'x') + "\ntwo\n";
  pieces = cut(false, 20);
  EXPECT_EQ(whole(pieces), "two\n");
  EXPECT_EQ(pieces.offset, 11U);
  EXPECT_FALSE(stream_.skipping);
}

}  // namespace
}  // namespace leat
