// A pseudo-terminal with a device at its far end, and the source at the near end.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/source_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SourceType kSerialSource;

namespace testing {

// The device. Unplugged when destroyed.
class FakeDevice {
 public:
  FakeDevice() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
    EXPECT_GE(master_, 0);
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    char name[64];
    EXPECT_EQ(::ptsname_r(master_, name, sizeof name), 0);
    path_ = name;
    // Raw from the start: what is written before the source opens must not be echoed.
    slave_ = ::open(name, O_RDWR | O_NOCTTY);
    termios line{};
    EXPECT_EQ(::tcgetattr(slave_, &line), 0);
    ::cfmakeraw(&line);
    EXPECT_EQ(::tcsetattr(slave_, TCSANOW, &line), 0);
  }
  ~FakeDevice() {
    ::close(slave_);
    ::close(master_);
  }
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view bytes) {
    EXPECT_EQ(::write(master_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // As much as the line takes now.
  size_t flood(std::string_view bytes) {
    ssize_t size = ::write(master_, bytes.data(), bytes.size());
    return size < 0 ? 0 : static_cast<size_t>(size);
  }
  bool two_stop_bits() const {
    termios line{};
    EXPECT_EQ(::tcgetattr(slave_, &line), 0);
    return (line.c_cflag & CSTOPB) != 0;
  }
  bool exclusive() const {
    int flag = 0;
    EXPECT_EQ(::ioctl(slave_, TIOCGEXCL, &flag), 0);
    return flag != 0;
  }
  // What the source has sent so far.
  const std::string& received() {
    char buffer[256];
    for (ssize_t size = 0; (size = ::read(master_, buffer, sizeof buffer)) > 0;)
      received_.append(buffer, static_cast<size_t>(size));
    return received_;
  }

 private:
  int master_;
  int slave_;
  std::string path_;
  std::string received_;
};

// QEMU's user mode (7.2) knows TCGETS and not TCGETS2, by which the source sets a line. The number
// is that of <asm/termbits.h>, which cannot be included beside <termios.h>.
inline bool emulator_lacks_termios2(const std::string& path) {
  constexpr unsigned long kGetTermios2 = 0x802C542A;
  char settings[64];  // struct termios2 has 44 bytes
  int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK);
  bool lacks = ::ioctl(fd, kGetTermios2, settings) != 0 && errno == ENOSYS;
  ::close(fd);
  return lacks;
}

class SerialSourceTest : public SourceHarness {
 protected:
  void SetUp() override {
    if (emulator_lacks_termios2(device_->path())) GTEST_SKIP() << "the kernel has no TCGETS2";
  }
  SerialSourceTest() : SourceHarness(kSerialSource) {
    plug_in();
    options_.set("port", dir_ / "port");
  }
  void given(BatchRef batch) override {
    EXPECT_TRUE(batches_ > 1 || batch->begin.line == 0);
    EXPECT_GT(batch->slices.size() + batch->rejected.size(), 0u);
    EXPECT_EQ(batch->end.line - batch->begin.line, batch->slices.size() + batch->rejected.size());
    for (size_t i = 0; i < batch->slices.size(); ++i) {
      frames_.emplace_back(batch->slices[i].view());
      places_.push_back(source_->describe(batch->position_after(i)));
    }
    for (const Rejected& piece : batch->rejected)
      bad_.push_back(std::to_string(batch->begin.line + piece.end_line) + " " +
                     std::string(piece.why) + ": " + std::string(piece.bytes));
    EXPECT_EQ(source_->saved_position(batch->end).partition, "");
  }

  // --- the script ---

  void plug_in() {
    device_ = std::make_unique<FakeDevice>();
    std::filesystem::create_symlink(device_->path(), dir_ / "port");
  }
  void unplug() {
    std::filesystem::remove(dir_ / "port");
    device_.reset();
  }
  bool wait_frames(size_t count) {
    return wait([this, count] { return frames_.size() >= count; });
  }
  bool wait_bad(size_t count) {
    return wait([this, count] { return bad_.size() >= count; });
  }
  bool wait_received(const std::string& bytes) {
    return wait([this, bytes] { return device_->received() == bytes; });
  }

  TempDir dir_;
  std::unique_ptr<FakeDevice> device_;
  std::vector<std::string> frames_;
  std::vector<std::string> places_;  // of frames_
  std::vector<std::string> bad_;     // "number reason: bytes"
};

}  // namespace testing
}  // namespace leat
