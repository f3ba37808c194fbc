#include "connectors/postgres/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connectors/postgres/new_table.h"
#include "connectors/postgres/statements.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

constexpr size_t kMostUnknownTold = 100;

}  // namespace

Answer all_rejected(const Delivery& delivery, std::string reason) {
  std::vector<uint32_t> all(delivery.records);
  std::iota(all.begin(), all.end(), 0);
  return Answer::rejected({std::move(reason), "type"}, std::move(all));
}

void Table::forget() {
  target_.reset();
  mapping_.reset();
}

bool Table::ready_for(const Delivery& delivery) {
  if (!target_) return false;
  if (config_.mapping.create && !widened_ && !unknown_fields(*mapping_, delivery).empty())
    return false;
  return !target_->staged() || staging_in_ == session_.number();
}

void Table::prepare(const Delivery& delivery, StepEnd end) {
  if (!target_) return look(delivery, std::move(end));
  if (config_.mapping.create && !widened_ && !unknown_fields(*mapping_, delivery).empty())
    return add_columns(delivery, std::move(end));
  session_.ask("creating the staging table", staging_sql(target_->layout, target_->numbered()),
               [this, end](const Reply&) {
                 staging_in_ = session_.number();
                 end({});
               });
}

void Table::look(const Delivery& delivery, StepEnd end) {
  session_.ask("looking at the table", layout_sql(config_.name),
               [this, &delivery, end](const Reply& reply) { looked(delivery, reply, end); });
}

void Table::looked(const Delivery& delivery, const Reply& reply, StepEnd end) {
  Result<std::optional<Layout>> layout = read_layout(reply.rows);
  if (!layout) return end(Answer::retry(layout.error().message()));
  if (!*layout && config_.mapping.create) return create(delivery, std::move(end));
  if (!*layout)
    return end(Answer::failed("there is no table " + config_.name.sql() +
                              (config_.mapping.mode == WriteMode::kMerge
                                   ? ", which is to give the staging table its columns"
                                   : ", and createTable is false")));
  target_.emplace(Target{&config_.mapping, config_.name.sql(), config_.merge_sql,
                         std::move(**layout), nullptr});
  for (Column& column : target_->layout.columns)
    column.guessed = config_.mapping.create && is_guess(column);
  mapping_.emplace(config_.mapping, target_->layout);
  target_->mapping = &*mapping_;
  staging_in_ = 0;
  if (Status checked = mapping_->check(); !checked) {
    forget();
    return end(Answer::failed(checked.error().message()));
  }
  end({});
}

void Table::compare(std::function<void(bool)> then) {
  session_.ask("looking at the table", layout_sql(config_.name),
               [this, then = std::move(then)](const Reply& reply) {
                 Result<std::optional<Layout>> now = read_layout(reply.rows);
                 then(now && *now && (*now)->same_columns(target_->layout));
               });
}

void Table::create(const Delivery& delivery, StepEnd end) {
  std::vector<NewColumn> columns = columns_for(config_.mapping, delivery);
  for (const std::string& key : config_.mapping.key)
    if (std::none_of(columns.begin(), columns.end(),
                     [&key](const NewColumn& column) { return column.name == key; }))
      return end(all_rejected(delivery, "key column " + excerpt(key) + ": no record has a value"));
  if (columns.empty()) columns = columns_for(config_.mapping, delivery, true);
  if (columns.empty()) return end(all_rejected(delivery, "the record has no fields"));
  if (std::exchange(created_, true))  // it was made, and is not there: by another search_path
    return end(Answer::failed("the table " + config_.name.sql() +
                              " was created, but is not found; name its schema in \"table\""));
  define(create_table_sql(config_.name, columns, config_.mapping.key), end, [this, end] {
    log::info(pipeline_, shown_ + ": created the table " + config_.name.sql());
    end({});
  });
}

