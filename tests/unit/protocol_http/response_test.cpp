#include "protocols/http/response.h"

#include <gtest/gtest.h>

namespace leat::http {
namespace {

class ResponseTest : public ::testing::Test {
 protected:
  // "complete", "more" or the error.
  std::string feed(std::string_view bytes) {
    Result<bool> complete = parser_.feed(bytes);
    if (!complete) return complete.error().message();
    return *complete ? "complete" : "more";
  }
  const Response& response() { return parser_.response(); }

  ResponseParser parser_;
};

TEST_F(ResponseTest, is_read_whole) {
  EXPECT_EQ(feed("HTTP/1.1 503 Service Unavailable\r\nRETRY-After: 7\r\nContent-Length: 4\r\n"
                 "Date: now\r\nLocation: /b\r\n\r\nbusy"),
            "complete");
  EXPECT_EQ(response().status, 503);
  EXPECT_EQ(response().reason, "Service Unavailable");
  EXPECT_EQ(response().retry_after, "7");
  EXPECT_EQ(response().date, "now");
  EXPECT_EQ(response().location, "/b");
  EXPECT_EQ(response().body_start, "busy");
  EXPECT_TRUE(parser_.keep_alive());
}

TEST_F(ResponseTest, is_read_byte_by_byte) {
  std::string text =
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 12\r\nX-Retry-After: 99\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n1\r\nw\r\n0\r\n\r\n";
  for (size_t i = 0; i + 1 < text.size(); ++i) ASSERT_EQ(feed(text.substr(i, 1)), "more") << i;
  EXPECT_EQ(feed("\n"), "complete");
  EXPECT_EQ(response().retry_after, "12");
  EXPECT_EQ(response().body_start, "now");
  EXPECT_TRUE(parser_.keep_alive());
}

TEST_F(ResponseTest, counts_the_first_of_a_header_that_comes_twice) {
  EXPECT_EQ(feed("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nRetry-After: 2\r\n"
                 "Content-Length: 0\r\n\r\n"),
            "complete");
  EXPECT_EQ(response().retry_after, "1");
}

TEST_F(ResponseTest, may_follow_another_on_the_same_connection) {
  EXPECT_EQ(feed("HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx"), "complete");
  parser_.reset();
  EXPECT_FALSE(parser_.started());
  EXPECT_EQ(feed("HTTP/1.1 204 No Content\r\n\r\n"), "complete");
  EXPECT_EQ(response().status, 204);
  EXPECT_EQ(response().body_start, "");
  EXPECT_TRUE(parser_.keep_alive());
}

TEST_F(ResponseTest, may_come_behind_interim_ones) {
  EXPECT_EQ(feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"),
            "more");
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "complete");
  EXPECT_EQ(response().status, 200);
  EXPECT_EQ(response().retry_after, "");
  EXPECT_TRUE(parser_.keep_alive());
}

TEST_F(ResponseTest, ends_the_connection_when_it_says_so_or_more_follows) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), "complete");
  EXPECT_FALSE(parser_.keep_alive());
  parser_.reset();
  EXPECT_EQ(feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), "complete");
  EXPECT_FALSE(parser_.keep_alive());
  parser_.reset();
  EXPECT_EQ(feed("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500"), "complete");
  EXPECT_EQ(response().status, 204);
  EXPECT_FALSE(parser_.keep_alive());
}

TEST_F(ResponseTest, without_a_length_ends_with_the_connection) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\n\r\nwhatever"), "more");
  EXPECT_TRUE(parser_.end());
  EXPECT_EQ(response().status, 200);
  EXPECT_FALSE(parser_.keep_alive());
}

TEST_F(ResponseTest, with_a_length_is_not_complete_before_it) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nwhat"), "more");
  EXPECT_FALSE(parser_.end());
}

TEST_F(ResponseTest, is_not_complete_within_its_head) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\n"), "more");
  EXPECT_FALSE(parser_.end());
}

TEST_F(ResponseTest, is_cut_off_when_it_does_not_end) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\n\r\n"), "more");
  const std::string block(64 * 1024, 'x');
  int blocks = 0;
  while (feed(block) == "more") ASSERT_LT(++blocks, 17);
  EXPECT_EQ(response().status, 200);
  EXPECT_EQ(response().body_start.size(), Response::kBodyStart);
  EXPECT_FALSE(parser_.keep_alive());
}

TEST_F(ResponseTest, that_is_not_http_is_an_error) {
  EXPECT_EQ(feed("SSH-2.0-OpenSSH_9.2\r\n").substr(0, 26), "the answer is not HTTP: in");
  parser_.reset();
  EXPECT_EQ(feed("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
            "the server switched to another protocol");
}

TEST_F(ResponseTest, with_an_endless_head_is_an_error) {
  EXPECT_EQ(feed("HTTP/1.1 200 OK\r\n"), "more");
  std::string last = "more";
  for (int i = 0; i < 20 && last == "more"; ++i)
    last = feed("X: " + std::string(1024, 'y') + "\r\n");
  EXPECT_EQ(last, "the head of the answer is longer than 16 KiB");
}

}  // namespace
}  // namespace leat::http
