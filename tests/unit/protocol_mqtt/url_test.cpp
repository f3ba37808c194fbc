#include "protocols/mqtt/url.h"

#include <gtest/gtest.h>

namespace leat::mqtt {
namespace {

std::string address(const char* text) {
  Result<Url> url = Url::parse(text);
  EXPECT_TRUE(url) << text;
  return url ? (url->tls ? "tls " : "") + url->address.text() : "";
}

std::string error(const char* text) {
  Result<Url> url = Url::parse(text);
  EXPECT_FALSE(url) << text;
  return url ? "" : url.error().message();
}

TEST(MqttUrl, ports_have_defaults) {
  EXPECT_EQ(address("mqtt://broker"), "broker:1883");
  EXPECT_EQ(address("mqtts://broker/"), "tls broker:8883");
  EXPECT_EQ(address("mqtt://broker:18"), "broker:18");
  EXPECT_EQ(address("mqtt://[::1]"), "[::1]:1883");
  EXPECT_EQ(address("mqtts://[fe80::1]:9"), "tls [fe80::1]:9");
  EXPECT_EQ(address("unix:///run/mosquitto.sock"), "/run/mosquitto.sock");
}

TEST(MqttUrl, what_is_wrong_is_said_and_passwords_are_not) {
  EXPECT_NE(error("http://x").find("mqtt://"), std::string::npos);
  EXPECT_EQ(error("mqtt://u:secret@x").find("secret"), std::string::npos);
  EXPECT_NE(error("mqtt://u:secret@x").find("\"user\""), std::string::npos);
  EXPECT_NE(error("mqtt://x/topic").find("\"topics\""), std::string::npos);
  EXPECT_NE(error("mqtt://x:0").find("1 to 65535"), std::string::npos);
  EXPECT_NE(error("mqtt://x:65536").find("1 to 65535"), std::string::npos);
  EXPECT_NE(error("mqtt://::1").find("[ ]"), std::string::npos);
  EXPECT_NE(error("mqtt://[::1").find("not closed"), std::string::npos);
  EXPECT_NE(error("mqtt://brücke").find("xn--"), std::string::npos);
  EXPECT_NE(error("mqtt://a<b").find("\"<\""), std::string::npos);
  EXPECT_NE(error("mqtt://[broker]").find("IPv6"), std::string::npos);
  EXPECT_NE(error(("mqtt://" + std::string(254, 'x')).c_str()).find("longer"), std::string::npos);
  EXPECT_NE(error("mqtt://").find("no host"), std::string::npos);
  EXPECT_NE(error("unix://x").find("unix:///"), std::string::npos);
  EXPECT_NE(error("mqtt://a b").find("blank"), std::string::npos);
}

}  // namespace
}  // namespace leat::mqtt
