// leat positions, positions reset
#include <optional>
#include <vector>

#include "base/counted.h"
#include "base/layout.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/answer.h"
#include "cli/journal_access.h"
#include "cli/output.h"
#include "control/agent.h"
#include "stage/registry.h"

namespace leat {
namespace {

// With exactlyOnce the journal knows which file, and the sink how far.
std::string kept_place_of(const cJSON* one) {
  Json json(cJSON_Parse(text(one, "value").c_str()), cJSON_Delete);
  std::string what = text(json.get(), "path");
  if (what.empty()) what = text(one, "partition");
  return (what.empty() ? "" : excerpt(what) + ": ") + "kept by the sink, with the data";
}

// What people look for in a position that is JSON; the text itself where it is not.
std::string place_of(const std::string& value) {
  Json json(cJSON_Parse(value.c_str()), cJSON_Delete);
  const std::string path = text(json.get(), "path");
  if (path.empty()) return excerpt(value);
  return excerpt(path) + ", byte " + text(json.get(), "offset") + ", line " +
         text(json.get(), "line");
}

std::string table_of(const cJSON* positions) {
  std::vector<std::vector<std::string>> rows = {{"PIPELINE", "POSITION", "SAVED"}};
  const cJSON* one = nullptr;
  cJSON_ArrayForEach(one, positions) {
    std::string place = place_of(text(one, "value"));
    if (at(one, "resetOf") != nullptr) {
      const std::string file = text(one, "resetOf");
      place = "to be reset to " + text(one, "to") + " at the next start" +
              (file.empty() ? "" : ": " + file);
    } else if (at(one, "keptBy") != nullptr) {
      place = kept_place_of(one);
    } else if (place == excerpt(text(one, "value"))) {
      place = excerpt(text(one, "partition")) + ": " + place;
    }
    rows.push_back({text(one, "pipeline"), place, text(one, "saved")});
  }
  return rows.size() == 1 ? "no positions are saved\n" : columns(rows, 3);
}

int list(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  std::optional<std::string> answer = journal->ask("positions", {.pipeline = call.word(0)}, code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  print(call.options.boolean("json") ? *answer : table_of(at(json.get(), "positions")));
  return kExitDelivered;
}

PositionTarget target_of(const std::string& file, const std::string& to) {
  PositionTarget out{.file = file};
  if (to == "end") out.to = PositionTarget::To::kEnd;
  if (to == "start" || to == "end") return out;
  out.to = PositionTarget::To::kOffset;
  out.offset = std::strtoull(to.c_str(), nullptr, 10);
  return out;
}

// `saved`: when, where the pipeline may have come further since; else "".
std::string words_of(const MovedPosition& moved, const std::string& saved) {
  std::string out = excerpt(moved.what) + ": from byte " + std::to_string(moved.from) + " to " +
                    std::to_string(moved.to) + ": ";
  if (moved.to == moved.from) out += "nothing changes";
  if (moved.to < moved.from)
    out += format_count(moved.from - moved.to, "byte", "comes", "come") + " twice";
  if (moved.to > moved.from)
    out += format_count(moved.to - moved.from, "byte", "is", "are") + " skipped";
  if (!saved.empty())
    out += " (counted from what was saved at " + saved +
           (moved.to < moved.from ? "; more where it has come further since)"
                                  : "; where it has come further since, that comes twice: the "
                                    "log of the agent says what is so)");
  return out + "\n";
}

// What is going to happen to each position, as far as the journal knows. False: that cannot be, and
// stderr has been told.
bool foretell(const cJSON* positions, const PositionTarget& target, bool running, std::string& out,
              std::vector<MovedPosition>& moves) {
  const cJSON* one = nullptr;
  bool any = false;
  bool none = true;
  bool all_known = true;
  cJSON_ArrayForEach(one, positions) {
    if (at(one, "partition") == nullptr) continue;  // an order that waits
    none = false;
    if (at(one, "keptBy") != nullptr) {
      all_known = false;
      continue;
    }
    bool told = false;
    for (const SourceType* source : connectors().sources) {
      if (source->move_position == nullptr) continue;
      auto moved = source->move_position({text(one, "partition"), text(one, "value")}, target);
      if (!moved) {
        complain("leat: " + moved.error().message());
        return false;
      }
      if (!*moved) continue;
      out += words_of(**moved, running ? text(one, "saved") : "");
      moves.push_back(**moved);
      told = any = true;
    }
    if (told || !target.file.empty() || target.to != PositionTarget::To::kStart) continue;
    out += excerpt(text(one, "partition")) + ": begins anew: all before " +
           excerpt(text(one, "value")) + " comes twice\n";
    any = true;
  }
  if (any) return true;
  if (!all_known) {
    out +=
        "which positions there are only the sink knows (exactlyOnce): the log of the agent says "
        "what is reset\n";
    return true;
  }
  if (none && target.to != PositionTarget::To::kOffset) {
    out +=
        "no position is saved, or only the sink knows it (exactlyOnce): the log of the agent says "
        "what is reset\n";
    return true;
  }
  complain(
      "leat: no position is saved that could be reset so; \"leat positions\" shows what there is");
  return false;
}

int reset(const CommandCall& call) {
  int code = kExitUsage;
  std::unique_ptr<JournalAccess> journal = JournalAccess::of(call);
  if (journal == nullptr) return code;
  const std::string& to = call.options.string("to");
  const std::string& file = call.options.string("file");
  if (to != "start" && to != "end" && to.find_first_not_of("0123456789") != std::string::npos) {
    complain("leat: --to must be start, end, or an offset, found \"" + excerpt(to) + "\"");
    return code;
  }
  std::optional<std::string> answer = journal->ask("positions", {.pipeline = call.word(0)}, code);
  if (!answer) return code;
  Json json(cJSON_Parse(answer->c_str()), cJSON_Delete);
  std::string foretold;
  std::vector<MovedPosition> moves;
  if (!foretell(at(json.get(), "positions"), target_of(file, to), !journal->direct(), foretold,
                moves))
    return kExitUsage;
  std::vector<OperationRequest> orders{{.pipeline = call.word(0), .parameters = {{"to", to}}}};
  if (!file.empty()) orders[0].parameters["file"] = file;
  // The end is that of now, though the pipeline starts later: what comes until then is not skipped.
  if (to == "end" && journal->direct() && !moves.empty()) {
    orders.clear();
    for (const MovedPosition& moved : moves)
      orders.push_back({.pipeline = call.word(0),
                        .parameters = {{"to", std::to_string(moved.to)}, {"file", moved.what}}});
  }
  for (OperationRequest& order : orders) {
    answer = journal->ask("positions/reset", std::move(order), code);
    if (!answer) return code;
  }
  json.reset(cJSON_Parse(answer->c_str()));
  const bool now = cJSON_IsTrue(at(json.get(), "restarted")) != 0;
  print(foretold + call.word(0) +
        (now ? ": starts anew, and goes on from there\n"
             : ": goes on from there when it starts next\n"));
  return kExitDelivered;
}

constexpr Option kListOptions[] = {kAskedConfigOption, kAskedDataDirOption, kJsonOption};
constexpr Option kResetOptions[] = {
    kAskedConfigOption,
    kAskedDataDirOption,
    {.name = "file", .help = "Only that of this file, by the path that `leat positions` shows."},
    {.name = "to",
     .fallback = "start",
     .help = "`start`, `end`, or an offset in bytes, which goes back to where its line begins."}};

}  // namespace

extern constexpr Command kPositionsCommand{.name = "positions",
                                           .words = kAnyPipeline,
                                           .help = "Shows how far sources have been delivered.",
                                           .options = kListOptions,
                                           .run = list};

extern constexpr Command kPositionsResetCommand{
    .name = "positions reset",
    .words = kOnePipeline,
    .help =
        "Sends a pipeline to another place in its source. It says what comes twice or is "
        "skipped; a running pipeline is drained and started anew for it.",
    .options = kResetOptions,
    .run = reset};

}  // namespace leat
