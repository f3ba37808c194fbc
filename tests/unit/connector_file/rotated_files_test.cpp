#include "connectors/file/rotated_files.h"

#include <gtest/gtest.h>

#include "support/hand_loop.h"

namespace leat {
namespace {

class RotatedFilesTest : public ::testing::Test {
 protected:
  StreamRef rotated(const std::string& path) {
    auto stream = std::make_shared<InputStream>();
    stream->path = path;
    stream->rotated = true;
    files_.add(stream);
    return stream;
  }
  // Whose last look came within this time.
  std::string looks(Milliseconds within) {
    looks_.clear();
    loop_.advance(within);
    return looks_;
  }

  testing::HandLoop loop_;
  std::string looks_;
  RotatedFiles files_{loop_, Milliseconds{5'000},
                      [this](const StreamRef& stream) { looks_ += stream->path + " "; }};
};

TEST_F(RotatedFilesTest, each_has_its_last_look_when_nothing_came_for_a_while) {
  StreamRef a = rotated("a");
  loop_.advance(Milliseconds{2'000});
  StreamRef b = rotated("b");
  EXPECT_EQ(looks(Milliseconds{2'999}), "");
  EXPECT_EQ(looks(Milliseconds{10}), "a ");
  EXPECT_TRUE(a->ending);
  EXPECT_EQ(looks(Milliseconds{60'000}), "b ") << "and only one";
}

TEST_F(RotatedFilesTest, one_that_still_grows_is_waited_for_anew) {
  StreamRef a = rotated("a");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(looks(Milliseconds{4'000}), "");
    files_.grew(*a);
  }
  EXPECT_EQ(looks(Milliseconds{5'010}), "a ");
  files_.grew(*a);  // at the last look
  EXPECT_FALSE(a->ending);
  EXPECT_EQ(looks(Milliseconds{5'010}), "a ");
}

TEST_F(RotatedFilesTest, one_that_has_ended_or_has_its_name_again_is_left_alone) {
  rotated("a")->ended = true;
  rotated("b")->rotated = false;
  EXPECT_EQ(looks(Milliseconds{60'000}), "");
}

}  // namespace
}  // namespace leat
