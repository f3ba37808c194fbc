// The file source and real files in a folder of the test's own, line by line.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/file/file_source.h"
#include "support/source_harness.h"
#include "support/temp_dir.h"

namespace leat {

extern const SourceType kFileSource;

using Lines = std::vector<std::string>;

class LineFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override {
    return bytes.rfind('\n') + 1;  // npos + 1 is 0
  }
  std::string_view terminator() const override { return "\n"; }
  Status split(Batch& /*batch*/, DeadLetters& /*dead*/) const override { return {}; }
};

class FileSourceTest : public testing::SourceHarness {
 protected:
  FileSourceTest() : SourceHarness(kFileSource) {
    settings_ = {.paths = {folder_ / "app.log"}, .follow = true};
    framing_ = &by_line_;
    most_ = Milliseconds{2'000};  // not so long that a file that was renamed is let go
  }
  Result<std::unique_ptr<Source>> make() override {
    return std::unique_ptr<Source>(new FileSource(settings_));
  }
  bool bounded() override { return !settings_.follow; }
  void given(BatchRef batch) override {
    std::string_view text(batch->bytes.data(), batch->bytes.size());
    while (!text.empty()) {
      size_t end = text.find('\n');
      lines_.emplace_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    for (const Rejected& piece : batch->rejected) rejected_.emplace_back(piece.why);
  }

  // --- the script ---

  void append(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::app) << text;
  }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(folder_ / from, folder_ / to);
  }
  void make_folder(const std::string& name) { std::filesystem::create_directory(folder_ / name); }
  // The symbolic link `name` leads to `target` from now on.
  void point(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, folder_ / "new-link");
    rename("new-link", name);
  }
  ::testing::AssertionResult wait_lines(Lines wanted) {
    std::sort(wanted.begin(), wanted.end());
    wait([this, &wanted] { return lines_.size() >= wanted.size(); });
    return lines_are(wanted);
  }
  ::testing::AssertionResult lines_are(Lines wanted) {
    Lines got = lines_;
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    if (got == wanted) return ::testing::AssertionSuccess();
    auto out = ::testing::AssertionFailure() << "got";
    for (const std::string& line : got) out << " " << line;
    return out;
  }
  // A line that is read last shows that all before it is over.
  void expect_nothing_more() {
    size_t before = lines_.size();
    append("app.log", "marker\n");
    EXPECT_TRUE(wait([this] { return !lines_.empty() && lines_.back() == "marker"; }));
    EXPECT_EQ(lines_.size(), before + 1);
  }

  testing::TempDir folder_;
  FileSource::Settings settings_;
  LineFraming by_line_;
  Lines lines_;
  std::vector<std::string> rejected_;
};

}  // namespace leat
