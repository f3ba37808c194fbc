// Brings records to the files that they are for: works out the path of each, and writes them in the
// sink's format path by path, since a file has an encoder of its own (its columns may differ).
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/file/files.h"
#include "connectors/file/path_template.h"
#include "stage/sink.h"

namespace leat::file {

class Router {
 public:
  // Keeps `most` encoders. `path` and `context` outlive this.
  Router(const PathTemplate& path, size_t most, SinkContext& context)
      : path_(path), most_(most), context_(context) {}

  // The same again for a delivery that is tried again. Records for which there is no path, or which
  // the format cannot express, are refused, and then nothing is to be written.
  std::shared_ptr<RoutedDelivery> route(const Delivery& delivery);

 private:
  // A record of a delivery.
  struct Item {
    const Record* record;
    uint32_t next;  // that is for the same file; kEnd: none is
    uint32_t last;  // of the first for a file: the last one
  };
  struct Known {
    std::string path;
    std::unique_ptr<Encoder> encoder;
    uint64_t used;
  };
  static constexpr uint32_t kEnd = UINT32_MAX;

  bool find_paths(const Delivery& delivery, RoutedDelivery& out);
  bool encode(const Delivery& delivery, size_t at, const BatchRef& written, RoutedDelivery& out);
  Result<Encoder*> encoder_for(const std::string& path);

  PathTemplate path_;
  const size_t most_;
  SinkContext& context_;
  std::vector<Item> items_;       // of the delivery at hand
  std::vector<uint32_t> firsts_;  // of them, those that are the first for each route
  std::vector<Known> encoders_;
  uint64_t uses_ = 0;
  bool warned_ = false;
};

}  // namespace leat::file
