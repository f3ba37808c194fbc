#include "cli/kept_configs.h"

#include <sys/stat.h>

#include <utility>

namespace leat {

Result<std::unique_ptr<KeptConfigs>> KeptConfigs::open(const Clock& clock,
                                                       const std::string& data_dir) {
  const std::string path = data_dir + "/journal.db";
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return fail(ErrorKind::kUsage,
                "there is neither an agent nor a journal in the data folder " + data_dir);
  Result<std::unique_ptr<Journal>> journal = Journal::open(path, clock);
  if (!journal) return fail(journal.error());
  std::unique_ptr<KeptConfigs> out(new KeptConfigs(clock, std::move(*journal)));
  Status loaded = fail(ErrorKind::kUnavailable, path + ": no answer");
  out->versions_.load([&loaded](Status status) { loaded = std::move(status); });
  out->serve();
  if (!loaded) return fail(loaded.error());
  return out;
}

KeptConfigs::KeptConfigs(const Clock& clock, std::unique_ptr<Journal> journal)
    : journal_(std::move(journal)),
      loop_(std::make_unique<Loop>(clock)),
      client_(journal_->make_client(*loop_)),
      versions_(*client_) {}

KeptConfigs::~KeptConfigs() {
  client_.reset();
  journal_.reset();
  (void)loop_->close();
}

Status KeptConfigs::keep(ConfigVersion version) {
  Status kept = fail(ErrorKind::kUnavailable, "the journal does not answer");
  versions_.keep({std::move(version)}, [&kept](Status status) { kept = std::move(status); });
  serve();
  return kept;
}

void KeptConfigs::serve() {
  journal_->serve_all();
  uv_run(loop_->uv(), UV_RUN_DEFAULT);
}

}  // namespace leat
