// Reads a table in passes and pages, and remembers how far. The same for all databases.
//
// How no row is missed where the database numbers its transactions: a full read takes what was
// written by all but those that were open when it began, or began later; each pass behind it what
// was written by those in [low, high), where `high` is the oldest that is still open, so that all
// below it are finished for ever. The sets are disjoint and leave nothing out, whatever clocks say
// and however long a transaction takes. Each page is a statement of its own: nothing is held open.
//
// Where it does not, rows are read in the order of the cursor, and those that are too new are left
// alone for the consistencyDelay.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "base/log.h"
#include "loop/timer.h"
#include "stage/source.h"
#include "table/attempts.h"
#include "table/cursor_log.h"
#include "table/database.h"
#include "table/settings.h"

namespace leat::table {

class TableSource final : public Source, private Rows {
 public:
  TableSource(Settings settings, std::unique_ptr<Database> database, Part part = {});

  Status open(SourceContext& context) override;
  void resume() override;
  void stop(std::function<void()> closed) override;
  void acked(const Position& position) override { log_.forget_before(position.offset); }
  SavedPosition saved_position(const Position& position) override;
  std::string describe(const Position& position) override;
  // The last attempt failed, and not because of this table: others would fail of the same.
  bool away() const { return away_; }

 private:
  // What comes next, for which there was no credit.
  enum class Waits : uint8_t { kNot, kToBegin, kInPage };

  Status load();
  void look();
  void looked(Result<Look> look);
  Status check(const Look& look);
  void begin_anew(const std::string& why);
  void begin_without_position(const Look& look);
  void begin_pass(const Look& look);
  std::string since(uint64_t number) const;
  void remember(const Look& look);
  void say_who_holds(const Look& look);
  void say_what_is_left(const Look& look);
  void next_page();
  void page_read(Result<bool> last);
  void pass_over();
  void wait_for_more();
  void end();
  void trouble(const Error& error);
  void well();
  void flush();

  // Rows.
  Batch* room() override;
  void add(const ShapeRef& shape, Value* values, size_t bytes,
           std::span<const std::string_view> key) override;
  bool too_long(std::span<const std::string_view> key, size_t bytes) override;
  void name_table(Record& record, const ShapeRef& shape);
  void stands_at(std::span<const std::string_view> key);

  const Settings settings_;
  const std::unique_ptr<Database> database_;
  const Part part_;  // of the table
  const std::string partition_;
  SourceContext* context_ = nullptr;
  std::optional<Timer> timer_;  // none before open() and after stop()
  Attempts attempts_;
  bool away_ = false;

  TablePosition position_;  // of the row that was given last
  bool saved_ = false;      // it comes from a position, or needs none
  bool keyed_ = true;
  Pass pass_;
  std::string upper_;  // of this pass, as in Page
  Key last_;
  bool began_here_ = false;  // this pass, after a look of this run: not one that goes on
  std::deque<std::pair<uint64_t, std::string>> looks_;  // Look::next and ::now, oldest first
  std::optional<Milliseconds> held_since_;
  log::OnceAMinute held_said_;

  BatchRef batch_;
  size_t batch_bytes_ = 0;
  std::string_view table_name_;  // in the batch's arena, with a tableField
  ShapeRef columns_;             // as the rows have them
  ShapeRef named_columns_;       // and the tableField
  Waits waits_ = Waits::kNot;
  uint64_t emitted_ = 0;  // rows
  uint64_t rows_ = 0;     // those that wait in the batch, too
  uint64_t bytes_ = 0;
  std::optional<uint64_t> done_at_;  // of a read without a cursor
  CursorLog log_;
  Lifetime lifetime_;
};

}  // namespace leat::table
