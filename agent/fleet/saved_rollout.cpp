#include "fleet/saved_rollout.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/folder.h"
#include "fleet/json.h"

namespace leat::fleet {

Result<SavedRollout> load_rollout(const std::string& path) {
  SavedRollout out;
  if (!std::filesystem::exists(path)) return out;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_errno("open " + path, errno);
  const json all = parsed({std::istreambuf_iterator<char>(file), {}});
  const json& members = member(all, "gateways");
  out.config_hash = text_of(all, "config");
  if (out.config_hash.empty() || !members.is_object())
    return fail(ErrorKind::kUsage, path + ": not the state of a roll-out");
  for (const auto& [id, one] : members.items()) {
    std::optional<Progress> progress = progress_named(text_of(one, "progress"));
    if (!progress)
      return fail(ErrorKind::kUsage, path + ": gateway " + id + " has no known progress");
    out.members[id] = {.progress = *progress,
                       .correlation = text_of(one, "correlation"),
                       .text = text_of(one, "text"),
                       .step = number_of(one, "step")};
  }
  return out;
}

Status save_rollout(const std::string& path, const SavedRollout& rollout) {
  json gateways = json::object();
  for (const auto& [id, member] : rollout.members)
    gateways[id] = {{"progress", name_of(member.progress)},
                    {"correlation", member.correlation},
                    {"text", member.text},
                    {"step", member.step}};
  const json all = {{"config", rollout.config_hash}, {"gateways", std::move(gateways)}};
  const std::string text = all.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  const std::string fresh = path + ".new";
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(fresh.c_str(), "we"), std::fclose);
  if (file == nullptr) return fail_errno("write " + fresh, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
  if (!written) return fail_errno("write " + fresh, errno);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("rename " + fresh, errno);
  return sync_folder(folder_of(path));
}

}  // namespace leat::fleet
