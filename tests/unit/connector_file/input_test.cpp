// The parts of the source: files as they are opened, read, recognised, and cut into records.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "connectors/file/input_file.h"
#include "connectors/file/stream.h"
#include "support/temp_dir.h"

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
      InputFile::Read got = file.gzip() ? file.read(buffer, sizeof buffer)
                                        : file.read_at(out.size(), buffer, sizeof buffer);
      if (!got.status) out += "<" + got.status.error().message() + ">";
      if (got.bytes == 0) return out;
      out.append(buffer, got.bytes);
    }
  }
  // As the source has it when it has read the first `offset` bytes.
  InputStream read_until(const std::string& name, uint64_t offset) {
    std::shared_ptr<InputFile> file = open(name);
    InputStream stream;
    stream.path = folder_ / name;
    stream.identity = file->identity();
    stream.offset = offset;
    stream.before = file->hash_before(offset);
    stream.note_place(stream.offset, stream.before);
    return stream;
  }
  void write_gzip(const std::string& name, const std::string& text, const char* mode = "wb") {
    gzFile file = gzopen((folder_ / name).c_str(), mode);
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }
  void append(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::app) << bytes;
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

TEST_F(InputTest, goes_on_at_an_offset_of_the_inflated_content) {
  write_gzip("packed", "0123456789");
  std::shared_ptr<InputFile> file = open("packed");
  ASSERT_TRUE(file->skip_to(6));
  EXPECT_EQ(read_all(*file), "6789");
  EXPECT_EQ(file->offset(), 10U);
}

