#include "connectors/mysql/table_reader.h"

#include <utility>

namespace leat::mysql {
namespace {

// The library's packet, and the streams' own buffers.
constexpr size_t kMemory = size_t{64} * 1024;

}  // namespace

TableReader::TableReader(ReadConfig config)
    : PageReader("leat-mysql", kMemory), config_(std::move(config)) {}

Result<std::unique_ptr<TablePages>> TableReader::make_pages(const std::string& pipeline) {
  Client::begin_library();
  const ConnectionSettings& connection = config_.connection;
  std::unique_ptr<TlsContext> tls;
  if (Status opened =
          open_tls(tls, connection.uses_tls, connection.tls, pipeline, connection.verify);
      !opened)
    return fail(opened.error());
  return std::make_unique<TablePages>(config_, std::move(tls));
}

}  // namespace leat::mysql
