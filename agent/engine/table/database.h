// What a connector does for TableSource: it knows the database's SQL and types, and nothing of
// passes, credit and positions.
//
// Thread: everything is called on, and calls back on, the pipeline's loop, never from inside a
// call. One thing is asked at a time. Errors: kUnavailable is tried again, all others end the
// pipeline.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "stage/source.h"
#include "table/position.h"

namespace leat::table {

// What the database says of itself and of the table before a pass.
struct Look {
  // What orders the rows: the option, or the primary key. Empty: there is none.
  std::vector<std::string> cursor;

  // The database numbers its transactions: all below `oldest` are finished, and `next` has not been
  // given. With them `now`, by the database's clock.
  bool numbered = false;
  uint64_t oldest = 0;
  uint64_t next = 0;
  std::string now;
  std::string holder;  // who has `oldest`, for people; "": not known
  std::string system;  // whose numbers they are; "": not known

  // Otherwise rows behind one of these are left alone: a value of the first cursor column, a time;
  // or, with `settle`, the last row that there is, which is to be waited at for the
  // consistencyDelay. Without one there is nothing to read.
  std::string upper;
  Key last;
  bool settle = false;
};

struct Page {
  TablePosition pass;  // with the row behind which to go on
  std::string upper;   // as in Look
  Key last;
};

// A table that one of several names or patterns (table_list.h) means.
struct Listed {
  size_t asked = 0;      // by the name or pattern of this number
  std::string name;      // as it would be named in the place of a pattern
  std::string identity;  // the same however it is named
  bool within = false;   // a pattern has found it, and it is read with another of these
  uint64_t rows = 0;     // about so many, as the database remembers; 0: it does not
};
using Tables = Result<std::vector<Listed>>;

// Where the rows of a page go.
class Rows {
 public:
  virtual ~Rows() = default;
  // For the values of one row. Null: there is no room now. The same row is to be given again after
  // Database::go_on().
  virtual Batch* room() = 0;
  // `values` are in the arena of what room() gave; `bytes` is what they take there. `key`: of the
  // cursor columns.
  virtual void add(const ShapeRef& shape, Value* values, size_t bytes,
                   std::span<const std::string_view> key) = 0;
  // In the place of both, for a row that is longer than Settings::max_record. `bytes`: how long; 0:
  // nobody knows. False: there is no room now, as above.
  virtual bool too_long(std::span<const std::string_view> key, size_t bytes) = 0;
};

class Database {
 public:
  virtual ~Database() = default;

  // Once, before all else. Errors are those of Source::open().
  virtual Status open(SourceContext& context) = 0;
  // The same for who reads nothing, and only asks.
  virtual Status open(Loop& loop, const std::string& pipeline) = 0;
  virtual void look(std::function<void(Result<Look>)> done) = 0;
  // After a look that was good, for people: "table orders with 5 columns".
  virtual std::string found() const = 0;
  // Rows that follow `page.pass.after`, in order; all where there is no cursor. True: there are no
  // more in this pass.
  virtual void read(Page page, Rows& rows, std::function<void(Result<bool>)> done) = 0;
  virtual void go_on() = 0;
  // After an error that is kUnavailable: it is of this table, and not of the whole database.
  virtual bool answers() const { return false; }
  // In the place of all the others: what these mean, in their order. None for what is not there.
  virtual void list(const std::vector<std::string>& names, std::function<void(Tables)> done) = 0;
  // After a look, of a table with a cursor: keys that divide its rows into about `parts` of the
  // same number, each the last of a part but the last part's. Fewer where there are fewer rows.
  virtual void divide(const std::vector<std::string>& cursor, size_t parts,
                      std::function<void(Result<std::vector<Key>>)> done) = 0;
  // What is under way is given up and does not call back.
  virtual void close(std::function<void()> closed) = 0;
};

}  // namespace leat::table
