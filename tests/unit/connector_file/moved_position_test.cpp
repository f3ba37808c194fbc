#include "connectors/file/moved_position.h"

#include <gtest/gtest.h>

#include <memory>

#include "connectors/file/stream.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using testing::write_file;
using To = PositionTarget::To;

class MovedPositionTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "app.log"; }
  // What is saved of the file when it is read up to there.
  SavedPosition saved_at(uint64_t offset) {
    auto file = *InputFile::open(path(), Compression::kAuto);
    ResumePoint point;
    point.path = path();
    point.identity = file->identity();
    point.offset = offset;
    point.line = 7;
    point.before = file->hash_before(offset);
    return to_saved(point);
  }
  // The offset it goes to, when the file is as that says then.
  uint64_t moved(const SavedPosition& saved, const PositionTarget& target) {
    auto result = moved_position(saved, target);
    if (!result || !result->has_value()) return UINT64_MAX;
    ResumePoint point;
    EXPECT_TRUE(from_saved((*result)->position, point));
    EXPECT_TRUE(still_holds(**InputFile::open(path(), Compression::kAuto), point));
    EXPECT_EQ(point.offset, (*result)->to);
    EXPECT_EQ(point.line, 0U);
    return point.offset;
  }

  testing::TempDir folder_;
};

TEST_F(MovedPositionTest, goes_to_the_start_the_end_and_the_beginning_of_a_line) {
  write_file(path(), "one\ntwo\nthree\nfo");
  const SavedPosition saved = saved_at(8);
  EXPECT_EQ(moved(saved, {}), 0U);
  EXPECT_EQ(moved(saved, {.to = To::kEnd}), 14U) << "the last line may not be whole";
  EXPECT_EQ(moved(saved, {.to = To::kOffset, .offset = 6}), 4U);
  EXPECT_EQ(moved(saved, {.to = To::kOffset, .offset = 4}), 4U);
  EXPECT_EQ(moved(saved, {.to = To::kOffset, .offset = 2}), 0U);
  EXPECT_EQ(moved(saved, {.to = To::kOffset, .offset = 1'000}), 14U);
}

TEST_F(MovedPositionTest, only_that_of_the_file_that_is_named) {
  write_file(path(), "one\n");
  EXPECT_EQ(moved(saved_at(4), {.file = path()}), 0U);
  EXPECT_EQ(moved(saved_at(4), {.file = "/other"}), UINT64_MAX);
  EXPECT_FALSE(moved_position({"seed 1", "5"}, {})->has_value()) << "of another source";
}

TEST_F(MovedPositionTest, a_file_that_is_another_by_now_has_no_such_place) {
  write_file(path(), "one\ntwo\n");
  const SavedPosition saved = saved_at(8);
  write_file(path(), "1\n2\n3\n4\n5\n");
  EXPECT_FALSE(moved_position(saved, {.to = To::kEnd}));
  EXPECT_TRUE(moved_position(saved, {})) << "but a start";
}

TEST_F(MovedPositionTest, of_a_file_that_is_gone_nothing_is_kept_at_the_start) {
  write_file(path(), "one\n");
  const SavedPosition saved = saved_at(4);
  std::filesystem::remove(path());
  auto start = moved_position(saved, {});
  ASSERT_TRUE(start && start->has_value());
  EXPECT_EQ((*start)->position.value, "");
  EXPECT_FALSE(moved_position(saved, {.to = To::kEnd}));
}

}  // namespace
}  // namespace leat
