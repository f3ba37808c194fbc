#include "protocols/postgres/wire.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "protocols/postgres/server_message.h"

namespace leat::postgres {
namespace {

using namespace std::literals;

// Feeds bytes in pieces; "Zbody Cbody …", and "!" at an error.
std::string read(std::string_view bytes, size_t piece) {
  MessageReader reader;
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.append(bytes.substr(at, piece));
    while (true) {
      auto message = reader.next();
      if (!message) return out + "!";
      if (!*message) break;
      out += (*message)->type + std::string((*message)->body) + " ";
    }
  }
  return out;
}

TEST(MessageReader, cuts_messages_out_of_any_pieces) {
  std::string bytes = message('C', "one") + message('Z', "I") + message('D', "") + "T\0\0\0"s;
  for (size_t piece : {1U, 2U, 3U, 7U, 100U}) EXPECT_EQ(read(bytes, piece), "Cone ZI D ");
}

TEST(MessageReader, refuses_what_is_no_message) {
  EXPECT_EQ(read("HTTP/1.1 400", 100), "!");
  EXPECT_EQ(read("Z\0\0\0\3"sv, 100), "!");           // shorter than the length itself
  EXPECT_EQ(read("Z\xff\xff\xff\xffI"sv, 100), "!");  // negative
  EXPECT_EQ(read("E\xff\xff\xff\xffI"sv, 100), "!");
  EXPECT_EQ(read("D\0\x20\0\0"sv, 100), "!");  // beyond kLongest
  EXPECT_EQ(read("\0\0\0\0\4"sv, 100), "!");
}

std::string row_of(const std::vector<std::optional<std::string>>& fields) {
  std::string body;
  append_int16(body, static_cast<int16_t>(fields.size()));
  for (const auto& field : fields) {
    append_int32(body, field ? static_cast<int32_t>(field->size()) : -1);
    body += field.value_or("");
  }
  return body;
}

TEST(MessageReader, rows_may_be_as_long_as_is_said_where_they_are_not_collected) {
  MessageReader reader;
  const std::string body = row_of({std::string(4 * MessageReader::kLongest, 'x')});
  reader.cut_rows(body.size());
  reader.append(message('D', body));
  auto read = reader.next();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->body.size(), body.size());
  EXPECT_EQ((*read)->cut_from, 0U);
  reader.append(message('T', std::string(MessageReader::kLongest + 1, 'x')));
  EXPECT_FALSE(reader.next()) << "it is no row";
}

