#include "connectors/file/turns.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

StreamRef file(const std::string& path, bool gzip = false) {
  auto stream = std::make_shared<InputStream>();
  stream->path = path;
  stream->probed = true;
  stream->gzip = gzip;
  return stream;
}

// All turns, until nobody wants one.
std::string taken(Turns& turns) {
  std::string out;
  while (StreamRef stream = turns.front()) {
    turns.take();
    out += stream->path + " ";
  }
  return out;
}

TEST(Turns, come_in_the_order_in_which_they_were_asked_for_and_once) {
  Turns turns;
  StreamRef a = file("a"), b = file("b");
  for (const StreamRef& one : {a, b, a}) turns.add(one);
  EXPECT_EQ(taken(turns), "a b ");
  turns.add(a);
  EXPECT_EQ(taken(turns), "a ") << "again, once it was taken";
}

TEST(Turns, one_that_came_to_nothing_is_the_next_again) {
  Turns turns;
  StreamRef a = file("a"), b = file("b");
  turns.add(a);
  turns.add(b);
  turns.take();
  turns.return_to_front(a);
  EXPECT_EQ(taken(turns), "a b ");
}

TEST(Turns, of_compressed_files_one_is_read_to_its_end_before_the_next_begins) {
  Turns turns;
  StreamRef first = file("1.gz", true), second = file("2.gz", true), plain = file("a");
  for (const StreamRef& one : {first, second, plain}) turns.add(one);
  EXPECT_EQ(taken(turns), "1.gz a ");
  turns.add(first);
  EXPECT_EQ(taken(turns), "1.gz ");
  first->ended = true;
  turns.ended(first);
  EXPECT_EQ(taken(turns), "2.gz ");
}

TEST(Turns, pass_over_what_has_ended_or_is_looked_for) {
  Turns turns;
  StreamRef ended = file("ended"), lost = file("lost"), a = file("a");
  for (const StreamRef& one : {ended, lost, a}) turns.add(one);
  ended->ended = lost->lost = true;
  EXPECT_EQ(taken(turns), "a ");
  turns.add(lost);
  EXPECT_EQ(taken(turns), "");
  lost->deleted = true;  // not found: what is open of it is read
  turns.add(lost);
  EXPECT_EQ(taken(turns), "lost ");
}

}  // namespace
}  // namespace leat
