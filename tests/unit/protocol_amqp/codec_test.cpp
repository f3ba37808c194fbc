#include "protocols/amqp/codec.h"

#include <gtest/gtest.h>

#include <vector>

#include "frames.h"
#include "protocols/amqp/framer.h"
#include "protocols/amqp/reply.h"

namespace leat::amqp {
namespace {

using namespace std::string_literals;

struct Cut {
  std::vector<std::string> payloads;
  Status status;
};

Cut cut(const std::string& bytes, size_t piece, size_t largest = kLargestFrame) {
  Cut out;
  Framer framer(largest, [&out](const Frame& frame) -> Result<bool> {
    out.payloads.emplace_back(frame.payload);
    return true;
  });
  for (size_t at = 0; at < bytes.size() && out.status; at += piece)
    out.status = framer.feed(std::string_view(bytes).substr(at, piece));
  return out;
}

TEST(AmqpCodec, frames_come_out_as_they_were_however_they_were_cut) {
  const std::string body(10'000, 'x');
  std::string bytes = testing::deliver_method({}) + testing::content(body);
  append_heartbeat(bytes);
  const Cut whole = cut(bytes, bytes.size());
  ASSERT_TRUE(whole.status) << whole.status.error().message();
  ASSERT_EQ(whole.payloads.size(), 2u + 3u + 1u);  // a frame of the body has 4096 - 8 bytes
  EXPECT_EQ(whole.payloads[2] + whole.payloads[3] + whole.payloads[4], body);
  for (size_t piece : {1, 7, 1000}) EXPECT_EQ(cut(bytes, piece).payloads, whole.payloads);
}

TEST(AmqpCodec, a_frame_is_refused_that_is_too_large_or_does_not_end_where_it_says) {
  const std::string bytes = testing::content(std::string(500, 'x'));
  EXPECT_FALSE(cut(bytes, bytes.size(), 300).status);
  std::string broken = testing::deliver_method({});
  broken.back() = 'x';
  EXPECT_FALSE(cut(broken, broken.size()).status);
}

TEST(AmqpCodec, a_frame_that_is_not_taken_comes_again) {
  std::vector<std::string> taken;
  bool takes = false;
  Framer framer(kLargestFrame, [&](const Frame& frame) -> Result<bool> {
    if (takes) taken.emplace_back(frame.payload);
    return takes;
  });
  ASSERT_TRUE(
      framer.feed(testing::deliver_method({.tag = 1}) + testing::deliver_method({.tag = 2})));
  EXPECT_TRUE(framer.holding());
  takes = true;
  ASSERT_TRUE(framer.go_on());
  EXPECT_FALSE(framer.holding());
  EXPECT_EQ(taken.size(), 2u);
}

TEST(AmqpCodec, a_method_is_read_as_it_was_written) {
  Pool pool;
  const std::string bytes =
      testing::deliver_method({.tag = 77, .routing_key = "plant.a", .redelivered = true});
  const Cut whole = cut(bytes, bytes.size());
  Result<Method> method = decode_method(whole.payloads[0], pool);
  ASSERT_TRUE(method) << method.error().message();
  EXPECT_EQ(method->id, uint32_t{AMQP_BASIC_DELIVER_METHOD});
  EXPECT_EQ(method_name(method->id), "basic.deliver");
  const auto& deliver = method->as<amqp_basic_deliver_t>();
  EXPECT_EQ(deliver.delivery_tag, 77u);
  EXPECT_EQ(text_of(deliver.routing_key), "plant.a");
  EXPECT_TRUE(deliver.redelivered);
}

TEST(AmqpCodec, a_malformed_method_is_an_error) {
  Pool pool;
  EXPECT_FALSE(decode_method("", pool));
  EXPECT_FALSE(decode_method("\0\x3c\0\x3c\x05"s, pool));
  EXPECT_FALSE(decode_method("\xff\xff\xff\xff"s, pool));
}

TEST(AmqpCodec, properties_that_do_not_fit_into_a_frame_are_refused) {
  const std::string large(5'000, 'x');
  amqp_table_entry_t entry{.key = amqp_cstring_bytes("h"), .value = {}};
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes_of(large);
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_HEADERS_FLAG;
  properties.headers = {1, &entry};
  std::string out = "before";
  EXPECT_FALSE(append_content(out, 1, properties, "body", 4096));
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(append_content(out, 1, properties, "body", 8192));
}

TEST(AmqpReply, is_one_line) {
  EXPECT_EQ(reply_words(404, "NOT_FOUND - no queue 'q'"), "404 NOT_FOUND - no queue 'q'");
  EXPECT_EQ(reply_words(541, ""), "541");
  EXPECT_EQ(reply_words(541, "a\nb").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace leat::amqp
