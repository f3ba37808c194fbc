#include "table/probes.h"

#include <utility>

#include "base/text.h"
#include "table/sql_text.h"
#include "table/table_list.h"
#include "table/table_split.h"

namespace leat::table {
namespace {

class LookProbe final : public PeerProbe {
 public:
  LookProbe(const Options& options, std::unique_ptr<Database> database, Probed done)
      : table_(options.string("table")), done_(std::move(done)), database_(std::move(database)) {}

  Status begin(const ProbeContext& context) {
    if (Status opened = database_->open(context.loop, context.pipeline); !opened) return opened;
    if (is_pattern(table_))
      database_->list({table_}, [this](const Tables& tables) { done_(found(table_, tables)); });
    else
      database_->look([this](const Result<Look>& look) {
        if (!look) return done_(fail(look.error()));
        done_(database_->found());
      });
    return {};
  }

 private:
  const std::string table_;
  const Probed done_;
  const std::unique_ptr<Database> database_;
};

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

// `options`: what the probe is told; the database, the first table of them.
template <class Probe>
std::unique_ptr<PeerProbe> begun(const Options& options, TableGroup::MakeDatabase make_database,
                                 const ProbeContext& context, Probed done) {
  Result<std::unique_ptr<Database>> database = make_database(Settings::of_first(options));
  if (!database) return probe_that_failed(context.loop, database.error(), std::move(done));
  auto probe = std::make_unique<Probe>(options, std::move(*database), done);
  if (Status good = probe->begin(context); !good)
    return probe_that_failed(context.loop, good.error(), std::move(done));
  return probe;
}

}  // namespace

std::string told_tasks(const Options& options) {
  std::string out = joined(options.strings("tables"));
  if (options.has("split")) out = "ranges of " + options.string("table");
  if (!out.empty()) out += ", " + std::to_string(TableGroup::at_once(options)) + " at once";
  return out;
}

std::unique_ptr<PeerProbe> probe(const Options& options, TableGroup::MakeDatabase make_database,
                                 const ProbeContext& context, Probed done) {
  return begun<LookProbe>(Settings::of_first(options), make_database, context, std::move(done));
}

std::unique_ptr<PeerProbe> ask_tasks(const Options& options, TableGroup::MakeDatabase make_database,
                                     const ProbeContext& context, Probed done) {
  return begun<TaskPreview>(options, make_database, context, std::move(done));
}

}  // namespace leat::table
