// leat dead-letters, dead-letters show, export, edit, retry, drop
#include <algorithm>
#include <optional>
#include <vector>

#include "base/layout.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/answer.h"
#include "cli/dead_letter_edit.h"
#include "cli/letter_access.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

std::string table_of(const std::string& answer) {
  Json json(cJSON_Parse(answer.c_str()), cJSON_Delete);
  std::vector<std::vector<std::string>> rows = {{"PIPELINE", "LETTERS", "STAGE", "CODE", "REASON"}};
  const cJSON* box = nullptr;
  cJSON_ArrayForEach(box, at(json.get(), "deadLetters")) {
    const cJSON* one = nullptr;
    cJSON_ArrayForEach(one, at(box, "reasons"))
        rows.push_back({text(box, "pipeline"), format_count(number(one, "count")),
                        text(one, "stage"), text(one, "code"), text(one, "reason")});
  }
  return rows.size() == 1 ? "no open dead letters\n" : columns(rows, rows.front().size());
}

int list(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<LetterAccess> letters = LetterAccess::of(call);
  if (letters == nullptr) return code;
  std::optional<std::string> answer = letters->list(code);
  if (!answer) return code;
  print(call.options.boolean("json") ? *answer : table_of(*answer));
  return kExitDelivered;
}

// Nullopt: it is wrong, which stderr has been told.
std::optional<LetterAccess::Parameters> which_of(const CommandCall& call) {
  LetterAccess::Parameters out;
  std::string ids;
  for (const std::string& id : call.options.strings("id")) ids += (ids.empty() ? "" : ",") + id;
  out.emplace_back("ids", ids);
  out.emplace_back("stage", call.options.string("stage"));
  out.emplace_back("reason", call.options.string("reason"));
  if (const std::string& before = call.options.string("before"); !before.empty()) {
    std::optional<int64_t> time = parse_moment(before, call.environment.clock);
    if (!time) {
      complain("leat: --before must be a time (2026-01-02T03:04:05Z) or an age (12h), found \"" +
               excerpt(before) + "\"");
      return std::nullopt;
    }
    out.emplace_back("before", std::to_string(*time));
  }
  return out;
}

// As above; and to mean all of them must be said.
std::optional<LetterAccess::Parameters> chosen_of(const CommandCall& call) {
  std::optional<LetterAccess::Parameters> which = which_of(call);
  if (!which) return which;
  bool any = false;
  for (const auto& [name, value] : *which) any |= !value.empty();
  const bool all = call.options.boolean("all");
  if (all) which->emplace_back("all", "1");
  if (any != all) return which;
  complain("leat: " + std::string(call.command->name) +
           ": say which letters (--id, --stage, --reason, --before), or --all");
  return std::nullopt;
}

// Tells stderr of the ids that were asked for and are not among these. True: there are such.
bool some_missing(const CommandCall& call, const std::vector<uint64_t>& found, bool open = true) {
  bool any = false;
  for (const std::string& id : call.options.strings("id")) {
    if (std::ranges::find(found, parse_letter_id(id)) != found.end()) continue;
    complain("leat: " + call.word(0) + " has no" + (open ? " open" : "") + " dead letter " +
             excerpt(id));
    any = true;
  }
  return any;
}

// As above, before something is done with them. Nullopt: stderr has been told why not.
std::optional<bool> some_missing(const CommandCall& call, LetterAccess& letters,
                                 const LetterAccess::Parameters& which, int& code) {
  std::vector<uint64_t> found;
  if (call.options.strings("id").empty()) return false;
  auto take = [&found](std::string_view line) {
    found.push_back(letter_id_of(line));
    return true;
  };
  if (!letters.each(which, take, code)) return std::nullopt;
  return some_missing(call, found);
}

int print_letters(const CommandCall& call, uint64_t most, bool all, bool payload) {
  int code = kExitUsage;
  std::optional<LetterAccess::Parameters> which = which_of(call);
  std::unique_ptr<LetterAccess> letters = which ? LetterAccess::of(call) : nullptr;
  if (letters == nullptr) return code;
  if (all) which->emplace_back("all", "1");
  if (most < UINT64_MAX) which->emplace_back("most", std::to_string(most));
  uint64_t left = most;
  uint64_t without = 0;
  std::vector<uint64_t> found;
  auto take = [&](std::string_view line) {
    std::optional<Letter> letter = read_letter(line);
    if (letter) found.push_back(letter->id);
    if (!payload) {
      print(std::string(line) + "\n");
    } else if (letter && letter->payload) {
      print(*letter->payload + (letter->payload->ends_with('\n') ? "" : "\n"));
    } else if (letter && letter->raw && letter->raw_is == RawIs::kPayload) {
      print(*letter->raw + (letter->raw->ends_with('\n') ? "" : "\n"));
    } else {
      ++without;
    }
    return --left > 0;
  };
  if (!letters->each(*which, take, code)) return code;
  if (without > 0)
    complain("leat: " + format_count(without, "letter") +
             " without what the source gave: see their records");
  return left > 0 && some_missing(call, found, !all) ? kExitFailed : kExitDelivered;
}

