// Connectors that do nothing, for tests that read configurations.
#pragma once

#include <array>

#include "options/option_errors.h"
#include "stage/registry.h"

namespace leat::fake {

inline constexpr Option kTankOptions[] = {
    {.name = "path",
     .type = OptionType::kStrings,
     .required = true,
     .help = "Files.",
     .path = true},
    {.name = "follow", .type = OptionType::kBool, .fallback = "false", .help = "Go on."},
};

inline constexpr Option kTapOptions[] = {
    {.name = "rate", .type = OptionType::kInteger, .fallback = "0", .help = "Records a second."},
};

inline constexpr Option kDrainOptions[] = {
    {.name = "url", .required = true, .help = "Where to."},
    {.name = "user", .help = "User.", .once = "one throws the other out", .once_with = "url"},
    {.name = "password", .secret = true, .help = "Secret."},
};

inline constexpr Option kShelfOptions[] = {
    {.name = "table", .required = true, .help = "Table."},
};

inline Result<std::unique_ptr<Source>> no_source(const Options&) {
  return std::unique_ptr<Source>();
}

inline Result<std::unique_ptr<Sink>> no_sink(const Options&) {
  return std::unique_ptr<Sink>();
}

// A sink that judges its options itself, as real ones do.
inline Result<std::unique_ptr<Sink>> make_drain(const Options& options) {
  OptionErrors errors;
  if (!options.string("url").starts_with("http"))
    errors.add(options, "url", "must begin with http:// or https://");
  if (options.has("password") && !options.has("user"))
    errors.add(options, "password", "needs \"user\"");
  if (Status status = errors.status(); !status) return fail(status.error());
  return std::unique_ptr<Sink>();
}

inline void warn_of_tap(const Options& options, OptionErrors& warnings) {
  if (options.integer("rate") > 1000) warnings.add(options, "rate", "is very fast");
}

inline bool never_ends(const Options&) {
  return false;
}

// A tank of which nothing is known yet has a bottom, and so have those in /in.
inline bool has_bottom(const Options& options) {
  const std::vector<std::string>& paths = options.strings("path");
  return paths.empty() || paths[0].starts_with("/in/");
}

inline const SourceType kTank{.name = "tank",
                              .help = "Reads a tank.",
                              .produces = Produces::kBytes,
                              .replay = replays<Replay::kFromPosition>,
                              .options = kTankOptions,
                              .default_format = "json",
                              .bounded = has_bottom,
                              .make = no_source};

inline const SourceType kTap{.name = "tap",
                             .help = "Makes records.",
                             .produces = Produces::kRecords,
                             .replay = replays<Replay::kNone>,
                             .options = kTapOptions,
                             .bounded = never_ends,
                             .make = no_source,
                             .warn = warn_of_tap};

inline const SinkType kDrain{.name = "drain",
                             .help = "Pours records out.",
                             .consumes = Consumes::kSlices,
                             .options = kDrainOptions,
                             .default_format = "ndjson",
                             .appends = true,
                             .max_in_flight = 8,
                             .default_in_flight = 2,
                             .batch = {500, 65536, Milliseconds(100), Milliseconds(5)},
                             .stores_positions = false,
                             .make = make_drain};

inline const SinkType kShelf{.name = "shelf",
                             .help = "Keeps records.",
                             .consumes = Consumes::kRecords,
                             .options = kShelfOptions,
                             .max_in_flight = 1,
                             .default_in_flight = 1,
                             .batch = {},
                             .stores_positions = true,
                             .make = no_sink};

inline const std::array<const SourceType*, 2> kSources{&kTank, &kTap};
inline const std::array<const SinkType*, 2> kSinks{&kDrain, &kShelf};
inline constexpr LeftOut kLeftOut[] = {{"sewer", false, true}};

inline Registry registry() {
  return {kSources, kSinks, kLeftOut};
}

}  // namespace leat::fake
