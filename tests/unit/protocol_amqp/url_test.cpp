#include "protocols/amqp/url.h"

#include <gtest/gtest.h>

namespace leat::amqp {
namespace {

TEST(AmqpUrl, has_ports_by_default) {
  Result<Url> url = Url::parse("amqp://broker.example");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->shown, "amqp://broker.example:5672");
  EXPECT_FALSE(url->tls);
  url = Url::parse("amqps://[::1]/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->shown, "amqps://[::1]:5671");
  EXPECT_TRUE(url->tls);
  url = Url::parse("amqp://a:1234");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->address.port, 1234);
}

TEST(AmqpUrl, that_is_none_is_refused_without_repeating_it) {
  for (const char* text : {"", "amqp", "http://a", "amqp://", "amqp://u:secret@a", "amqp://a/vhost",
                           "amqp://a b", "amqp://a:0", "amqp://a?x=y"}) {
    Result<Url> url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace leat::amqp