int show(const CommandCall& call) {
  return print_letters(call, static_cast<uint64_t>(call.options.integer("count")),
                       call.options.boolean("all"), false);
}

int export_all(const CommandCall& call) {
  return print_letters(call, UINT64_MAX, false, call.options.boolean("payload"));
}

int drop(const CommandCall& call) {
  int code = kExitUsage;
  std::optional<LetterAccess::Parameters> which = chosen_of(call);
  std::unique_ptr<LetterAccess> letters = which ? LetterAccess::of(call) : nullptr;
  if (letters == nullptr) return code;
  const std::optional<bool> missing = some_missing(call, *letters, *which, code);
  if (!missing) return code;
  std::optional<std::string> answer = letters->drop(*which, code);
  if (!answer) return code;
  if (call.options.boolean("json")) {
    print(*answer);
  } else {
    Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
    print(call.word(0) + ": " + format_count(number(json.get(), "dropped"), "dead letter") +
          " dropped\n");
  }
  return *missing ? kExitFailed : kExitDelivered;
}

// 1: something was not delivered.
int report(const CommandCall& call, const std::string& answer) {
  Json json(cJSON_Parse(answer.c_str()), cJSON_Delete);
  const int64_t retried = number(json.get(), "retried");
  const int64_t dead = number(json.get(), "deadAgain");
  const int64_t refused = number(json.get(), "refused");
  const int64_t known = number(json.get(), "known");
  const std::string problem = text(json.get(), "problem");
  const int code = dead + refused > 0 || !problem.empty() ? kExitFailed : kExitDelivered;
  if (call.options.boolean("json")) {
    print(answer);
    return code;
  }
  std::string line = call.word(0) + ": ";
  if (retried + refused + known == 0) {
    line += "there are no such letters";
  } else {
    line += format_count(retried, "letter") + " tried again";
    if (dead > 0) line += ", " + format_count(dead) + " of them dead again";
    if (refused > 0) line += ", " + format_count(refused) + " could not be tried";
    if (known > 0) line += ", " + format_count(known) + " had arrived before";
  }
  line += '\n';
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, at(json.get(), "reasons")) line +=
      "  " + text(one, "id") + ": " + text(one, "reason") + "\n";
  print(line);
  if (!problem.empty()) complain("leat: " + problem);
  return code;
}

int retry(const CommandCall& call) {
  int code = kExitUsage;
  std::optional<LetterAccess::Parameters> which = chosen_of(call);
  std::unique_ptr<LetterAccess> letters = which ? LetterAccess::of(call) : nullptr;
  if (letters == nullptr) return code;
  const std::optional<bool> missing = some_missing(call, *letters, *which, code);
  if (!missing) return code;
  which->emplace_back("at", call.options.string("from"));
  std::optional<std::string> answer = letters->retry(*which, "", code);
  if (answer) code = report(call, *answer);
  return answer && *missing ? std::max<int>(code, kExitFailed) : code;
}

int edit(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<LetterAccess> letters = LetterAccess::of(call);
  if (letters == nullptr) return code;
  LetterAccess::Parameters which = {{"ids", call.word(1)}};
  std::string found;
  auto take = [&found](std::string_view line) {
    found = line;  // the newest try of it
    return true;
  };
  if (!letters->each(which, take, code)) return code;
  if (found.empty()) {
    complain("leat: " + call.word(0) + " has no open dead letter " + call.word(1));
    return kExitFailed;
  }
  const std::string& from = call.options.string("from");
  Result<std::optional<std::string>> edited = edit_letter(found, from == "stage");
  if (!edited) {
    complain("leat: " + edited.error().message());
    return kExitUsage;
  }
  if (!*edited) {
    print("nothing was changed: it is not tried again\n");
    return kExitDelivered;
  }
  std::optional<std::string> answer = letters->retry(which, **edited, code);
  return answer ? report(call, *answer) : code;
}

