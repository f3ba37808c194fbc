#include "config/tables.h"

#include <algorithm>

#include "config/wording.h"
#include "stage/format.h"

namespace leat {
namespace {

constexpr std::string_view kTimeOnError[] = {"arrival", "deadLetter"};

constexpr Option kTimeOptions[] = {
    {.name = "field", .required = true, .help = "The field that holds the event time."},
    {.name = "format",
     .fallback = "rfc3339",
     .help = "How it is written: rfc3339, unix, unixMs, unixUs, unixNs, or a pattern such as "
             "\"%Y-%m-%d %H:%M:%S.%f %z\" (read as UTC without %z)."},
    {.name = "onError",
     .fallback = "arrival",
     .help = "A record without a time that can be read: it gets the time of its arrival, or is a "
             "dead letter.",
     .choices = kTimeOnError},
};

bool can_append(const WriteFormat& format) {
  return format.close.empty();
}

// The default first.
template <typename Format>
std::vector<std::string_view> names_of(std::span<const Format* const> formats,
                                       std::string_view first) {
  std::vector<std::string_view> out;
  for (const Format* format : formats) out.push_back(format->name);
  auto found = std::ranges::find(out, first);
  if (found != out.end()) std::rotate(out.begin(), found, found + 1);
  return out;
}

// `format`, whose choices are `names`, and the objects that hold options of formats, each once.
template <typename Format>
void add_formats(std::span<const std::string_view> names, std::string_view help,
                 const Format* (*find)(std::string_view), std::vector<Option>& out) {
  out.push_back({.name = "format", .fallback = names[0], .help = help, .choices = names});
  for (std::string_view name : names) {
    const Format* format = find(name);
    if (format->options_name.empty()) continue;
    auto same = [format](const Option& o) { return o.name == format->options_name; };
    if (std::ranges::any_of(out, same)) continue;
    out.push_back({.name = format->options_name,
                   .type = OptionType::kObject,
                   .help = "Options of this format, when it is the one in use.",
                   .fields = format->options});
  }
}

}  // namespace

SourceOptions::SourceOptions(const SourceType& type) {
  if (type.produces != Produces::kRecords) {
    formats_ = names_of(read_formats(), type.default_format);
    add_formats(formats_, "How the bytes are read as records.", find_read_format, added_);
  }
  added_.push_back({.name = "fieldTypes",
                    .type = OptionType::kMap,
                    .help =
                        "Types of fields, by name: bool, integer, float, decimal, string or time "
                        "(rfc3339). Where nothing is lost by it a value becomes of its type "
                        "(\"21\" a float); any other makes its record a dead letter. Null is of "
                        "any type."});
  added_.push_back({.name = "time",
                    .type = OptionType::kObject,
                    .help = "Where a record holds its event time. Without it: the time of arrival.",
                    .fields = kTimeOptions});
}

namespace {

std::string linger_help(const BatchLimits& batch) {
  std::string help = "How long a record waits for more, when there are fewer.";
  if (batch.spacing.count() == 0) return help;
  return help + " At this default an idle sink gets at once what there is, " +
         format_duration(batch.spacing) +
         " or more after the last delivery; any other linger is kept in full.";
}

}  // namespace

SinkOptions::SinkOptions(const SinkType& type) {
  batch_ = {
      {.name = "records",
       .type = OptionType::kInteger,
       .fallback = keep(std::to_string(type.batch.records)),
       .help = "At most so many records.",
       .min = 1,
       .max = 1'000'000},
      {.name = "bytes",
       .type = OptionType::kBytes,
       .fallback = keep(exact_bytes(type.batch.bytes)),
       .help = "At most so many bytes; a larger record goes alone.",
       .min = 1},
      {.name = "linger",
       .type = OptionType::kDuration,
       .fallback = keep(exact_duration(type.batch.linger)),
       .help = keep(linger_help(type.batch))},
  };
  if (type.consumes == Consumes::kSlices) {
    formats_ = names_of(write_formats(), type.default_format);
    if (type.appends)
      std::erase_if(formats_, [](auto name) { return !can_append(*find_write_format(name)); });
    add_formats(formats_, "How the records are written.", find_write_format, added_);
  }
  added_.push_back({.name = "batch",
                    .type = OptionType::kObject,
                    .help = "What is delivered at once.",
                    .fields = batch_});
  if (type.max_in_flight > 1 && type.channel.empty())
    added_.push_back({.name = "inFlight",
                      .type = OptionType::kInteger,
                      .fallback = keep(std::to_string(type.default_in_flight)),
                      .help = type.keeps_order
                                  ? "Batches that may be under way at once, in order."
                                  : "Batches that may be under way at once; 1 keeps their order.",
                      .min = 1,
                      .max = type.max_in_flight});
}

std::string_view SinkOptions::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

}  // namespace leat
