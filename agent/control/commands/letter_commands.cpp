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
#include "control/commands/functions.h"
#include "control/supervisor.h"
#include "letters/letter_retry.h"
#include "letters/letter_tools.h"
#include "loop/pool.h"

namespace leat::control {

#ifdef LEAT_TOOLS
namespace {

constexpr uint64_t kMostAtOnce = 10'000;

void reply_from_pool(Loop& loop, const Reply& reply, std::function<Result<std::string>()> work) {
  struct Job {
    std::function<Result<std::string>()> work;
    Result<std::string> answer = std::string();
  };
  auto job = std::make_shared<Job>(Job{std::move(work)});
  run_in_pool(
      loop, [job] { job->answer = job->work(); },
      [job, reply] {
        reply(job->answer ? succeeded(std::move(*job->answer)) : failed(job->answer.error()));
      });
}

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
  log::info(pipeline, std::to_string(result.retried) + " dead letters tried again, " +
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

// Whose letters are meant, and which. Nothing: `reply` has been told what is wrong.
struct Meant {
  std::vector<LetterBox> boxes;
  LetterFilter filter;
};
std::optional<Meant> meant(const Targets& targets, const Request& request, const Reply& reply) {
  Result<std::vector<LetterBox>> boxes =
      letter_boxes(targets.supervisor.config().pipelines, targets.supervisor.data_dir(),
                   request.text("pipeline"));
  Result<LetterFilter> filter = letter_filter(
      [&request](std::string_view name) -> std::string_view { return request.text(name); });
  if (boxes && filter) return Meant{std::move(*boxes), std::move(*filter)};
  reply(failed(boxes ? Fault::kBadRequest : Fault::kUnknown,
               (boxes ? filter.error() : boxes.error()).message()));
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

}  // namespace

void list_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = meant(targets, request, reply);
  if (!found) return;
  reply_from_pool(targets.supervisor.loop(), reply,
                  [boxes = std::move(found->boxes)] { return list_letters(boxes); });
}

void show_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = meant(targets, request, reply);
  if (!found) return;
  reply_from_pool(targets.supervisor.loop(), reply,
                  [found = std::move(*found), from = request.text("from"),
                   most = request.has("most") ? request.number("most") : kMostAtOnce,
                   all = request.flag("all")] {
                    return some_letters(found.boxes.front(), found.filter, from, most, all);
                  });
}

void drop_dead_letters(const Targets& targets, const Request& request, const Reply& reply) {
  std::optional<Meant> found = chosen(targets, request, reply);
  if (!found) return;
  log::info(request.text("pipeline"), "told to drop dead letters");
  reply_from_pool(targets.supervisor.loop(), reply, [found = std::move(*found)] {
    return drop_letters(found.boxes.front(), found.filter);
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
  const LetterBox& box = found->boxes.front();
  LetterRetrySetup setup{.path = box.path,
                         .filter = std::move(found->filter),
                         .from = at == "start"   ? LetterFrom::kStart
                                 : at == "stage" ? LetterFrom::kStage
                                                 : LetterFrom::kBest,
                         .edited = edited};
  log::info(box.pipeline, "told to retry dead letters");
  auto answering = std::make_shared<Answering>(targets.supervisor.loop(), box.pipeline, reply);
  setup.done = [answering](const LetterRetryResult& result) { answering->done(result); };
  Status asked = targets.supervisor.feed(
      box.pipeline,
      [setup](FeedHost& host) -> std::unique_ptr<Feed> {
        return std::make_unique<LetterRetry>(host, setup);
      },
      [answering](const Status& status) { answering->refused(status); });
  answering->refused(asked);
}
#endif

}  // namespace leat::control
