// The options that all sources of tables have in common, checked as a whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "options/options.h"

namespace leat {
class OptionErrors;  // options/option_errors.h
}

namespace leat::table {

inline constexpr std::string_view kModes[] = {"full", "incremental", "fullAndContinuous"};

inline constexpr Option kSplitOptions[] = {
    {.name = "by",
     .help = "The column to divide it by, which is the first of the cursor. Without it, the first "
             "of the primary key.",
     .example = "\"id\""},
    {.name = "tasks",
     .type = OptionType::kInteger,
     .fallback = "4",
     .help = "How many ranges, of about as many rows each.",
     .min = 2,
     .max = 1000},
};

inline constexpr Option kFailoverOptions[] = {
    {.name = "attempts",
     .type = OptionType::kInteger,
     .fallback = "3",
     .help = "How often a task is tried again in one run, at most.",
     .min = 1,
     .max = 1000},
    {.name = "interval",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "How long it waits before that, and up to a tenth more.",
     .min = 1,
     .max = 86'400'000},
};

inline constexpr Option kOptions[] = {
    {.name = "table",
     .help = "The table or view to read. Either this, `tables` or `query`.",
     .example = "\"orders\""},
    {.name = "tables",
     .type = OptionType::kStrings,
     .help =
         "Several tables of the same form, in the place of one, as the tasks of a job. `%` in a "
         "name (orders_%) stands for any text, and is looked up when a run begins. For `full`, or "
         "with `once`."},
    {.name = "concurrency",
     .type = OptionType::kInteger,
     .help = "Of `tables`, or of the ranges of `split`: how many are read at once, as far as the "
             "memory "
             "allows it. Without it, 4.",
     .min = 1,
     .max = 64},
    {.name = "split",
     .type = OptionType::kObject,
     .help = "Reads one large table in ranges of its key, as the tasks of a job. For `full`.",
     .fields = kSplitOptions,
     .only_when_given = true},
    {.name = "failover",
     .type = OptionType::kObject,
     .help = "A table or range that failed, whatever the reason, is tried again from its position, "
             "while the others go on. For `full`, or with `once`.",
     .fields = kFailoverOptions,
     .only_when_given = true},
    {.name = "query",
     .help = "A SELECT of your own instead of a table. With a `cursor`, it has ORDER BY these "
             "columns and a parameter for each: `:after_NAME`."},
    {.name = "mode",
     .fallback = "full",
     .help = "full: all rows, then the pipeline has ended; incremental: rows that are new or "
             "changed, for ever; fullAndContinuous: first the one, then the other.",
     .choices = kModes},
    {.name = "columns",
     .type = OptionType::kStrings,
     .help = "The columns to read. Without it, all."},
    {.name = "tableField",
     .help = "A field that says which table a record is of, as its name stands in `table` or "
             "`tables`, or a pattern has found it; in the place of a column of that name.",
     .example = "\"table\""},
    {.name = "where", .help = "A condition in SQL that rows must meet: \"plant = 'north'\"."},
    {.name = "cursor",
     .type = OptionType::kStrings,
     .help = "Columns that order the rows: most often a time of change and the key, "
             "[\"updated_at\", \"id\"]. With those of a unique index among them. `full` takes the "
             "primary key where none is given."},
    {.name = "pageSize",
     .type = OptionType::kInteger,
     .fallback = "10000",
     .help = "Rows to ask for at a time, where there is a cursor.",
     .min = 1,
     .max = 1'000'000},
    {.name = "maxRecord",
     .type = OptionType::kBytes,
     .fallback = "16MiB",
     .help = "A row that is longer, as the database gives it, becomes a dead letter with its key, "
             "and reading goes on behind it.",
     .min = 1024,
     .max = 64 * 1024 * 1024},
    {.name = "every",
     .type = OptionType::kDuration,
     .fallback = "5s",
     .help = "How long to wait before the table is asked again for what is new.",
     .min = 100},
    {.name = "from",
     .type = OptionType::kStrings,
     .help =
         "For incremental: where to begin, a value of the first cursor column; without it, now. "
         "With `query`, a value for each cursor column, behind which it begins."},
    {.name = "once",
     .type = OptionType::kBool,
     .fallback = "false",
     .help = "Read what there is now, and end: for incremental and fullAndContinuous."},
    {.name = "consistencyDelay",
     .type = OptionType::kDuration,
     .fallback = "10s",
     .help = "Where it is not known which transactions are still open: how long a row is left "
             "alone, since others before it may still be written.",
     .max = 86'400'000},
};

// What names the database, these, and then a connector's other options.
template <size_t N>
consteval std::array<Option, N + std::size(kOptions)> with_options(const Option (&own)[N]) {
  std::array<Option, N + std::size(kOptions)> all{};
  size_t at = 0;
  all[at++] = own[0];
  for (const Option& option : kOptions) all[at++] = option;
  for (size_t i = 1; i < N; ++i) all[at++] = own[i];
  return all;
}

enum class Mode : uint8_t { kFull, kIncremental, kFullAndContinuous };

struct Settings {
  std::string table;  // "" with a query
  std::string query;
  Mode mode = Mode::kFull;
  std::vector<std::string> columns;  // empty: all
  std::string table_field;           // "": none
  std::string where;
  std::vector<std::string> cursor;  // empty: none was given
  std::string split_by;             // a column that the cursor begins with; "": any
  int64_t page_size = 10'000;
  size_t max_record = size_t{16} << 20;  // bytes
  Milliseconds every{5000};
  std::vector<std::string> from;  // empty: now
  bool once = false;
  Milliseconds consistency_delay{10'000};

  // Errors are kUsage and begin with the config path.
  static Result<Settings> from_options(const Options& options);
  static bool is_bounded(const Options& options);
  static bool is_full(const Options& options);
  static bool names_table(const Options& options);  // there is a tableField
  // For the first of several `tables`; else they are as they were. And for one of them.
  static Options of_first(const Options& options);
  static Options of_table(const Options& options, const std::string& table);
  // Of a list of names: each once, and none empty.
  static void check_names(const Options& options, const char* option, OptionErrors& errors);
  // What people and positions call it.
  const std::string& name() const { return query.empty() ? table : kQueryName; }
  bool is_bounded() const { return mode == Mode::kFull || once; }

 private:
  static const std::string kQueryName;
};

}  // namespace leat::table
