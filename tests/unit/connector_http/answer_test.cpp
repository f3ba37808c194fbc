#include "connectors/http/answer.h"

#include <gtest/gtest.h>

#include "connectors/http/options.h"
#include "connectors/http/request_options.h"

namespace leat::http {
namespace {

class AnswerTest : public ::testing::Test {
 protected:
  AnswerTest() {
    Options options(kSinkOptions, "sink");
    options.set("url", std::string("http://c.example/in?key=k3y"));
    auto auth = std::make_shared<Options>(kAuthOptions, "sink.auth");
    auth->set("token", std::string("t0ken"));
    options.set("auth", auth);
    config_ = *request_config(options);
  }

  Answer answer(int status, const std::string& reason = "", const std::string& body = "") {
    response_.status = status;
    response_.reason = reason;
    response_.body_start = body;
    return answer_for(config_, response_, 0);
  }
  Outcome outcome(int status) { return answer(status).outcome; }

  RequestConfig config_;
  Response response_;
};

TEST_F(AnswerTest, every_2xx_is_a_delivery) {
  for (int status : {200, 201, 202, 204, 207, 299})
    EXPECT_EQ(outcome(status), Outcome::kDelivered) << status;
}

TEST_F(AnswerTest, what_may_pass_is_tried_again) {
  for (int status : {0, 99, 408, 425, 429, 500, 501, 502, 503, 504, 507, 599, 600})
    EXPECT_EQ(outcome(status), Outcome::kRetry) << status;
}

TEST_F(AnswerTest, what_is_wrong_with_the_records_is_rejected) {
  for (int status : {400, 409, 411, 413, 415, 422, 451})
    EXPECT_TRUE(outcome(status) == Outcome::kRejected && answer(status).in_doubt) << status;
}

TEST_F(AnswerTest, what_is_wrong_with_the_address_or_the_credentials_rejects_no_record) {
  for (int status : {301, 302, 304, 307, 308, 401, 403, 404, 405, 407, 410, 421, 426, 431, 495})
    EXPECT_EQ(outcome(status), Outcome::kRetry) << status;
  EXPECT_EQ(answer(401, "Unauthorized").reason,
            "POST http://c.example/in: 401 Unauthorized (check \"auth\")");
}

TEST_F(AnswerTest, a_400_that_speaks_of_the_connection_rejects_no_record) {
  Answer a = answer(400, "Bad Request",
                    "<html><head><title>400 No required SSL certificate was sent</title></head>");
  EXPECT_EQ(a.outcome, Outcome::kRetry);
  EXPECT_EQ(a.reason,
            "POST http://c.example/in: 400 Bad Request (check \"tls.cert\"): 400 No required SSL "
            "certificate was sent");
}

TEST_F(AnswerTest, says_what_the_server_said_in_one_line) {
  EXPECT_EQ(answer(503, "Service Unavailable", "<h1>Sorry</h1>\r\n\r\n  back\tsoon ").reason,
            "POST http://c.example/in: 503 Service Unavailable: Sorry back soon");
  EXPECT_EQ(answer(500).reason, "POST http://c.example/in: 500");
}

TEST_F(AnswerTest, cuts_a_long_body) {
  std::string reason = answer(422, "Unprocessable", std::string(1000, 'x')).reason;
  EXPECT_NE(reason.find(std::string(200, 'x') + "…"), std::string::npos);
  EXPECT_EQ(reason.find(std::string(201, 'x')), std::string::npos);
}

TEST_F(AnswerTest, never_shows_a_secret_that_the_server_sends_back) {
  EXPECT_EQ(answer(401, "No t0ken", "bad token t0ken").reason,
            "POST http://c.example/in: 401 No *** (check \"auth\"): bad token ***");
}

TEST_F(AnswerTest, shows_where_a_redirect_leads) {
  response_.location = "https://c.example/in?key=k3y";
  EXPECT_EQ(answer(301, "Moved Permanently", "moved").reason,
            "POST http://c.example/in: 301 Moved Permanently (redirects are not followed: put the "
            "right address into \"url\"): the server points to https://c.example/in");
}

TEST_F(AnswerTest, passes_on_when_to_come_back) {
  response_.retry_after = "12";
  EXPECT_EQ(answer(429).retry_after, Milliseconds{12'000});
  EXPECT_EQ(answer(503).retry_after, Milliseconds{12'000});
}

}  // namespace
}  // namespace leat::http
