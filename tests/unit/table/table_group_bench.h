// Several tables in one source, over databases of the tests' own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/source_harness.h"
#include "table/table_group.h"
#include "table/table_list.h"
#include "table/table_source.h"

namespace leat::testing {

using table::Look;
using table::Page;
using Ids = std::vector<int>;

// By table; read in pages of two.
inline std::map<std::string, Ids> tables;
inline std::map<std::string, std::string> failures;  // of a table that cannot be read, for good
inline std::map<std::string, int> failures_in_row;   // of a table: this one cannot be read
inline std::map<std::string, std::vector<std::string>> meant;  // by patterns
inline std::map<std::string, std::string> aliases;             // other names of tables
inline bool away = false;                                      // the database
inline int open_now = 0;
inline int most_open = 0;
inline int looks = 0;
inline int reads = 0;
inline int divisions = 0;

inline std::string text_of(int id) {
  return std::to_string(1000 + id);
}

class ListDatabase final : public table::Database {
 public:
  explicit ListDatabase(std::string table) : table_(std::move(table)) {}

  Status open(SourceContext& context) override {
    most_open = std::max(most_open, ++open_now);
    EXPECT_TRUE(context.passes_rows()) << "as the task says";
    return open(context.loop(), context.pipeline());
  }
  Status open(Loop& loop, const std::string& /*pipeline*/) override {
    later_.emplace(loop);
    return {};
  }
  std::string found() const override { return {}; }
  void look(std::function<void(Result<Look>)> done) override {
    later_->start_next_turn([this, done = std::move(done)] {
      auto call = done;
      ++looks;
      if (away) return call(fail(ErrorKind::kUnavailable, "nobody answers"));
      if (auto failure = failures.find(table_); failure != failures.end())
        return call(fail(ErrorKind::kUsage, failure->second));
      Look look;
      look.cursor = {"id"};
      call(std::move(look));
    });
  }
  void read(Page page, table::Rows& rows, std::function<void(Result<bool>)> done) override {
    ++reads;
    after_ = page.pass.after.empty() ? "" : page.pass.after[0];
    last_ = page.last.empty() ? "9999" : page.last[0];
    rows_ = &rows;
    done_ = std::move(done);
    left_ = 2;
    go_on();
  }
  void go_on() override {
    later_->start_next_turn([this] { give(); });
  }
  void list(const std::vector<std::string>& names,
            std::function<void(table::Tables)> done) override {
    later_->start_next_turn([names, done = std::move(done)] {
      auto call = done;
      if (away) return call(fail(ErrorKind::kUnavailable, "nobody answers"));
      std::vector<table::Listed> listed;
      for (size_t i = 0; i < names.size(); ++i)
        for (const std::string& name :
             table::is_pattern(names[i]) ? meant[names[i]] : std::vector{names[i]})
          if (const auto other = aliases.find(name); other != aliases.end())
            listed.push_back({i, name, other->second});
          else if (tables.contains(name))
            listed.push_back({i, name, name});
      call(std::move(listed));
    });
  }
  void divide(const std::vector<std::string>& /*cursor*/, size_t parts,
              std::function<void(Result<std::vector<table::Key>>)> done) override {
    later_->start_next_turn([this, parts, done = std::move(done)] {
      ++divisions;
      const Ids& rows = tables[table_];
      std::vector<table::Key> bounds;
      for (size_t i = 0; i + 1 < rows.size(); ++i)
        if ((i + 1) * parts / rows.size() > i * parts / rows.size())
          bounds.push_back({text_of(rows[i])});
      auto call = done;
      call(std::move(bounds));
    });
  }
  void close(std::function<void()> closed) override {
    if (!later_) return closed();
    later_->start_next_turn([closed = std::move(closed)] {
      --open_now;
      auto call = closed;
      call();
    });
  }

 private:
  void give() {
    for (int id : tables[table_]) {
      const std::string key = text_of(id);
      if (key <= after_ || key > last_) continue;
      if (left_ == 0) break;
      if (const auto bad = failures_in_row.find(table_);
          bad != failures_in_row.end() && bad->second == id) {
        auto done = std::move(done_);
        return done(fail(ErrorKind::kFatal, "row " + key + " is damaged"));
      }
      Batch* batch = rows_->room();
      if (batch == nullptr) return;
      auto* values = batch->arena.array<Value>(1);
      values[0] = Value::of_integer(id);
      const std::string_view keys[] = {key};
      rows_->add(shape_, values, 100, keys);
      after_ = key;
      --left_;
    }
    auto done = std::move(done_);
    done(left_ > 0);
  }

  const std::string table_;
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"id"});
  std::optional<Timer> later_;
  std::string after_;
  std::string last_;
  table::Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> done_;
  int left_ = 0;
};

inline Result<std::unique_ptr<table::Database>> make_database(const Options& options) {
  Result<table::Settings> settings = table::Settings::from_options(options);
  if (!settings) return fail(settings.error());
  return std::make_unique<ListDatabase>(settings->table);
}

inline Result<std::unique_ptr<Source>> make_several(const Options& options) {
  return table::TableGroup::make(options, make_database);
}

inline const SourceType kType{.name = "lists",
                              .help = "",
                              .produces = Produces::kRecords,
                              .replay = replays<Replay::kFromPosition>,
                              .options = table::kOptions,
                              .bounded = table::Settings::is_bounded,
                              .make = make_several};

class TableGroupTest : public SourceHarness {
 public:
  bool passes_rows() override { return true; }

 protected:
  TableGroupTest() : SourceHarness(kType) {
    options_.set("tables", std::vector<std::string>{"a", "b", "c"});
    tables = {{"a", {1, 2, 3}}, {"b", {}}, {"c", {4, 5}}};
    options_.set("concurrency", int64_t{1});
    failures.clear();
    failures_in_row.clear();
    meant.clear();
    aliases.clear();
    away = false;
    open_now = most_open = looks = reads = divisions = 0;
  }
  void given(BatchRef batch) override {
    for (const Record& record : batch->records)
      ids_.push_back(static_cast<int>(record.value(0).integer));
    places_.push_back(source_->describe(batch->end));
  }
  std::string states() {
    std::string out;
    for (const SourceTask& task : source_->tasks().shown)
      out +=
          task.name + "wrdf"[static_cast<size_t>(task.state)] + std::to_string(task.records) + ' ';
    return out;
  }
  std::string error_of_make() {
    Result<std::unique_ptr<Source>> made = make();
    return made ? "" : made.error().message();
  }

  Ids ids_;
  std::vector<std::string> places_;
};

}  // namespace leat::testing
