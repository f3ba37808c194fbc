// leat spool, spool show, spool export, spool drop
#include <optional>

#include "base/layout.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/answer.h"
#include "cli/journal_access.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "control/agent.h"

namespace leat {
namespace {

std::string table_of(const std::string& answer) {
  Json json(cJSON_Parse(answer.c_str()), cJSON_Delete);
  std::vector<std::vector<std::string>> rows = {
      {"PIPELINE", "RECORDS", "BYTES", "OF ITS MAXIMUM", "OLDEST"}};
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, at(json.get(), "spools")) {
    const int64_t bytes = number(one, "bytes");
    const int64_t most = number(one, "maxBytes");
    std::string oldest = text(one, "oldest");
    rows.push_back({text(one, "pipeline"), format_count(number(one, "records")),
                    format_bytes(bytes), most == 0 ? "-" : std::to_string(bytes * 100 / most) + "%",
                    oldest.empty() ? "-" : oldest});
  }
  return rows.size() == 1 ? "nothing is spooled\n" : columns(rows, 1);
}

int list(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("spool", {.pipeline = call.word(0)}, code);
  if (!answer) return code;
  print(call.options.boolean("json") ? *answer : table_of(*answer));
  return kExitDelivered;
}

// Of a line that spool/records gives: what the sink would be given for it. A sink that makes
// something of records itself would be given the record.
std::string payload_of(const std::string& line) {
  Json json(cJSON_Parse(line.c_str()), cJSON_Delete);
  if (at(json.get(), "raw") != nullptr) return text(json.get(), "raw") + "\n";
  if (at(json.get(), "rawBase64") != nullptr) {
    std::string out;
    (void)append_from_base64(out, text(json.get(), "rawBase64"));
    return out + "\n";
  }
  // As it stands there: numbers of cJSON are doubles.
  const size_t record = line.find(",\"record\":");
  if (record == std::string::npos) return "";
  return line.substr(record + 10, line.size() - record - 12) + "\n";
}

// A batch of the spool at a time.
int print_records(const CommandCall& call, int64_t most, bool payload = false) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  int64_t from = 0;
  while (most > 0) {
    std::optional<std::string> lines = journal->ask(
        "spool/records", {.pipeline = call.word(0), .parameters = {{"from", std::to_string(from)}}},
        code);
    if (!lines) return code;
    if (lines->empty()) break;
    size_t begin = 0;
    while (begin < lines->size() && most > 0) {
      const size_t end = lines->find('\n', begin) + 1;
      const std::string line = lines->substr(begin, end - begin);
      print(payload ? payload_of(line) : line);
      --most;
      begin = end;
      if (begin < lines->size()) continue;
      Json last(cJSON_Parse(line.c_str()), cJSON_Delete);
      from = number(last.get(), "number") + std::max<int64_t>(number(last.get(), "records"), 1);
    }
  }
  return kExitDelivered;
}

int show(const CommandCall& call) {
  return print_records(call, call.options.integer("count"));
}

int export_all(const CommandCall& call) {
  return print_records(call, INT64_MAX, call.options.boolean("payload"));
}

int drop(const CommandCall& call) {
  int code = kExitUsage;
  const std::string& before = call.options.string("before");
  if (before.empty() != call.options.boolean("all")) {
    complain("leat: spool drop: say either --all or --before TIME");
    return code;
  }
  OperationRequest request{.pipeline = call.word(0)};
  if (before.empty()) {
    request.parameters["all"] = "1";
  } else {
    std::optional<int64_t> time = parse_moment(before, call.environment.clock);
    if (!time) {
      complain("leat: --before must be a time (2026-01-02T03:04:05Z) or an age (12h), found \"" +
               excerpt(before) + "\"");
      return code;
    }
    request.parameters["before"] = std::to_string(*time);
  }
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("spool/drop", std::move(request), code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  const auto records = static_cast<uint64_t>(number(json.get(), "records"));
  std::string line = call.word(0) + ": ";
  if (records == 0) {
    line += "nothing is spooled that would be dropped";
  } else {
    line +=
        format_count(records, "record") + " (" + format_bytes(number(json.get(), "bytes")) + ") ";
    line += journal->direct()                                ? "dropped"
            : cJSON_IsTrue(at(json.get(), "restarted")) != 0 ? "go as it starts anew, now"
                                                             : "go when it starts next";
  }
  print(line + "\n");
  return kExitDelivered;
}

constexpr Option kListOptions[] = {kAskedConfigOption, kAskedDataDirOption, kJsonOption};
constexpr Option kShowOptions[] = {kAskedConfigOption,
                                   kAskedDataDirOption,
                                   {.name = "count",
                                    .type = OptionType::kInteger,
                                    .fallback = "10",
                                    .help = "At most so many records.",
                                    .min = 1}};
constexpr Option kExportOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "payload",
     .type = OptionType::kBool,
     .help = "Only what the sink would be given for them, a line each: bytes in its format, or the "
             "record as JSON."}};
constexpr Option kDropOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "before",
     .help = "What arrived before a time (2026-01-02T03:04:05Z) or longer ago than an age (12h)."},
    {.name = "all", .type = OptionType::kBool, .help = "All that is there now."}};

}  // namespace

extern constexpr Command kSpoolCommand{
    .name = "spool",
    .words = kAnyPipeline,
    .help = "Shows what pipelines have in their spools: accepted, and not delivered yet.",
    .options = kListOptions,
    .run = list};

extern constexpr Command kSpoolShowCommand{
    .name = "spool show",
    .words = kOnePipeline,
    .help = "Shows the oldest spooled records, as JSON lines.",
    .options = kShowOptions,
    .run = show};

extern constexpr Command kSpoolExportCommand{
    .name = "spool export",
    .words = kOnePipeline,
    .help = "Prints all spooled records, as JSON lines. They stay in the spool.",
    .options = kExportOptions,
    .run = export_all};

extern constexpr Command kSpoolDropCommand{
    .name = "spool drop",
    .words = kOnePipeline,
    .help =
        "Drops spooled records, which are then lost. They go in whole batches; a running "
        "pipeline is drained and started anew for it.",
    .options = kDropOptions,
    .run = drop};

}  // namespace leat
