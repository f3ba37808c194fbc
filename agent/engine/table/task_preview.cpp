#include "table/task_preview.h"

#include <utility>

#include "base/text.h"
#include "table/sql_text.h"
#include "table/table_list.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

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
      database_->look([this](const Result<Look>& look) { looked(look); });
    else
      database_->list(names_, [this](const Tables& tables) { listed(tables); });
    return {};
  }

 private:
  void listed(const Tables& tables) {
    if (!tables) return done_(fail(tables.error()));
    Result<std::vector<std::string>> names = each_once(names_, *tables, {});
    if (!names) return done_(fail(names.error()));
    std::string out;
    for (const std::string& name : *names) (out += name) += '\n';
    done_(std::move(out));
  }

  void looked(const Result<Look>& look) {
    if (!look) return done_(fail(look.error()));
    if (look->cursor.empty()) return done_(fail(no_key()));
    cursor_ = joined(look->cursor);
    database_->divide(look->cursor, parts_,
                      [this](const Result<std::vector<Key>>& bounds) { divided(bounds); });
  }

  // "orders, 2 of 4: id up to 5000"
  void divided(const Result<std::vector<Key>>& bounds) {
    if (!bounds) return done_(fail(bounds.error()));
    std::string out;
    for (size_t i = 0; i <= bounds->size(); ++i) {
      (out += Part::label(table_, i + 1, bounds->size() + 1)) += ": ";
      if (i < bounds->size())
        ((out += cursor_) += " up to ") += excerpt(joined((*bounds)[i]));
      else
        out += "the rest";
      out += '\n';
    }
    done_(std::move(out));
  }

  const std::vector<std::string> names_;
  const std::string table_;
  const size_t parts_;
  const Probed done_;
  const std::unique_ptr<Database> database_;
  std::string cursor_;
};

}  // namespace

std::string told_tasks(const Options& options) {
  std::string out = joined(options.strings("tables"));
  if (options.has("split")) out = "ranges of " + options.string("table");
  if (!out.empty()) out += ", " + std::to_string(TableGroup::at_once(options)) + " at once";
  return out;
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