TEST_F(InputTest, zeros_behind_gzip_data_are_passed_over_and_other_things_are_damage) {
  write_gzip("packed", "hello ");
  append("packed", std::string(100'000, '\0'));
  EXPECT_EQ(read_all(*open("packed")), "hello ");
  write_gzip("packed", "records", "ab");
  EXPECT_EQ(read_all(*open("packed")), "hello records");
  append("packed", std::string(3, '\0') + "x");
  const std::string got = read_all(*open("packed"));
  EXPECT_TRUE(got.starts_with("hello records")) << got;
  EXPECT_NE(got.find("<"), std::string::npos) << got;
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
  InputStream stream = read_until("a", 12);
  ResumePoint point;
  ASSERT_TRUE(from_saved(to_saved(stream, {1, 12, 2, false}), point));
  EXPECT_EQ(point.offset, 12U);
  EXPECT_EQ(point.line, 2U);

  std::filesystem::rename(folder_ / "a", folder_ / "b");
  EXPECT_TRUE(still_holds(*open("b"), point));
  write_file(folder_ / "b", "ts,temp\n1,2\n3,4\n5,6\n");  // grown
  EXPECT_TRUE(still_holds(*open("b"), point));
  write_file(folder_ / "b", "ts,temp\n9,9\n3,4\n");  // the same inode and header, other rows
  EXPECT_FALSE(still_holds(*open("b"), point));
  write_file(folder_ / "b", "ts");
  EXPECT_FALSE(still_holds(*open("b"), point));
  write_file(folder_ / "a", "ts,temp\n1,2\n3,4\n");  // the same content, another file
  EXPECT_FALSE(still_holds(*open("a"), point));
}

TEST_F(InputTest, a_new_file_with_the_inode_of_a_deleted_one_is_another_one) {
  write_file(folder_ / "a", "one\ntwo\n");
  ReadSoFar read = read_until("a", 4);
  if (read.identity.birth_us == 0) GTEST_SKIP() << "this file system does not keep birth times";
  EXPECT_TRUE(still_holds(*open("a"), read));
  read.identity.birth_us -= 1'000'000;  // the one that was read was made before
  EXPECT_FALSE(still_holds(*open("a"), read));
  read.identity.birth_us = 0;  // an older version did not save it
  EXPECT_TRUE(still_holds(*open("a"), read));
}

TEST_F(InputTest, a_saved_position_does_not_depend_on_the_present_name) {
  write_file(folder_ / "a", "one\ntwo\n");
  InputStream stream = read_until("a", 8);
  SavedPosition before = to_saved(stream, {1, 4, 1, false});
  std::filesystem::rename(folder_ / "a", folder_ / "b");
  stream.rename(folder_ / "b");
  SavedPosition after = to_saved(stream, {1, 4, 1, false});
  EXPECT_EQ(after.partition, before.partition);
  EXPECT_EQ(after.value, before.value);

  ResumePoint point;  // nor does it with the process that takes the file up under that name
  ASSERT_TRUE(from_saved(before, point));
  InputStream again = read_until("b", 8);
  again.resume(point);
  EXPECT_EQ(to_saved(again, {1, 4, 1, false}).value, before.value);
}

TEST_F(InputTest, a_saved_position_is_the_same_after_the_file_was_cut) {
  write_file(folder_ / "a", "one\ntwo\n");
  InputStream stream = read_until("a", 8);
  std::string middle = to_saved(stream, {1, 4, 1, false}).value;
  std::string end = to_saved(stream, {1, 8, 2, false}).value;
  write_file(folder_ / "a", "one\nthree\nfour\n");
  EXPECT_EQ(to_saved(stream, {1, 4, 1, false}).value, middle);
  EXPECT_EQ(to_saved(stream, {1, 8, 2, false}).value, end);
}

TEST_F(InputTest, a_position_that_is_asked_for_too_late_does_not_vouch_for_the_new_content) {
  write_file(folder_ / "a", "one\ntwo\n");
  InputStream stream = read_until("a", 8);
  write_file(folder_ / "a", "one\nthree\nfour\n");
  ResumePoint point;
  ASSERT_TRUE(from_saved(to_saved(stream, {1, 4, 1, false}), point));
  EXPECT_FALSE(still_holds(*open("a"), point));
}

TEST_F(InputTest, positions_of_older_versions_are_understood) {
  write_file(folder_ / "a", "one\ntwo\n");
  ReadSoFar read = read_until("a", 4);
  std::string partition = read.identity.text();
  if (read.identity.birth_us != 0) partition.resize(partition.rfind(':'));
  char hash[20];
  std::snprintf(hash, sizeof hash, "%llx", static_cast<unsigned long long>(read.before));
  std::string value = "{\"path\":\"/var/a\",\"offset\":\"4\",\"line\":\"1\",\"before\":\"" +
                      std::string(hash) + "\"}";
  ResumePoint point;
  ASSERT_TRUE(from_saved({partition, value}, point));
  EXPECT_TRUE(still_holds(*open("a"), point));
  EXPECT_EQ(point.path, "/var/a");
}

TEST_F(InputTest, positions_of_other_sources_are_not_taken_for_files) {
  ResumePoint point;
  EXPECT_FALSE(from_saved({"seed 7", "12"}, point));
  EXPECT_FALSE(from_saved({"1:2:zz", "{}"}, point));
  EXPECT_FALSE(from_saved({"1:2:ff", "not json"}, point));
}

// Lines, as a framing of its own: the codecs are not linked here.
class Lines final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    size_t newline = bytes.rfind('\n');
    return newline == std::string_view::npos ? 0 : newline + 1;
  }
  std::string_view terminator() const override { return "\n"; }
  Status split(Batch& /*batch*/, DeadLetters& /*dead*/) const override { return {}; }
};

// The same for characters of two bytes.
class WideLines final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    size_t end = 0;
    for (size_t next = behind_line(bytes, 0); next != std::string_view::npos;
         next = behind_line(bytes, end))
      end = next;
    return end;
  }
  std::string_view terminator() const override { return {"\n\0", 2}; }
  size_t unit() const override { return 2; }
  size_t behind_line(std::string_view bytes, size_t from) const override {
    for (size_t at = from; at + 2 <= bytes.size(); at += 2)
      if (bytes[at] == '\n' && bytes[at + 1] == '\0') return at + 2;
    return std::string_view::npos;
  }
  Status split(Batch& /*batch*/, DeadLetters& /*dead*/) const override { return {}; }
};

