// Random documents, written by another library and by hand, go through decoder and encoder; that
// library must find the same in what comes out.
#include <cjson/cJSON.h>

#include <algorithm>
#include <random>

#include "codec/json/decoder.h"
#include "codec/json/encoder.h"
#include "codec_fixture.h"

namespace leat {
namespace {

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  size_t below(size_t n) { return random_() % n; }

  std::string record() {
    // Few names and few orders, so that shapes recur, are extended and are cut short.
    std::string out = "{" + space();
    size_t fields = below(6);
    size_t from = below(3);
    for (size_t i = 0; i < fields; ++i) {
      if (i > 0) out += "," + space();
      size_t name = below(8) == 0 ? below(10) : from + i;
      out += "\"n" + std::to_string(name) + "\"" + space() + ":" + space() + value(4) + space();
    }
    return out + "}";
  }

 private:
  std::string space() {
    static const std::string kSpaces[] = {"", "", "", "", "", "", " ", " ", "\t", "  ", "\r"};
    if (below(200) == 0) spaced_ = !spaced_;
    return spaced_ ? kSpaces[below(11)] : "";
  }

  std::string number() {
    std::string out = below(3) == 0 ? "-" : "";
    out += below(4) == 0 ? "0" : std::to_string(1 + below(9)) + digits(below(9));
    if (below(2) == 0) out += "." + digits(1 + below(6));
    if (below(6) == 0) out += (below(2) ? "e-" : "E") + digits(1);
    return out;
  }
  std::string digits(size_t n) {
    std::string out;
    for (size_t i = 0; i < n; ++i) out += static_cast<char>('0' + below(10));
    return out;
  }

  std::string string() {
    static const std::string kPieces[] = {
        "a", "telemetry", "\\n", "\\\"", "\\\\", "é", "😀", "\\u00e9", "\\ud83d\\ude00", "/", " "};
    std::string out = "\"";
    for (size_t n = below(12); n > 0; --n) out += kPieces[below(below(3) == 0 ? 11 : 2)];
    return out + "\"";
  }

  std::string value(int depth) {
    switch (below(depth > 0 ? 8 : 6)) {
      case 0:
      case 1:
        return number();
      case 2:
      case 3:
        return string();
      case 4:
        return below(2) ? "true" : "false";
      case 5:
        return "null";
      case 6:
        return list("[", "]", depth, false);
      default:
        return list("{", "}", depth, true);
    }
  }
  std::string list(const char* open, const char* close, int depth, bool named) {
    std::string out = open + space();
    size_t n = below(4);
    for (size_t i = 0; i < n; ++i) {
      if (i > 0) out += "," + space();
      if (named) out += "\"m" + std::to_string(i) + "\"" + space() + ":";
      out += value(depth - 1) + space();
    }
    return out + close;
  }

  std::mt19937 random_;
  bool spaced_ = false;
};

using Json = std::unique_ptr<cJSON, decltype(&cJSON_Delete)>;

Json parse(std::string_view text) {
  return {cJSON_ParseWithLength(text.data(), text.size()), cJSON_Delete};
}

// Compares member by member, in order. Of duplicate names in `expected`, the last value counts, in
// the first one's place.
void expect_same_record(const cJSON* expected, const cJSON* actual, std::string_view line) {
  std::vector<std::pair<std::string, const cJSON*>> members;
  for (const cJSON* item = expected->child; item != nullptr; item = item->next) {
    auto same = std::find_if(members.begin(), members.end(),
                             [item](const auto& member) { return member.first == item->string; });
    if (same == members.end()) {
      members.emplace_back(item->string, item);
    } else {
      same->second = item;
    }
  }
  const cJSON* item = actual->child;
  for (const auto& [name, value] : members) {
    ASSERT_NE(item, nullptr) << line;
    EXPECT_EQ(name, item->string) << line;
    EXPECT_TRUE(cJSON_Compare(value, item, true)) << name << " of " << line;
    item = item->next;
  }
  EXPECT_EQ(item, nullptr) << line;
}

class JsonRoundTrip : public CodecTest {
 protected:
  void round_trip(uint32_t seed) {
    Generator generator(seed);
    JsonDecoder decoder;
    JsonEncoder encoder('\n');
    for (int batch = 0; batch < 20; ++batch) {
      Strings lines;
      std::string in;
      for (size_t n = generator.below(60); n > 0; --n)
        in += lines.emplace_back(generator.record()) + "\n";
      decode(decoder, in);
      encode(encoder, *batch_);
      ASSERT_EQ(encoded_->slices.size(), lines.size()) << "seed " << seed;
      for (size_t i = 0; i < lines.size(); ++i) {
        Json expected = parse(lines[i]);
        Json actual = parse(encoded_->slices[i].view());
        ASSERT_TRUE(expected && actual) << lines[i];
        expect_same_record(expected.get(), actual.get(), lines[i]);
      }
    }
    EXPECT_EQ(dead_.reasons(), Strings{});
  }
};

TEST_F(JsonRoundTrip, keeps_what_random_records_say) {
  for (uint32_t seed = 1; seed <= 60; ++seed) round_trip(seed);
}

// One byte of a good line is changed: what we accept, the other library must accept too. (It is
// laxer than RFC 8259, so the reverse does not hold.)
TEST_F(JsonRoundTrip, accepts_no_damaged_record_that_another_parser_refuses) {
  constexpr std::string_view kDamage = "{}[],:\"\\0.-eE+ tn\x01\xFF";
  Generator generator(7);
  JsonDecoder decoder;
  size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string line = generator.record();
    // Half a surrogate pair follows the grammar, so we take it; cJSON does not.
    if (line.find("\\ud83d") != std::string::npos) continue;
    line[generator.below(line.size())] = kDamage[generator.below(kDamage.size())];
    size_t records = decode(decoder, line + "\n").size();
    if (records == 0) continue;
    ++accepted;
    Json other = parse(line);
    EXPECT_TRUE(other) << line;
  }
  EXPECT_GT(accepted, 1000U) << "damage inside strings and numbers leaves many lines valid";
}

}  // namespace
}  // namespace leat
