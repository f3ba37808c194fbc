#include "connectors/file/probe.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "connectors/file/listing.h"
#include "connectors/file/series_writer.h"

namespace leat {
namespace {

// With `follow`, what is not there yet may come.
Result<std::string> look_at(const std::vector<PathPattern>& patterns, bool follow) {
  Listing listing(patterns);
  (void)listing.surroundings();
  std::vector<Found> found;
  while (listing.more(found)) {
  }
  std::string wrong;
  size_t readable = 0;
  auto note = [&wrong](const std::string& path, int error) {
    if (wrong.empty()) wrong = fail_errno("open " + path, error).value().message();
  };
  for (const Found& file : found) {
    if (file.error == ENOENT && follow) continue;
    if (file.error != 0)
      note(file.path, file.error);
    else if (::access(file.path.c_str(), R_OK) != 0)
      note(file.path, errno);
    else
      ++readable;
  }
  for (const auto& [folder, error] : listing.unreadable()) note(folder, error);
  if (!wrong.empty()) return fail(ErrorKind::kUsage, wrong);
  if (readable == 0 && !follow)
    return fail(ErrorKind::kUsage, patterns.front().text() + ": there is no such file");
  return readable == 0 ? patterns.front().text() + ": no file yet"
                       : format_count(readable, "file") + " can be read";
}

}  // namespace

std::unique_ptr<PeerProbe> probe_files(std::vector<PathPattern> patterns, bool follow,
                                       const ProbeContext& context, Probed done) {
  return probe_in_pool(
      context.loop, [patterns = std::move(patterns), follow] { return look_at(patterns, follow); },
      std::move(done));
}

std::unique_ptr<PeerProbe> probe_folder(std::string path, const ProbeContext& context,
                                        Probed done) {
  return probe_in_pool(
      context.loop,
      [path = std::move(path)]() -> Result<std::string> {
        if (Status fit = file::SeriesWriter::check(path); !fit) return fail(fit.error());
        return path + ": its folder can be written to";
      },
      std::move(done));
}

}  // namespace leat
