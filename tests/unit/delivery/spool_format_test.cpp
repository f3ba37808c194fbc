#include "spool/spool_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "delivery/fixture.h"
#include "spool/brought.h"

namespace leat {
namespace {

using testing::make_batch;

class SpoolFormatTest : public ::testing::Test {
 protected:
  BatchRef records() {
    BatchRef batch = BatchRef::make(pool_, Content::kRecords);
    auto shape = std::make_shared<const Shape>(std::vector<std::string_view>{
        "n", "f", "d", "s", "e", "b", "t", "j", "null", "no", "yes", "nan", "inf"});
    batch->adopt(shape);
    const Value values[] = {Value::of_integer(-7),
                            Value::of_float(0.1),
                            Value::of_text(Type::kDecimal, "1.2345678901234567890", Form::kText),
                            Value::of_text(Type::kString, "grün"),
                            Value::of_text(Type::kString, "a\\nb", Form::kText),
                            Value::of_text(Type::kBytes, std::string_view("\0\xff", 2)),
                            Value::of_time(1'700'000'000'000'001),
                            Value::of_text(Type::kJson, "[1,2]"),
                            Value::null(),
                            Value::absent(),
                            Value::boolean(true),
                            Value::of_float(NAN),
                            Value::of_float(-INFINITY)};
    auto other = std::make_shared<const Shape>(std::vector<std::string_view>{"x"});
    batch->adopt(other);
    auto* kept = batch->arena.array<Value>(std::size(values));
    std::copy(std::begin(values), std::end(values), kept);
    auto* one = batch->arena.array<Value>(1);
    *one = Value::of_text(Type::kInteger, "007", Form::kText);
    batch->records.push_back({shape.get(), kept, 5'000, 10, 1});
    batch->records.push_back({other.get(), one, 4'000, 20, 2});
    return batch;
  }

  Budget budget_{1 << 20};
  BlockPool pool_{budget_};
  SpooledAs as_;
};

std::string text_of(const Record& record) {
  std::string out;
  append_json(out, record);
  return out;
}

TEST_F(SpoolFormatTest, slices_come_back_as_they_were) {
  std::vector<Part> parts{{make_batch(pool_, 0, 5), 3, 2}, {make_batch(pool_, 5, 2), 0, 2}};
  std::string content = write_spooled(parts, {"ndjson", "file:3"});
  Result<BatchRef> batch = read_spooled(pool_, content, 100, 100, &as_);
  ASSERT_TRUE(batch);
  ASSERT_EQ((*batch)->count(), 4U);
  EXPECT_EQ((*batch)->slices[0].view(), "r3\n");
  EXPECT_EQ((*batch)->slices[3].view(), "r6\n");
  EXPECT_EQ((*batch)->position_after(0).offset, 101U);
  EXPECT_EQ((*batch)->end.offset, 104U);
  EXPECT_EQ(as_.format, "ndjson");
  EXPECT_EQ(as_.origin, "file:3");
}

TEST_F(SpoolFormatTest, what_records_brought_stands_once_and_is_found_by_its_number) {
  BroughtWriter none;
  none.add({});
  EXPECT_EQ(none.take(), "");
  BroughtWriter writer;
  const std::string topic = R"({"topic":"plant/a"})";
  for (int i = 0; i < 1'000; ++i) writer.add({.metadata = topic});
  writer.add({});
  writer.add({.metadata = topic, .attempt = 3, .letter = UINT64_MAX});
  SpooledAs as{"ndjson", "file:3", writer.take()};
  EXPECT_LT(as.brought.size(), 1'100U);
  std::vector<Part> parts{{make_batch(pool_, 0, 5), 3, 2}};
  ASSERT_TRUE(read_spooled(pool_, write_spooled(parts, as), 100, 100, &as_));
  EXPECT_EQ(as_.brought, as.brought);
  EXPECT_EQ(brought_of(as_.brought, 999).metadata, topic);
  EXPECT_EQ(brought_of(as_.brought, 999).attempt, 0U);
  EXPECT_EQ(brought_of(as_.brought, 1'000).metadata, "");
  EXPECT_EQ(brought_of(as_.brought, 1'001).attempt, 3U);
  EXPECT_EQ(brought_of(as_.brought, 1'001).letter, UINT64_MAX);
  EXPECT_EQ(brought_of(as_.brought, 1'002).metadata, "") << "there is none";
  for (size_t size = 0; size < as_.brought.size(); ++size)
    EXPECT_EQ(brought_of(std::string_view(as_.brought).substr(0, size), 1'001).attempt, 0U) << size;
}

TEST_F(SpoolFormatTest, what_is_delivered_of_a_row_is_left_out_and_the_numbers_stay) {
  std::vector<Part> parts{{make_batch(pool_, 0, 5), 0, 5}};
  Result<BatchRef> batch = read_spooled(pool_, write_spooled(parts, {}), 100, 103, &as_);
  ASSERT_TRUE(batch);
  ASSERT_EQ((*batch)->count(), 2U);
  EXPECT_EQ((*batch)->slices[0].view(), "r3\n");
  EXPECT_EQ((*batch)->position_after(0).offset, 104U);
}

TEST_F(SpoolFormatTest, records_keep_every_type_and_their_exact_text) {
  BatchRef before = records();
  std::vector<Part> parts{{before, 0, 2}};
  Result<BatchRef> after = read_spooled(pool_, write_spooled(parts, {}), 0, 0, &as_);
  ASSERT_TRUE(after);
  ASSERT_EQ((*after)->records.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    const Record& was = before->records[i];
    const Record& is = (*after)->records[i];
    EXPECT_EQ(text_of(is), text_of(was));
    EXPECT_EQ(is.time_us, was.time_us);
    for (size_t f = 0; f < was.shape->size(); ++f) {
      EXPECT_EQ(is.value(f).type, was.value(f).type) << was.shape->name(f);
      EXPECT_EQ(is.value(f).form, was.value(f).form) << was.shape->name(f);
    }
  }
}

TEST_F(SpoolFormatTest, a_damaged_row_is_an_error_wherever_it_ends) {
  std::vector<Part> parts{{records(), 0, 2}};
  std::string content = write_spooled(parts, {});
  for (size_t size = 0; size < content.size(); ++size) {
    Result<BatchRef> batch = read_spooled(pool_, content.substr(0, size), 0, 0, &as_);
    ASSERT_FALSE(batch) << "cut to " << size << " of " << content.size() << " bytes";
    EXPECT_EQ(batch.error().kind(), ErrorKind::kData);
  }
}

}  // namespace
}  // namespace leat
