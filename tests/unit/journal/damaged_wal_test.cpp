// The write-ahead log is damaged: no more is lost than what was in the damaged frame.
#include <algorithm>
#include <chrono>
#include <random>

#include "journal/damage_fixture.h"

namespace leat {
namespace {

TEST_F(DamageTest, a_flipped_bit_in_the_wal_costs_only_what_is_in_its_frame) {
  open();
  add_all(25, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t frames = (wal.size() - kWalHeader) / kFrame;
  size_t at = kWalHeader + frames / 2 * kFrame + 24 + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  open(false);
  EXPECT_GE(rows("a").size() + rows("b").size(), 48U);
  EXPECT_EQ(add("a", 25, false), "");
  std::vector<std::string> names = folder_.list();
  EXPECT_NE(std::find(names.begin(), names.end(), "journal.db.damaged-1-wal"), names.end());
}

TEST_F(DamageTest, a_clock_that_was_set_hides_no_damage) {
  open();
  add_all(8, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t at = kWalHeader + wal.size() / kFrame / 2 * kFrame + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  fs::last_write_time(path() + "-wal", fs::file_time_type::clock::now() - std::chrono::years(20));
  open(false);
  EXPECT_GE(rows("a").size() + rows("b").size(), 15U);
  EXPECT_TRUE(fs::exists(path() + ".damaged-1-wal"));
}

TEST_F(DamageTest, what_a_power_cut_tore_is_no_damage_on_a_board_without_a_clock) {
  open();
  add_all(8, false);
  kill();
  std::string wal = read_file(path() + "-wal");
  size_t at = kWalHeader + wal.size() / kFrame / 2 * kFrame + 700;
  overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 4)));
  for (const char* note : {"0d3f0b0e-6d9c-4f0c-9d0e-2f6f5c1a7b11", ""}) {  // "": torn itself
    write_file(path() + ".boot", note);
    open(false);
    EXPECT_FALSE(fs::exists(path() + ".damaged-1"));
    EXPECT_EQ(add("a", rows("a").size() + 8, false), "");
    kill();
  }
  EXPECT_NE(read_file(path() + ".boot"), "");
}

TEST_F(DamageTest, whichever_byte_of_the_header_of_the_wal_is_damaged_nothing_is_lost) {
  open();
  add_all(8, false);
  kill();
  std::string database = read_file(path());
  std::string wal = read_file(path() + "-wal");
  for (size_t at = 0; at < 2 * kWalHeader; ++at) {
    size_t byte = at / 2;
    int bits = at % 2 == 0 ? 0x10 : 0x01;  // of one of them hangs the byte order
    SCOPED_TRACE("byte " + std::to_string(byte) + ", bits " + std::to_string(bits));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), database);
    write_file(path() + "-wal", wal);
    overwrite(path() + "-wal", byte, std::string(1, static_cast<char>(wal[byte] ^ bits)));
    open(false);
    EXPECT_EQ(rows("a").size(), 8U);
    EXPECT_EQ(rows("b").size(), 8U);
    EXPECT_TRUE(fs::exists(path() + ".damaged-1-wal"));
    close();
  }
}

TEST_F(DamageTest, a_first_sector_of_the_wal_that_is_gone_costs_only_what_was_in_it) {
  for (const std::string& with : {std::string(512, '\0'), std::string(512, '\xA5')}) {
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    open();
    add_all(8, false);
    kill();
    overwrite(path() + "-wal", 0, with);
    open(false);
    EXPECT_EQ(rows("a").size() + rows("b").size(), 16U);
    close();
  }
}

// It begins again at its start, with salts of its own, and what is behind belongs to the past.
TEST_F(DamageTest, what_an_earlier_round_of_the_wal_left_is_not_taken_when_its_header_is_damaged) {
  open();
  for (uint64_t n = 0; n < 700; ++n) ASSERT_EQ(add("a", n, false), "");
  kill();
  overwrite(path() + "-wal", 17, "X");
  open(false);
  EXPECT_EQ(rows("a").size(), 700U);
}

TEST_F(DamageTest, wherever_a_bit_of_the_wal_flips_nothing_is_lost) {
  open();
  add_all(8);
  kill();
  std::string database = read_file(path());
  std::string wal = read_file(path() + "-wal");
  for (size_t at = kWalHeader + 9; at < wal.size(); at += 2 * kFrame + 31) {
    SCOPED_TRACE("byte " + std::to_string(at));
    for (const std::string& name : folder_.list()) fs::remove(folder_ / name);
    write_file(path(), database);
    write_file(path() + "-wal", wal);
    overwrite(path() + "-wal", at, std::string(1, static_cast<char>(wal[at] ^ 1)));
    open();
    expect_nothing_lost(8);
    close();
  }
}

}  // namespace
}  // namespace leat