constexpr Positional kOneLetter[] = {{"PIPELINE"}, {"ID"}};
constexpr Option kIdOption{
    .name = "id",
    .type = OptionType::kStrings,
    .help = "The one with this id, of 16 digits. Can be given several times."};
constexpr Option kStageOption{
    .name = "stage", .help = "Those that failed at this stage, by its name as it is shown."};
constexpr Option kReasonOption{.name = "reason",
                               .help = "Those whose reason has this in it, or with this code."};
constexpr Option kBeforeOption{
    .name = "before", .help = "Those from before a time (2026-01-02T03:04:05Z) or an age (12h)."};
constexpr Option kEachOption{
    .name = "all", .type = OptionType::kBool, .help = "All that are there now."};
constexpr std::string_view kPlaces[] = {"start", "stage"};
constexpr Option kFromOption{
    .name = "from",
    .help =
        "Where they enter the pipeline: at its `start`, as what the source gave, or at the "
        "`stage` that failed, as what came to it. Default: the start where what the source gave "
        "was still there.",
    .choices = kPlaces};

constexpr Option kListOptions[] = {kAskedConfigOption, kAskedDataDirOption, kJsonOption};
constexpr Option kShowOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    kIdOption,
    kStageOption,
    kReasonOption,
    kBeforeOption,
    {.name = "all",
     .type = OptionType::kBool,
     .help = "Those, too, that are done or dropped, with their \"state\"."},
    {.name = "count",
     .type = OptionType::kInteger,
     .fallback = "10",
     .help = "At most so many.",
     .min = 1}};
constexpr Option kExportOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    kIdOption,
    kStageOption,
    kReasonOption,
    kBeforeOption,
    {.name = "payload",
     .type = OptionType::kBool,
     .help = "Only what the source gave for them, as it was, a line each."}};
constexpr Option kDropOptions[] = {kAskedConfigOption, kAskedDataDirOption, kIdOption,
                                   kStageOption,       kReasonOption,       kBeforeOption,
                                   kEachOption,        kJsonOption};
constexpr Option kRetryOptions[] = {kAskedConfigOption, kAskedDataDirOption, kIdOption,
                                    kStageOption,       kReasonOption,       kBeforeOption,
                                    kEachOption,        kFromOption,         kJsonOption};
constexpr Option kEditOptions[] = {kAskedConfigOption, kAskedDataDirOption, kFromOption,
                                   kJsonOption};

}  // namespace

extern constexpr Command kDeadLettersCommand{
    .name = "dead-letters",
    .words = kAnyPipeline,
    .help =
        "Shows how many records could not be delivered, by pipeline, stage and reason. Those that "
        "have been delivered or dropped since are not among them; `leat status` counts them still.",
    .options = kListOptions,
    .run = list};

extern constexpr Command kDeadLettersShowCommand{
    .name = "dead-letters show",
    .words = kOnePipeline,
    .help = "Shows the oldest dead letters that are open, as JSON lines.",
    .options = kShowOptions,
    .run = show};

extern constexpr Command kDeadLettersExportCommand{
    .name = "dead-letters export",
    .words = kOnePipeline,
    .help = "Prints all dead letters that are open, as JSON lines. They stay open.",
    .options = kExportOptions,
    .run = export_all};

extern constexpr Command kDeadLettersEditCommand{
    .name = "dead-letters edit",
    .words = kOneLetter,
    .help =
        "Opens a dead letter in $VISUAL or $EDITOR, and tries at once what was made of it, through "
        "the running pipeline. Exit code 1 when it is dead again: with the new reason, to be "
        "edited again.",
    .options = kEditOptions,
    .run = edit};

extern constexpr Command kDeadLettersRetryCommand{
    .name = "dead-letters retry",
    .words = kOnePipeline,
    .help =
        "Gives dead letters to the running pipeline once more, and waits until it is through with "
        "them. Those that fail again are dead letters again, with the same id. Exit code 1 when "
        "there are such, or some that could not be tried.",
    .options = kRetryOptions,
    .run = retry};

extern constexpr Command kDeadLettersDropCommand{
    .name = "dead-letters drop",
    .words = kOnePipeline,
    .help = "Marks dead letters as dealt with: they are neither shown nor retried any more.",
    .options = kDropOptions,
    .run = drop};

}  // namespace leat