class CutTest : public InputTest {
 protected:
  Pieces cut(bool end, size_t max_record = 1000, const Framing& framing = Lines()) {
    buffer_ = text_ + std::string(framing.terminator().size(), '\0');
    return cut_records(stream_, 0, {buffer_.data(), text_.size()}, end, framing, max_record);
  }
  // Each byte, and a zero behind it.
  static std::string wide(std::string_view text) {
    std::string out;
    for (char c : text) (out += c) += '\0';
    return out;
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
  Pieces pieces = cut(false);
  EXPECT_EQ(whole(pieces), "one\ntwo\n");
  EXPECT_EQ(pieces.done, 8U);
}

TEST_F(CutTest, completes_the_last_line_at_the_end) {
  text_ = "one\ntwo";
  Pieces pieces = cut(true);
  EXPECT_EQ(whole(pieces), "one\ntwo\n");
  EXPECT_EQ(pieces.done, 7U);
}

TEST_F(CutTest, says_when_the_last_line_had_no_end) {
  text_ = "one\ntwo\n";
  cut(true);
  EXPECT_FALSE(stream_.unended);
  text_ = "one\ntwo";
  cut(false);
  EXPECT_FALSE(stream_.unended) << "more may come";
  cut(true);
  EXPECT_TRUE(stream_.unended);
}

TEST_F(CutTest, takes_the_rest_of_a_line_that_was_given_on_for_no_record) {
  stream_.unended = true;
  text_ = ",b";
  EXPECT_EQ(cut(false).done, 0U) << "its end may come";
  EXPECT_TRUE(stream_.unended);
  Pieces pieces = cut(true);
  EXPECT_EQ(pieces.rest_of_line, ",b");
  EXPECT_EQ(whole(pieces), "");
  EXPECT_TRUE(stream_.unended);
  text_ = ",b\nnext\n";
  pieces = cut(false);
  EXPECT_EQ(pieces.rest_of_line, ",b\n");
  EXPECT_EQ(whole(pieces), "next\n");
  EXPECT_EQ(pieces.offset, 3U);
  EXPECT_FALSE(stream_.unended);
}

TEST_F(CutTest, knows_that_a_line_that_was_too_long_is_not_over_with_the_file) {
  text_ = std::string(50, 'x');
  cut(false, 20);
  cut(true, 20);
  EXPECT_TRUE(stream_.unended);
  EXPECT_FALSE(stream_.given_up.going_on);
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
  EXPECT_TRUE(stream_.given_up.going_on);
  text_ = std::string(10, 'x') + "\ntwo\n";
  pieces = cut(false, 20);
  EXPECT_EQ(whole(pieces), "two\n");
  EXPECT_EQ(pieces.offset, 11U);
  EXPECT_FALSE(stream_.given_up.going_on);
}

// What lay behind it was read when the file had grown.
TEST_F(CutTest, says_that_there_is_more_behind_a_line_that_is_too_long) {
  text_ = "one\n" + std::string(50, 'x') + "\ntwo\n";
  for (bool end : {false, true}) {
    Pieces pieces = cut(end, 20);
    EXPECT_EQ(whole(pieces), "one\n");
    EXPECT_EQ(pieces.too_long, std::string(50, 'x') + "\n");
    EXPECT_EQ(pieces.done, 55U);
    EXPECT_TRUE(pieces.more);
    EXPECT_FALSE(stream_.given_up.going_on || stream_.unended);
  }
}

TEST_F(CutTest, gives_up_a_last_line_that_is_too_long_and_has_no_end) {
  text_ = "one\n" + std::string(50, 'x');
  Pieces pieces = cut(true, 20);
  EXPECT_EQ(whole(pieces), "one\n");
  EXPECT_EQ(pieces.too_long.size(), 50U);
  EXPECT_EQ(pieces.done, text_.size());
  EXPECT_FALSE(pieces.more || stream_.given_up.going_on);
  EXPECT_TRUE(stream_.unended);
}

TEST_F(CutTest, of_characters_of_two_bytes_none_is_cut) {
  text_ = wide("one\n") + wide(std::string(25, 'x')) + 'x';
  Pieces pieces = cut(false, 21, WideLines());
  EXPECT_EQ(whole(pieces), wide("one\n"));
  EXPECT_EQ(pieces.too_long.size(), 50U);
  EXPECT_TRUE(stream_.given_up.going_on);
  text_ = wide("x\ntwo\nthree");
  pieces = cut(true, 21, WideLines());
  EXPECT_EQ(whole(pieces), wide("two\nthree\n"));
  EXPECT_EQ(pieces.offset, 4U);
  EXPECT_EQ(pieces.done, text_.size());
  EXPECT_TRUE(stream_.unended);
  text_ = wide("!\nnext\n");
  pieces = cut(false, 21, WideLines());
  EXPECT_EQ(pieces.rest_of_line, wide("!\n"));
  EXPECT_EQ(whole(pieces), wide("next\n"));
}

}  // namespace
}  // namespace leat
