#include "connectors/amqp/properties.h"

#include <gtest/gtest.h>

#include "connectors/amqp/options.h"
#include "protocols/amqp/table.h"
#include "support/sink_harness.h"

namespace leat::amqp {
namespace {

using namespace std::string_literals;
using leat::testing::Row;
using leat::testing::SinkHarness;
using leat::testing::text;

class AmqpPropertiesTest : public ::testing::Test {
 protected:
  // The headers of a message made of this record, as JSON.
  std::string headers(const Row& row) {
    Result<PropertyMaker> maker = PropertyMaker::from(options_);
    if (!maker) return maker.error().message();
    const Delivery delivery = harness_.records({row});
    std::string out;
    delivery.each_record([&](const Record& record) {
      Result<const amqp_basic_properties_t*> made = maker->make(record);
      if (!made) {
        out = made.error().message();
      } else if (((*made)->_flags & AMQP_BASIC_HEADERS_FLAG) != 0) {
        append_json(out, (*made)->headers);
      }
    });
    return out;
  }

  SinkHarness harness_;
  Options options_{kSinkOptions};
};

TEST_F(AmqpPropertiesTest, a_header_that_is_one_field_keeps_its_type) {
  options_.set("headers", Options::Map{{"n", "{n}"}, {"t", "{t}"}, {"both", "{n} {t}"}});
  EXPECT_EQ(headers({{"n", Value::of_integer(5)}, {"t", Value::of_time(1'000'000)}}),
            R"({"n":5,"t":"1970-01-01T00:00:01Z","both":"5 1970-01-01T00:00:01Z"})");
  EXPECT_EQ(headers({{"n", Value::boolean(true)}, {"t", text("x")}}),
            R"({"n":true,"t":"x","both":"true x"})");
}

TEST_F(AmqpPropertiesTest, a_header_whose_field_is_missing_or_null_is_left_out) {
  options_.set("headers", Options::Map{{"n", "{n}"}, {"a", "x-{n}"}});
  EXPECT_EQ(headers({{"other", Value::of_integer(5)}}), "");
  EXPECT_EQ(headers({{"n", Value::null()}}), "");
}

TEST_F(AmqpPropertiesTest, a_property_that_is_too_long_is_an_error) {
  options_.set("properties.messageId", "{n}"s);
  EXPECT_NE(headers({{"n", text(std::string_view(std::string(300, 'x')))}}).find("messageId"),
            std::string::npos);
}

}  // namespace
}  // namespace leat::amqp
