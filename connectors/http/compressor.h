// Gzip for request bodies, a piece at a time: one body can take longer than a loop may be held up.
//
// Thread: the loop's thread. Lifetime: destroying it drops what is under way, without calling
// `done`.
#pragma once

#include <uv.h>
#include <zlib.h>

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "loop/handles.h"
#include "memory/budget.h"

namespace leat::http {

// Compressed bytes, charged to the budget as long as they live.
class GzipBody {
 public:
  explicit GzipBody(Budget& budget) : budget_(budget) {}
  ~GzipBody();
  GzipBody(const GzipBody&) = delete;
  GzipBody& operator=(const GzipBody&) = delete;

  const std::vector<uv_buf_t>& buffers() const { return buffers_; }
  size_t size() const { return size_; }

 private:
  friend class Compressor;
  // Blocks rather than one buffer: how much comes out is not known before, and growing copies.
  static constexpr size_t kBlock = 16 * 1024;
  void add_block(z_stream& zlib);
  void account(const z_stream& zlib);

  Budget& budget_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<uv_buf_t> buffers_;
  size_t size_ = 0;
};

class Compressor {
 public:
  using Done = std::function<void(std::shared_ptr<GzipBody>)>;

  static Result<std::unique_ptr<Compressor>> open(Loop& loop, Budget& budget, int level);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The bytes of `input` must stay until `done`, which comes from the loop. One after another.
  void compress(std::vector<uv_buf_t> input, Done done);

 private:
  struct Job {
    std::vector<uv_buf_t> input;
    size_t first = 0;  // buffers before it are done
    std::shared_ptr<GzipBody> body;
    Done done;
  };

  Compressor(Loop& loop, Budget& budget);
  void step();
  void deflate_some(Job& job, size_t most);
  bool finish_stream(Job& job);

  Budget& budget_;
  Idle idle_;
  z_stream zlib_ = {};
  std::deque<Job> jobs_;
};

}  // namespace leat::http
