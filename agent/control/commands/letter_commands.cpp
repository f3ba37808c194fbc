// Dead letters, away from the loop: their files may be long.
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "control/commands/functions.h"
#include "control/supervisor.h"
#include "letters/letter_retry.h"
#include "letters/letter_tools.h"
#include "loop/pool.h"

namespace leat::control {

#ifdef LEAT_TOOLS
namespace {

constexpr uint64_t kMostAtOnce = 10'000;

std::string json_of(const std::string& pipeline, const LetterRetryResult& result) {
  auto member = [](const char* name, uint64_t value) {
    return std::string(",\"") + name + "\":" + std::to_string(value);
  };
  std::string out = "{\"pipeline\":" + json_quoted(pipeline) + member("retried", result.retried) +
                    member("deadAgain", result.dead_again) + member("refused", result.refused) +
                    member("known", result.known);
  if (!result.status) out += ",\"problem\":" + json_quoted(result.status.error().message());
  out += ",\"reasons\":[";
  for (const auto& [id, reason] : result.reasons)
    out += std::string(out.ends_with('[') ? "" : ",") + "{\"id\":\"" + letter_id_text(id) +
           "\",\"reason\":" + json_quoted(reason) + "}";
  return out + "]}\n";
}

void say(const std::string& pipeline, const LetterRetryResult& result) {
  std::string more;
  if (result.refused > 0) more += ", " + std::to_string(result.refused) + " could not be tried";
  if (!result.status) more += ": " + result.status.error().message();
  log::info(pipeline, format_count(result.retried, "dead letter") + " tried again, " +
                          std::to_string(result.dead_again) + " of them dead again" + more);
}

// The result comes from the pipeline's loop. When the pipeline has ended before it could begin,
// only this goes.
class Answering {
 public:
  Answering(Loop& home, std::string pipeline, Reply reply)
      : home_(home), pipeline_(std::move(pipeline)), reply_(std::move(reply)) {}
  ~Answering() { give(failed(Fault::kConflict, pipeline_ + ": does not run")); }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  // Pipeline's loop, or home.
  void done(const LetterRetryResult& result) {
    say(pipeline_, result);
    give(succeeded(json_of(pipeline_, result)));
  }
  void refused(const Status& status) {
    if (!status) give(failed(status.error()));
  }

 private:
  void give(Answer answer) {
    if (reply_ == nullptr) return;
    home_.post([to = std::exchange(reply_, nullptr), answer = std::move(answer)] { to(answer); });
  }

  Loop& home_;
  const std::string pipeline_;
  Reply reply_;  // null: it has been answered
};

// Whose letters are meant, and which.
struct Meant {
  std::vector<PipelineConfig> configured;
  std::string data_dir;
  std::string pipeline;
  LetterFilter filter;
};

// Nothing: `reply` has been told what is wrong.
std::optional<Meant> meant(const Targets& targets, const Request& request, const Reply& reply) {
  Result<LetterFilter> filter = letter_filter(
      [&request](std::string_view name) -> std::string_view { return request.text(name); });
  if (filter)
    return Meant{targets.supervisor.config().pipelines, targets.supervisor.data_dir(),
                 request.text("pipeline"), std::move(*filter)};
  reply(failed(Fault::kBadRequest, filter.error().message()));
  return std::nullopt;
}

// What is dealt with is not there to be dealt with once more: to mean all of them must be said.
std::optional<Meant> chosen(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = meant(targets, request, reply);
  if (!found || found->filter.is_open() == request.flag("all")) return found;
  reply(failed(Fault::kBadRequest,
               "say which letters (ids, stage, reason, before), or all, and not both"));
  return std::nullopt;
}

using Boxes = std::vector<LetterBox>;
// To find them is to look into a folder, which may be slow, too.
Result<Boxes> boxes_of(const Meant& meant) {
  return letter_boxes(meant.configured, meant.data_dir, meant.pipeline);
}

// `work` has no more than what it is given.
using Work = std::function<Result<std::string>(const Boxes&, const LetterFilter&)>;
void reply_from_pool(Loop& loop, const Reply& reply, Meant meant, Work work) {
  CarriedWork carried = carry(
      [meant = std::move(meant), work = std::move(work)] {
        const Result<Boxes> boxes = boxes_of(meant);
        if (!boxes) return failed(Fault::kUnknown, boxes.error().message());
        Result<std::string> out = work(*boxes, meant.filter);
        return out ? succeeded(std::move(*out)) : failed(out.error());
      },
      reply);
  run_in_pool(loop, std::move(carried.work), std::move(carried.done));
}

void retry(Supervisor& supervisor, const LetterBox& box, LetterRetrySetup setup,
           const Reply& reply) {
  setup.path = box.path;
  log::info(box.pipeline, "told to retry dead letters");
  auto answering = std::make_shared<Answering>(supervisor.loop(), box.pipeline, reply);
  setup.done = [answering](const LetterRetryResult& result) { answering->done(result); };
  Status asked = supervisor.feed(
      box.pipeline,
      [setup](FeedHost& host) -> std::unique_ptr<Feed> {
        return std::make_unique<LetterRetry>(host, setup);
      },
      [answering](const Status& status) { answering->refused(status); });
  answering->refused(asked);
}

}  // namespace

void list_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = meant(targets, request, reply);
  if (!found) return;
  reply_from_pool(
      targets.supervisor.loop(), reply, std::move(*found),
      [](const Boxes& boxes, const LetterFilter& /*filter*/) { return list_letters(boxes); });
}

void show_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = meant(targets, request, reply);
  if (!found) return;
  reply_from_pool(targets.supervisor.loop(), reply, std::move(*found),
                  [from = request.text("from"),
                   most = request.has("most") ? request.number("most") : kMostAtOnce,
                   all = request.flag("all")](const Boxes& boxes, const LetterFilter& filter) {
                    return some_letters(boxes.front(), filter, from, most, all);
                  });
}

void drop_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = chosen(targets, request, reply);
  if (!found) return;
  log::info(request.text("pipeline"), "told to drop dead letters");
  reply_from_pool(targets.supervisor.loop(), reply, std::move(*found),
                  [](const Boxes& boxes, const LetterFilter& filter) {
                    return drop_letters(boxes.front(), filter);
                  });
}

void retry_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  const std::string& at = request.text("at");
  const std::string& edited = request.text("edited");
  std::optional<Meant> found = chosen(targets, request, reply);
  if (!found) return;
  if (!at.empty() && at != "start" && at != "stage")
    return reply(failed(Fault::kBadRequest, "at: start or stage"));
  if (!edited.empty() && found->filter.ids.size() != 1)
    return reply(failed(Fault::kBadRequest, "an edited letter is one, with its id"));
  LetterRetrySetup setup{.path = "",
                         .filter = found->filter,
                         .from = at == "start"   ? LetterFrom::kStart
                                 : at == "stage" ? LetterFrom::kStage
                                                 : LetterFrom::kBest,
                         .edited = edited};
  CarriedWork carried = carry([found = std::move(*found)] { return boxes_of(found); },
                              [&supervisor = targets.supervisor, setup = std::move(setup),
                               reply](const Result<Boxes>& boxes) {
                                if (!boxes)
                                  return reply(failed(Fault::kUnknown, boxes.error().message()));
                                retry(supervisor, boxes->front(), setup, reply);
                              });
  run_in_pool(targets.supervisor.loop(), std::move(carried.work), std::move(carried.done));
}
#endif

}  // namespace leat::control
