#include "table/task_preview.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "table/sql_text.h"
#include "table/table_list.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

// "12", or "(north, 12)".
std::string told(const Key& key) {
  std::string out;
  for (const std::string& value : key) out += (out.empty() ? "" : ", ") + excerpt(value, 40);
  return key.size() == 1 ? out : "(" + out + ")";
}

// "orders, 2 of 4: id above 2500, up to 5000"
std::string told(const Part& part, const std::string& table) {
  std::string out = part.label(table) + ": " + told(part.division->cursor);
  if (!part.above().empty()) out += " above " + told(part.above());
  if (!part.above().empty() && !part.upto().empty()) out += ",";
  if (!part.upto().empty()) out += " up to " + told(part.upto());
  return part.above().empty() && part.upto().empty() ? part.label(table) + ": all rows" : out;
}

class TaskPreview final : public PeerProbe {
 public:
  TaskPreview(const Options& options, std::unique_ptr<Database> database, Probed done)
      : names_(options.strings("tables")),
        table_(options.string("table")),
        parts_(static_cast<size_t>(options.integer("split.tasks"))),
        done_(std::move(done)),
        database_(std::move(database)) {}

  Status begin(const ProbeContext& context) {
    if (Status opened = database_->open(context.loop, context.pipeline); !opened) return opened;
    if (names_.empty())
      database_->look([this](Result<Look> look) { looked(std::move(look)); });
    else
      database_->list(names_, [this](const Tables& tables) { listed(tables); });
    return {};
  }

 private:
  void listed(const Tables& tables) {
    if (!tables) return done_(fail(tables.error()));
    Result<std::vector<std::string>> names = each_once(names_, *tables, {});
    if (!names) return done_(fail(names.error()));
    answer(names->size(), [&names](size_t i) { return (*names)[i]; });
  }

  void looked(Result<Look> look) {
    if (!look) return done_(fail(look.error()));
    if (look->cursor.empty()) return done_(fail(no_key()));
    auto division = std::make_shared<Division>();
    division->cursor = std::move(look->cursor);
    database_->divide(division->cursor, parts_, [this, division](Result<std::vector<Key>> bounds) {
      if (!bounds) return done_(fail(bounds.error()));
      division->bounds = std::move(*bounds);
      answer(division->ranges(), [this, &division](size_t i) {
        return told({division, i + 1}, table_);
      });
    });
  }

  template <typename Line>
  void answer(size_t tasks, Line line) {
    std::string out;
    for (size_t i = 0; i < std::min(tasks, SourceTasks::kMostShown); ++i)
      out += (i == 0 ? "" : "\n") + line(i);
    if (tasks > SourceTasks::kMostShown)
      out += "\n… and " + std::to_string(tasks - SourceTasks::kMostShown) + " more";
    done_(std::move(out));
  }

  const std::vector<std::string> names_;
  const std::string table_;
  const size_t parts_;
  const Probed done_;
  const std::unique_ptr<Database> database_;
};

}  // namespace

std::string told_tasks(const Options& options) {
  std::string out;
  if (const std::vector<std::string>& names = options.strings("tables"); !names.empty()) {
    out = "the tables " + joined(names);
  } else if (options.has("split")) {
    const std::string& by = options.string("split.by");
    out = format_count(static_cast<uint64_t>(options.integer("split.tasks")), "range") +
          " of the table " + options.string("table") + ", by " + (by.empty() ? "its key" : by);
  } else {
    return "";
  }
  return out + ", " + std::to_string(TableGroup::at_once(options)) + " at once";
}

std::unique_ptr<PeerProbe> ask_tasks(const Options& options, TableGroup::MakeDatabase make_database,
                                     const ProbeContext& context, Probed done) {
  Result<std::unique_ptr<Database>> database = make_database(Settings::of_first(options));
  if (!database) return probe_that_failed(context.loop, database.error(), std::move(done));
  auto preview = std::make_unique<TaskPreview>(options, std::move(*database), done);
  if (Status begun = preview->begin(context); !begun)
    return probe_that_failed(context.loop, begun.error(), std::move(done));
  return preview;
}

}  // namespace leat::table
