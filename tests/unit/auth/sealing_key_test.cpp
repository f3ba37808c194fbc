#include "control/auth/sealing_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "protocols/jws/jwe.h"
#include "support/temp_dir.h"

namespace leat::control {
namespace {

class SealingKey : public ::testing::Test {
 protected:
  testing::TempDir folder_;
  const std::string path_ = folder_ / "sealing.key";
};

TEST_F(SealingKey, is_made_once_for_its_owner_alone) {
  const Result<P256Key> none = read_sealing_key(folder_.path());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(folder_.list(), std::vector<std::string>{}) << "to look makes none";
  const std::string made = sealing_key(folder_.path()).value().public_pem();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(sealing_key(folder_.path()).value().public_pem(), made);
  EXPECT_EQ(read_sealing_key(folder_.path()).value().public_pem(), made);
  EXPECT_EQ(folder_.list(), std::vector<std::string>{"sealing.key"});
}

TEST_F(SealingKey, one_that_is_damaged_is_not_written_over) {
  std::ofstream(path_) << "-----BEGIN PRIVATE KEY-----\nMIG\n";
  const Result<P256Key> key = sealing_key(folder_.path());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message(), path_ + ": is no private key of P-256 in PEM format");
  EXPECT_EQ(std::filesystem::file_size(path_), 32U);
}

TEST_F(SealingKey, opens_what_was_sealed_to_it) {
  EXPECT_EQ(open_sealed(folder_.path(), "x").error().message(),
            "this agent has no key yet (" + path_ +
                "): \"leat keygen --agent\" makes one, and prints the public half");
  const std::string pem = sealing_key(folder_.path()).value().public_pem();
  const std::string sealed = jwe::seal(P256Key::from_pem(pem).value(), "hunter2").value();
  EXPECT_EQ(open_sealed(folder_.path(), sealed).value(), "hunter2");
  std::filesystem::remove(path_);
  ASSERT_TRUE(sealing_key(folder_.path()));
  EXPECT_FALSE(open_sealed(folder_.path(), sealed)) << "with another key";
}

}  // namespace
}  // namespace leat::control
