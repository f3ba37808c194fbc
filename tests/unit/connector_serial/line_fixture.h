// A pseudo-terminal with a device at its far end, and the source run at the near end as the engine
// would run it, with as much credit as the test gives.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stage/source.h"
#include "support/hand_loop.h"
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

class SerialSourceTest : public ::testing::Test, public SourceContext {
 protected:
  void SetUp() override {
    if (emulator_lacks_termios2(device_->path())) GTEST_SKIP() << "the kernel has no TCGETS2";
  }
  SerialSourceTest() : options_(kSerialSource.options, "source") {
    plug_in();
    options_.set("port", dir_ / "port");
  }
  ~SerialSourceTest() override {
    stop();
    EXPECT_TRUE(loop_.close()) << "a handle was left open";
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
  void start() {
    Result<std::unique_ptr<Source>> made = kSerialSource.make(options_);
    ASSERT_TRUE(made) << made.error().message();
    source_ = std::move(*made);
    ASSERT_TRUE(source_->open(*this));
  }
  void stop() {
    if (!source_) return;
    bool closed = false;
    source_->stop([&closed] { closed = true; });
    EXPECT_TRUE(closed);
    source_.reset();
  }
  // While time goes on.
  bool wait(const std::function<bool()>& condition) {
    return run_until(loop_, condition, Milliseconds{10'000});
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
  // What is ready now, without waiting for a timer.
  void turn() {
    for (int i = 0; i < 50; ++i) uv_run(loop_.uv(), UV_RUN_NOWAIT);
  }

  // --- SourceContext ---

  Loop& loop() override { return loop_; }
  const std::string& pipeline() override { return name_; }
  const std::string& agent() override { return name_; }
  bool exactly_once() override { return false; }
  size_t batch_bytes() const override { return 64 * 1024; }
  Budget& budget() override { return budget_; }
  const Framing* framing() override { return nullptr; }
  bool needs_preamble() override { return false; }
  const std::vector<SavedPosition>& saved() override { return saved_; }
  BatchRef new_batch(Content content) override {
    EXPECT_EQ(content, Content::kSlices);
    if (credit_ == 0) return {};
    --credit_;
    return BatchRef::make(pool_, content);
  }
  void emit(BatchRef batch) override {
    ++batches_;
    EXPECT_EQ(batch->begin.offset, end_.offset) << "batches must follow one another";
    EXPECT_EQ(batch->begin.line, end_.line);
    EXPECT_GT(batch->slices.size() + batch->rejected.size(), 0u);
    EXPECT_EQ(batch->end.line - batch->begin.line, batch->slices.size() + batch->rejected.size());
    for (size_t i = 0; i < batch->slices.size(); ++i) {
      frames_.emplace_back(batch->slices[i].view());
      places_.push_back(source_->describe(batch->position_after(i)));
      EXPECT_LE(batch->position_after(i).offset, batch->end.offset);
    }
    for (const Rejected& piece : batch->rejected)
      bad_.push_back(std::to_string(batch->begin.line + piece.end_line) + " " +
                     std::string(piece.why) + ": " + std::string(piece.bytes));
    end_ = batch->end;
    EXPECT_EQ(source_->saved_form(end_).partition, "");
  }
  void finished(Status) override { ADD_FAILURE() << "a serial line has no end"; }
  void window_full(bool) override {}
  void save(SavedPosition, std::function<void(Status)>) override {}
  void progress(uint64_t, std::optional<uint64_t>) override {}

  TempDir dir_;
  std::unique_ptr<FakeDevice> device_;
  HandLoop loop_;
  std::string name_ = "line-1";
  Budget budget_{8 << 20};
  BlockPool pool_{budget_};
  Options options_;
  std::vector<SavedPosition> saved_;
  std::unique_ptr<Source> source_;
  size_t credit_ = SIZE_MAX;
  std::vector<std::string> frames_;
  std::vector<std::string> places_;  // of frames_
  std::vector<std::string> bad_;     // "number reason: bytes"
  size_t batches_ = 0;
  Position end_;
};

}  // namespace testing
}  // namespace leat
