// Reads files: each once to its end (bounded), or for ever as they grow (`follow`).
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "connectors/file/file_source.h"
#include "connectors/file/moved_position.h"
#include "connectors/file/probe.h"

namespace leat {
namespace {

constexpr std::string_view kCompressions[] = {"auto", "none", "gzip"};
constexpr Option kOptions[] = {
    {.name = "path",
     .type = OptionType::kStrings,
     .required = true,
     .help = "Files to read: paths and patterns (`/data/*.jsonl`, `/data/**/*.{csv,txt}`), in this "
             "order; of one pattern in the order of the names.",
     .path = true,
     .example = "[\"/data/*.jsonl\"]"},
    {.name = "follow",
     .type = OptionType::kBool,
     .fallback = "false",
     .help =
         "Keep reading as the files grow, are rotated, and appear. Without it, each file is read "
         "once to its end and the pipeline is done."},
    {.name = "compression",
     .fallback = "auto",
     .help = "`auto` looks at the first bytes of each file. Compressed files are not followed.",
     .choices = kCompressions},
    {.name = "maxRecord",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help =
         "A record longer than this becomes a dead letter (its first 1 KiB is kept) and reading "
         "goes on behind it.",
     .min = 1024,
     .max = 64 * 1024 * 1024},
    {.name = "rotateWait",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help =
         "With `follow`: how long a file that was renamed or deleted is still read after its last "
         "growth, since writers may hold it open for a while.",
     .max = 3'600'000},
};
// Watching and comparing need one way to name a file.
std::vector<std::string> absolute(const std::vector<std::string>& paths) {
  char* cwd = ::getcwd(nullptr, 0);
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    bool relative = cwd != nullptr && !path.starts_with('/');
    out.push_back(relative ? std::string(cwd) + "/" + path : path);
  }
  std::free(cwd);
  return out;
}

Compression compression_of(const std::string& name) {
  if (name == "gzip") return Compression::kGzip;
  return name == "none" ? Compression::kNone : Compression::kAuto;
}

}  // namespace

extern constexpr SourceType kFileSource{
    .name = "file",
    .help = "Reads files line by line or as CSV, once or as they grow, and remembers how far.",
    .produces = Produces::kBytes,
    .replay = replays<Replay::kFromPosition>,
    .options = kOptions,
    .default_format = "json",
    .bounded = [](const Options& options) { return !options.boolean("follow"); },
    .make = [](const Options& options) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(std::make_unique<FileSource>(
          FileSource::Settings{.paths = absolute(options.strings("path")),
                               .follow = options.boolean("follow"),
                               .compression = compression_of(options.string("compression")),
                               .max_record = static_cast<size_t>(options.bytes("maxRecord")),
                               .rotate_wait = options.duration("rotateWait")}));
    },
#ifdef LEAT_TOOLS
    .probe = [](const Options& options, const ProbeContext& context,
                Probed done) -> std::unique_ptr<PeerProbe> {
      return probe_files(patterns_of(absolute(options.strings("path"))), options.boolean("follow"),
                         context, std::move(done));
    },
#endif
    .move_position = moved_position};

}  // namespace leat
