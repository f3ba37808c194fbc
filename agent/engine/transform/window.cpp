// `window`: what the records of a span of event time come to, for each key.
#include <algorithm>
#include <memory>
#include <utility>

#include "options/option_errors.h"
#include "transform/types.h"
#include "transform/windows.h"

namespace leat {
namespace {

constexpr Milliseconds kCorrectFor{3'600'000};
constexpr int64_t kMostAtOnce = 1'000;  // windows that a record is in

constexpr std::string_view kLateChoices[] = {"drop", "deadLetter", "emit"};

constexpr Option kSessionOptions[] = {
    {.name = "gap",
     .type = OptionType::kDuration,
     .required = true,
     .help = "A session ends so long behind its last record, by event time.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000}};

constexpr Option kOptions[] = {
    {.name = "every",
     .type = OptionType::kDuration,
     .help =
         "The length of a window. They begin at multiples of it since 1970, in UTC. Either this "
         "or `session`.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000,
     .example = "\"1m\""},
    {.name = "slide",
     .type = OptionType::kDuration,
     .help = "From the start of a window to that of the next, so that they overlap: \"10s\" with "
             "`every` \"1m\" gives the last minute each ten seconds. Each record counts in as many "
             "as `every` has of it (1,000 at most), and costs that. Default: as long as `every`.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    {.name = "session",
     .type = OptionType::kObject,
     .help =
         "Windows of activity instead: of each key, the records that are less than `gap` apart.",
     .fields = kSessionOptions,
     .only_when_given = true},
    {.name = "key",
     .type = OptionType::kStrings,
     .help = "The field, or fields, for whose values each there is a result. Default: one for all "
             "records.",
     .example = "\"device\""},
    {.name = "set",
     .type = OptionType::kMap,
     .required = true,
     .help =
         "The fields of a result: avg, count, first, last, max, median, min, percentile, stddev "
         "or sum of a field (\"avg(temp)\", \"percentile(temp, 0.95)\"), or \"count(*)\". What is "
         "computed of fields is for a map before it.",
     .example = "{\"temp\": \"avg(temp)\", \"n\": \"count(*)\"}"},
    {.name = "having",
     .help =
         "An SQL expression over the fields of a result (\"n > 10\"). Those for which it is not "
         "true are left out."},
    {.name = "lateness",
     .type = OptionType::kDuration,
     .fallback = "0s",
     .help =
         "How far behind the highest event time records may come and still be counted: a window "
         "closes that much after its end.",
     .max = int64_t{3650} * 86'400'000},
    {.name = "late",
     .fallback = "drop",
     .help = "What becomes of a record whose window is closed: dropped (and counted), a dead "
             "letter, or counted all the same, and the result is given once more (emit).",
     .choices = kLateChoices},
    {.name = "correctFor",
     .type = OptionType::kDuration,
     .help = "With `late` emit, how long by event time a window stays that is closed, so that late "
             "records can correct it. What is later is dropped. Default: 1h.",
     .min = 1,
     .max = int64_t{3650} * 86'400'000},
    kMaxAheadOption,
    {.name = "idle",
     .type = OptionType::kDuration,
     .fallback = "1m",
     .help =
         "A partition of the source (a file, say) that has given nothing for so long does not hold "
         "the others back. When none gives anything, time goes on with the clock from then on, "
         "so that the last windows close, too.",
     .min = 1},
    {.name = "emitEarly",
     .type = OptionType::kDuration,
     .help = "By the clock, each time so long behind the last, also what has been counted so far "
             "in the windows that are open, for a live display: the same key and start come again. "
             "Default: only what is final.",
     .min = 1},
    {.name = "startField",
     .fallback = "windowStart",
     .help = "The field for the start of the window, which is the event time of the result, too."},
    {.name = "endField", .fallback = "windowEnd", .help = "The field for the end of the window."},
    {.name = "correctionField",
     .fallback = "windowCorrection",
     .help = "With `late` emit, the field that is true in a result that is given because of a late "
             "record, and false in others."},
    kMaxKeysOption,
    kAtBoundOption};

void check_spans(const Options& options, OptionErrors& errors) {
  const bool sessions = options.has("session.gap");
  const bool corrects = options.string("late") == "emit";
  if (corrects && sessions)
    errors.add(options, "late", "emit is for windows of a fixed length (every)");
  if (!corrects && options.has("correctFor"))
    errors.add(options, "correctFor", "is only for late emit", OptionErrors::Kind::kUnused);
  if (sessions == options.has("every"))
    errors.add(options, "every", "one of every and session is needed, and not both",
               sessions ? OptionErrors::Kind::kInvalid : OptionErrors::Kind::kMissing);
  if (!options.has("slide")) return;
  const Milliseconds every = options.duration("every");
  const Milliseconds slide = options.duration("slide");
  if (slide > every || every.count() / slide.count() > kMostAtOnce)
    errors.add(options, "slide", "must not be longer than every, nor shorter than 1/1000 of it");
}

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  Result<Aggregates> aggregates = Aggregates::parse(options, "set");
  (void)errors.good(aggregates);
  check_spans(options, errors);
  std::vector<std::string> names;
  auto add = [&](const std::string& name, const std::string& path) {
    if (std::ranges::find(names, name) != names.end())
      errors.add({.path = path, .text = "a result would have the field \"" + name + "\" twice"});
    names.push_back(name);
  };
  for (const std::string& name : options.strings("key")) add(name, options.path("key"));
  for (const auto& [name, text] : options.map("set"))
    add(name, path_of_key(options.path("set"), name));
  for (const char* option : {"startField", "endField"})
    add(options.string(option), options.path(option));
  const bool corrects = options.string("late") == "emit";
  if (corrects) add(options.string("correctionField"), options.path("correctionField"));
  std::unique_ptr<Transform> having;
  if (options.has("having")) {
    Options where(kFilterTransform.options, options.path());
    where.set("where", options.string("having"));
    Result<std::unique_ptr<Transform>> made = kFilterTransform.make(where);
    if (made) {
      having = std::move(*made);
    } else {
      std::string why = made.error().message();
      const std::string path = options.path("where") + ": ";
      if (why.starts_with(path)) why = why.substr(path.size());
      errors.add(options, "having", why);
    }
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  WindowParts parts{std::move(*aggregates), std::move(having)};
  if (corrects)
    parts.correct_for = options.has("correctFor") ? options.duration("correctFor") : kCorrectFor;
  return options.has("session.gap") ? make_session_windows(options, std::move(parts))
                                    : make_fixed_windows(options, std::move(parts));
}

}  // namespace

const TransformType kWindowTransform{
    .name = "window",
    .help = "Makes one record of those of a span of event time, for each key.",
    .options = kOptions,
    .make = make,
    .code = "window",
    .remembers = true};

}  // namespace leat
