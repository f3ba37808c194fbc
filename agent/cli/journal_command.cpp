// leat journal verify, journal compact
#include <optional>

#include "base/units.h"
#include "cli/answer.h"
#include "cli/journal_access.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

std::string report_of(const cJSON* found) {
  std::string out;
  const cJSON* problem = nullptr;
  cJSON_ArrayForEach(problem, at(found, "problems")) {
    out += std::string(cJSON_GetStringValue(problem)) + "\n";
  }
  const auto problems = static_cast<uint64_t>(number(found, "problemCount"));
  out += problems == 0 ? "ok: " : format_count(problems, "problem") + ": ";
  return out + format_bytes(number(found, "bytes")) + ", " +
         format_bytes(number(found, "freeBytes")) + " of them free; " +
         format_count(static_cast<uint64_t>(number(found, "positions")), "position") + ", " +
         format_count(static_cast<uint64_t>(number(found, "spooledRecords")), "spooled record") +
         "\n";
}

int verify(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("journal/verify", {}, code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  print(call.options.boolean("json") ? *answer : report_of(json.get()));
  return cJSON_IsTrue(at(json.get(), "ok")) != 0 ? kExitDelivered : kExitFailed;
}

int compact(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("journal/compact", {}, code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  print("the journal had " + format_bytes(number(json.get(), "before")) + ", and has " +
        format_bytes(number(json.get(), "after")) + " now\n");
  return kExitDelivered;
}

constexpr Option kVerifyOptions[] = {kAskedConfigOption, kAskedDataDirOption, kJsonOption};
constexpr Option kCompactOptions[] = {kAskedConfigOption, kAskedDataDirOption};

}  // namespace

extern constexpr Command kJournalVerifyCommand{
    .name = "journal verify",
    .help =
        "Reads all of the journal, and says what is damaged. It changes nothing; exit code 1 "
        "when something is.",
    .options = kVerifyOptions,
    .run = verify};

extern constexpr Command kJournalCompactCommand{
    .name = "journal compact",
    .help =
        "Writes the journal anew, as small as it can be. That takes room for it beside the old "
        "one; pipelines wait for the disk meanwhile.",
    .options = kCompactOptions,
    .run = compact};

}  // namespace leat