TEST(MessageReader, of_longer_rows_it_keeps_the_beginning_of_each_field) {
  const std::string body = row_of(
      {"7", std::nullopt, std::string(300'000, 'x'), "", std::string(LongRow::kKept, 'y'), "last"});
  const std::string bytes = message('C', "one") + message('D', body) + message('Z', "I");
  for (size_t piece : {1U, 3U, 1000U, 65'536U, 10'000'000U}) {
    MessageReader reader;
    reader.cut_rows(2000);
    std::string types;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.append(std::string_view(bytes).substr(at, piece));
      EXPECT_LE(reader.held(), piece + 10);
      while (true) {
        auto message = reader.next();
        ASSERT_TRUE(message);
        if (!*message) break;
        types += (*message)->type;
        EXPECT_EQ((*message)->cut_from, (*message)->type == 'D' ? body.size() : 0U);
        if ((*message)->type != 'D') continue;
        const auto row = read_row((*message)->body);
        ASSERT_TRUE(row);
        EXPECT_EQ(*row, (Row{"7", std::nullopt, std::string(LongRow::kKept, 'x'), "",
                             std::string(LongRow::kKept, 'y'), "last"}));
      }
    }
    EXPECT_EQ(types, "CDZ") << piece;
    EXPECT_TRUE(reader.empty());
  }
}

TEST(MessageReader, a_long_row_that_is_none_is_no_row_afterwards_either) {
  for (const std::string& body :
       {std::string(5000, '\xff'), std::string(5000, '\0'),
        "\0\1\0\1\0\0"s + std::string(5000, 'x'), row_of({std::string(5000, 'x')}) + "more"}) {
    MessageReader reader;
    reader.cut_rows(2000);
    reader.append(message('D', body));
    auto message = reader.next();
    ASSERT_TRUE(message && *message);
    EXPECT_FALSE(read_row((*message)->body));
  }
}

TEST(ServerMessage, a_description_of_rows_names_them_and_their_types) {
  const auto columns = read_description("\0\1id\0\0\0\0\1\0\1\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"sv);
  ASSERT_TRUE(columns);
  EXPECT_EQ(*columns, (std::vector<RowColumn>{{"id", 23}}));
  for (std::string_view bad : {""sv, "\0\1id\0"sv, "\xff\xff"sv, "\0\0x"sv})
    EXPECT_FALSE(read_description(bad));
}

TEST(MessageReader, cuts_long_notices_and_holds_no_more_of_them) {
  MessageReader reader;
  std::string bytes = message('N', std::string(10'000'000, 'x')) + message('Z', "I");
  std::string types;
  for (size_t at = 0; at < bytes.size(); at += 16'384) {
    reader.append(std::string_view(bytes).substr(at, 16'384));
    while (true) {
      auto message = reader.next();
      ASSERT_TRUE(message);
      if (!*message) break;
      types += (*message)->type;
      EXPECT_LE((*message)->body.size(), MessageReader::kLongestNotice);
    }
    EXPECT_LE(reader.held(), MessageReader::kLongestNotice + 20'000);
  }
  EXPECT_EQ(types, "NZ");
  EXPECT_TRUE(reader.empty());
}

TEST(BodyReader, stays_at_zero_after_what_is_missing) {
  BodyReader body("\0\1\0\0\0\2ab\0c"sv);
  EXPECT_EQ(body.int16(), 1);
  EXPECT_EQ(body.int32(), 2);
  EXPECT_EQ(body.text(), "ab");
  EXPECT_TRUE(body.ok());
  EXPECT_EQ(body.text(), "");
  EXPECT_FALSE(body.ok());
  EXPECT_EQ(body.int32(), 0);
  EXPECT_EQ(body.rest(), "");
}

TEST(Quoting, survives_quotes_and_ends_at_no_nul) {
  EXPECT_EQ(quoted_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quoted_text("it's"), "'it''s'");
  EXPECT_EQ(query_message("a\0b"sv), "Q\0\0\0\6a\0"sv);
  EXPECT_EQ(binary_query_message("a"),
            "P\0\0\0\x09\0a\0\0\0"
            "B\0\0\0\x0e\0\0\0\0\0\0\0\1\0\1"
            "D\0\0\0\6P\0"
            "E\0\0\0\x09\0\0\0\0\0"
            "S\0\0\0\4"sv);
}

std::string fields(std::initializer_list<std::pair<char, const char*>> list) {
  std::string out;
  for (const auto& [code, text] : list) out += code + std::string(text) + '\0';
  return out + '\0';
}

TEST(ServerError, is_one_line_with_code_detail_and_hint) {
  ServerError error = read_error(fields({{'S', "FEHLER"},
                                         {'V', "ERROR"},
                                         {'C', "23505"},
                                         {'M', "duplicate key \"t\"\nor so"},
                                         {'D', "Key (id)=(5\t\\\"x) exists."},
                                         {'H', "Do not."}}));
  EXPECT_EQ(error.message(),
            "duplicate key \"t\" / or so (Key (id)=(5\u2409\\\"x) exists.); hint: Do not., "
            "SQLSTATE 23505");
  EXPECT_FALSE(error.fatal);
  EXPECT_TRUE(read_error(fields({{'S', "SCHWERWIEGEND"}, {'V', "FATAL"}})).fatal);
}

TEST(ServerError, may_end_anywhere) {
  std::string whole = fields({{'V', "ERROR"}, {'C', "23505"}, {'M', "text"}});
  for (size_t n = 0; n <= whole.size(); ++n)
    EXPECT_FALSE(read_error(whole.substr(0, n)).message().empty());
}

TEST(CopyLine, is_found_in_every_language) {
  auto line = [](const char* context, const char* table = "t2") {
    ServerError error;
    error.context = context;
    return copy_line(error, table);
  };
  EXPECT_EQ(line("COPY t2, line 17, column temp: \"9\""), 17U);
  EXPECT_EQ(line("COPY t2, Zeile 5"), 5U);
  EXPECT_EQ(line("COPY t2, 第 12 行"), 12U);
  EXPECT_EQ(line("PL/pgSQL function f() line 3 at RAISE\nCOPY t2, line 4"), 4U);
  EXPECT_EQ(line("JSON data, line 1: x\nCOPY t2, line 99999999999999999999"), 0U);
  EXPECT_EQ(line("SQL statement \"COPY\""), 0U);
  EXPECT_EQ(line("COPY t2"), 0U);
  EXPECT_EQ(line(""), 0U);
}

TEST(Row, is_read_whole_or_not_at_all) {
  std::string body = "\0\2\0\0\0\1a\xff\xff\xff\xff"s;
  auto row = read_row(body);
  ASSERT_TRUE(row);
  ASSERT_EQ(row->size(), 2U);
  EXPECT_EQ(row->at(0), "a");
  EXPECT_EQ(row->at(1), std::nullopt);
  EXPECT_FALSE(read_row(body + "x"));
  for (size_t n = 0; n < body.size(); ++n) EXPECT_FALSE(read_row(body.substr(0, n))) << n;
  EXPECT_FALSE(read_row("\0\1\xff\xff\xff\xfe"sv));
}

}  // namespace
}  // namespace leat::postgres