void Table::add_columns(const Delivery& delivery, StepEnd end) {
  widened_ = true;
  std::vector<std::string> unknown = unknown_fields(*mapping_, delivery);
  std::vector<NewColumn> columns = columns_for(config_.mapping, delivery);
  std::erase_if(columns, [this](const NewColumn& column) {
    return target_->layout.find(column.name) != nullptr;
  });
  // By its other spelling a field may have a column: {"tempF": 1} goes into tempf.
  std::erase_if(columns, [this, &unknown](const NewColumn& column) {
    return config_.mapping.columns.empty() &&
           std::none_of(unknown.begin(), unknown.end(), [&column](const std::string& name) {
             return Mapping::column_name(name) == column.name;
           });
  });
  if (columns.empty()) return end({});
  define(add_columns_sql(config_.name, columns), end, [this, columns, end] {
    for (const NewColumn& column : columns)
      log::info(pipeline_, shown_ + ": added the column " + excerpt(column.name) + " (" +
                               column.type + ") to " + config_.name.sql());
    forget();
    end({});
  });
}

bool Table::can_widen(const Delivery& delivery, FieldText& text) {
  if (!config_.mapping.create) return false;
  widenings_ = widenings_for(*target_, text, delivery, others_);
  std::erase_if(widenings_, [this](const Widening& one) { return stay_.contains(one.column); });
  return !widenings_.empty();
}

void Table::widen(StepEnd end, std::function<void()> refused) {
  session_.ask("createTable", has_large_sql(config_.name.sql(), widenings_),
               [this, end, refused](const Reply& reply) {
                 for (size_t i = 0; i < widenings_.size() && i < reply.rows.size(); ++i)
                   if (!reply.rows[i].empty() && reply.rows[i][0] == "t")
                     widenings_[i].to = "numeric";
                 alter(end, refused);
               });
}

// Locks and deadlocks pass; a table that is too large to be written anew within `timeout` stays so.
void Table::alter(StepEnd end, std::function<void()> refused) {
  auto failed = [this, end, refused](const ServerError& error) {
    if (verdict_on(error.sqlstate) == Verdict::kRetry && error.sqlstate != "57014") {
      end(Answer::retry("createTable: " + error.message()));
      return true;
    }
    for (const Widening& one : widenings_) {
      stay_.insert(one.column);
      log::warn(pipeline_, shown_ + ": column " + excerpt(one.column) + " of " +
                               config_.name.sql() + " stays " + one.from + ", not " + one.to +
                               ": " + error.message());
    }
    refused();
    return true;
  };
  session_.create(
      "createTable", widen_sql(config_.name.sql(), widenings_),
      [this, end] {
        for (const Widening& one : widenings_)
          log::info(pipeline_, shown_ + ": column " + excerpt(one.column) + " of " +
                                   config_.name.sql() + " is " + one.to + " now, and was " +
                                   one.from + ": its values need it");
        forget();
        end({});
      },
      failed);
}

void Table::define(const std::string& sql, StepEnd end, std::function<void()> then) {
  session_.create("createTable", sql, std::move(then), [end](const ServerError& error) {
    if (!blames_definition(error.sqlstate)) return false;
    end(Answer::rejected({"createTable: " + error.message(), "type"}));
    return true;
  });
}

void Table::tell_unknown_fields(const Delivery& delivery) {
  if (config_.mapping.reject_unknown || told_unknown_.size() >= kMostUnknownTold) return;
  for (const std::string& name : unknown_fields(*mapping_, delivery)) {
    if (told_unknown_.size() >= kMostUnknownTold || !told_unknown_.insert(name).second) continue;
    const Column* column = target_->layout.find(Mapping::column_name(name));
    std::string what = column != nullptr && column->generated ? " is a generated column of table "
                       : config_.mapping.create               ? " cannot become a column of table "
                                                              : " has no column of table ";
    std::string why(impossible_column(Mapping::column_name(name)));
    if (why.empty() && Mapping::column_name(name) != name)
      why = column == nullptr ? "of a name, PostgreSQL takes 63 bytes"
                              : "of a name, PostgreSQL takes 63 bytes, and another field has these";
    log::warn(pipeline_, "postgres: field " + excerpt(name) + what + config_.name.sql() +
                             (why.empty() ? "" : " (" + why + ")") + ": it is left out");
  }
}

}  // namespace leat::postgres
