#include "task/dead_letter_line.h"

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

namespace leat {
namespace {

class DeadLetterLineTest : public ::testing::Test {
 protected:
  // The member of the line, which must be one JSON object.
  std::string member(const std::string& line, const char* name) {
    cJSON* json = cJSON_ParseWithOpts(line.c_str(), nullptr, 1);
    EXPECT_NE(json, nullptr) << line;
    cJSON* item = cJSON_GetObjectItemCaseSensitive(json, name);
    std::string out = "absent";
    if (cJSON_IsString(item)) {
      out = item->valuestring;
    } else if (item != nullptr) {
      char* text = cJSON_PrintUnformatted(item);
      out = text;
      cJSON_free(text);
    }
    cJSON_Delete(json);
    return out;
  }

  std::string line(const Rejection& rejection) {
    return dead_letter_line(rejection, "press-line", "/data/a.jsonl:17", 1'767'323'045'678'901);
  }

  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
};

TEST_F(DeadLetterLineTest, a_record_stands_in_it_as_json_with_where_and_why) {
  auto shape = std::make_shared<Shape>(std::vector<std::string_view>{"a", "b"});
  BatchRef batch = BatchRef::make(pool_, Content::kRecords);
  auto* values = batch->arena.array<Value>(2);
  values[0] = Value::of_text(Type::kFloat, "1.50", Form::kText);
  values[1] = Value::of_text(Type::kString, "x\"y");
  batch->records.push_back({shape.get(), values, 0, 10, 1});
  std::string text = line({"filter", "a \"reason\"", "sql", {}, &*batch, 0, {}});
  EXPECT_EQ(member(text, "time"), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(member(text, "pipeline"), "press-line");
  EXPECT_EQ(member(text, "stage"), "filter");
  EXPECT_EQ(member(text, "code"), "sql");
  EXPECT_EQ(member(text, "reason"), "a \"reason\"");
  EXPECT_EQ(member(text, "source"), "/data/a.jsonl:17");
  EXPECT_NE(text.find(R"("record":{"a":1.50,"b":"x\"y"})"), std::string::npos) << text;
}

TEST_F(DeadLetterLineTest, what_makes_the_same_record_again_stands_beside_it) {
  auto shape = std::make_shared<Shape>(std::vector<std::string_view>{"t", "at", "s", "n"});
  BatchRef batch = BatchRef::make(pool_, Content::kRecords);
  auto* values = batch->arena.array<Value>(4);
  values[0] = Value::of_float(2);
  values[1] = Value::of_time(0);
  values[2] = Value::of_text(Type::kString, "x");
  values[3] = Value::of_integer(1);
  batch->records.push_back({shape.get(), values, 1'767'323'045'678'901, 10, 1});
  const std::string bytes = "{1234567}\n{\"n\":1}\n";
  batch->source_bytes = bytes;
  batch->records[0].end_offset = 18;
  auto topic = std::make_shared<Shape>(std::vector<std::string_view>{"topic"});
  Value name = Value::of_text(Type::kString, "a/b");
  batch->message_fields.push_back({topic.get(), &name, 18});
  std::string text = line({"filter", "why", "sql", {}, &*batch, 0, {}});
  EXPECT_EQ(member(text, "types"), R"({"t":"float","at":"time"})");
  EXPECT_EQ(member(text, "eventTime"), "2026-01-02T03:04:05.678901Z");
  EXPECT_EQ(member(text, "payload"), "{\"n\":1}\n");
  EXPECT_EQ(member(text, "message"), R"({"topic":"a/b"})");
}

TEST_F(DeadLetterLineTest, text_stands_in_it_as_it_is_and_other_bytes_in_base64) {
  std::string text = line({"decode json", "bad", "decode", {}, nullptr, 0, "{\"a\":\r\n"});
  EXPECT_EQ(member(text, "raw"), "{\"a\":");
  EXPECT_EQ(member(text, "record"), "absent");
  text = line({"decode json", "bad", "decode", {}, nullptr, 0, "\xFF\xFE"});
  EXPECT_EQ(member(text, "rawBase64"), "//4=");
}

}  // namespace
}  // namespace leat
