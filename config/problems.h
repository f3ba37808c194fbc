// What is wrong with a configuration: all of it, one line each, with the path of the key.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat {

class Problems {
 public:
  // "pipelines[0].sink.ulr" and "unknown key, did you mean \"url\"?". An empty path stands for the
  // file as a whole.
  void add(std::string_view path, std::string_view message) {
    std::string line(path);
    if (!line.empty()) line += ": ";
    line += message;
    lines_.push_back(std::move(line));
  }

  bool empty() const { return lines_.empty(); }
  size_t size() const { return lines_.size(); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace leat
