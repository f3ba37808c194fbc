#include "protocols/postgres/scram.h"

#include <gtest/gtest.h>

namespace leat::postgres {
namespace {

// RFC 7677 section 3, but for the user, whom PostgreSQL's clients leave empty: the values below
// were computed from the RFC's formulas for "n=,r=…" with Python's hashlib.
constexpr std::string_view kNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

std::string converse(Scram& scram, std::string_view server_first = kServerFirst) {
  Result<SaltedPasswordRequest> request = scram.server_first(server_first);
  if (!request) return request.error().message();
  return scram.client_final(salted_password(*request));
}

TEST(Scram, proves_the_password_and_checks_the_servers_proof) {
  Scram scram("pencil", Scram::Flag::kNone, "", std::string(kNonce));
  EXPECT_EQ(scram.mechanism(), "SCRAM-SHA-256");
  EXPECT_EQ(scram.client_first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(converse(scram),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=");
  EXPECT_TRUE(scram.server_final("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg="));
  EXPECT_FALSE(scram.server_final("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  EXPECT_FALSE(scram.server_final("v="));
  EXPECT_FALSE(scram.server_final(""));
  EXPECT_FALSE(scram.server_final("e=invalid-proof"));
}

// The salted password of RFC 7677's example, which does not depend on the user.
TEST(Scram, salts_as_the_rfc_does) {
  Scram scram("pencil", Scram::Flag::kNone, "", std::string(kNonce));
  auto request = scram.server_first(kServerFirst);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->iterations, 4096U);
  EXPECT_EQ(request->salt.size(), 16U);
  std::string salted = salted_password(*request);
  static constexpr unsigned char kExpected[] = {0xc4, 0xa4, 0x95, 0x10, 0x32, 0x3a, 0xb4, 0xf9,
                                                0x52, 0xca, 0xc1, 0xfa, 0x99, 0x44, 0x19, 0x39,
                                                0xe7, 0x8e, 0xa7, 0x4d, 0x6b, 0xe8, 0x1d, 0xdf,
                                                0x70, 0x96, 0xe8, 0x75, 0x13, 0xdc, 0x61, 0x5d};
  EXPECT_EQ(salted, std::string(reinterpret_cast<const char*>(kExpected), sizeof kExpected));
}

TEST(Scram, says_which_channel_binding_it_uses) {
  Scram plus("p", Scram::Flag::kUsed, "\x01\x02", "abc");
  EXPECT_EQ(plus.mechanism(), "SCRAM-SHA-256-PLUS");
  EXPECT_EQ(plus.client_first(), "p=tls-server-end-point,,n=,r=abc");
  // base64("p=tls-server-end-point,,\x01\x02")
  EXPECT_TRUE(converse(plus, "r=abcd,s=c2FsdA==,i=1")
                  .starts_with("c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAQI=,r=abcd,p="));
  Scram lacks("p", Scram::Flag::kServerLacks, "\x01\x02", "abc");
  EXPECT_EQ(lacks.mechanism(), "SCRAM-SHA-256");
  EXPECT_EQ(lacks.client_first(), "y,,n=,r=abc");
  EXPECT_TRUE(converse(lacks, "r=abcd,s=c2FsdA==,i=1").starts_with("c=eSws,r=abcd,p="));
}

TEST(Scram, refuses_garbage) {
  for (const char* first :
       {"", "r=abc", "r=abc,s=c2FsdA==,i=1", "r=xabcd,s=c2FsdA==,i=1", "r=abcd,s=,i=1",
        "r=abcd,s=c2FsdA==,i=0", "r=abcd,s=c2FsdA==,i=-1", "r=abcd,s=c2FsdA==,i=1x",
        "r=abcd,s=c2FsdA==,i=", "r=abcd,s=!,i=1", "m=x,r=abcd,s=c2FsdA==,i=1",
        "r=abcd,s=c2FsdA==,i=99999999999", "s=c2FsdA==,r=abcd,i=1"}) {
    Scram scram("p", Scram::Flag::kNone, "", "abc");
    EXPECT_FALSE(scram.server_first(first)) << first;
  }
  Scram scram("p", Scram::Flag::kNone, "", "abc");
  auto greedy = scram.server_first("r=abcd,s=c2FsdA==,i=1000001");
  ASSERT_FALSE(greedy);
  EXPECT_NE(greedy.error().message().find("1000001 rounds"), std::string::npos);
  // Before the client has said anything that could be proven.
  EXPECT_FALSE(scram.server_final("v=AAAA"));
}

TEST(PreparedPassword, maps_what_saslprep_maps) {
  EXPECT_EQ(prepared_password("plain \xC3\xA4"), "plain \xC3\xA4");
  EXPECT_EQ(prepared_password("a\u00A0b\u3000c"), "a b c");
  EXPECT_EQ(prepared_password("so\u00ADft"), "soft");
  EXPECT_EQ(prepared_password("\xFF\u00A0"), "\xFF\u00A0");  // not UTF-8: as it is
}

}  // namespace
}  // namespace leat::postgres
