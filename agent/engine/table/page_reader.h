// A Database whose library blocks: `Pages` looks at the table and reads it, on a thread of its own;
// here the rows of a page become records, as the pipeline takes them.
//
// What Pages has, one call at a time, on that thread, but for cancel():
//   Result<Look> look(const Key& behind)
//   Result<PageRows> read(const Page&), and read_on() until a page has ended
//   Tables list(names), Result<std::vector<Key>> divide(cursor, parts): as Database's
//   void cancel(): what runs now, and all behind it, fails soon; any thread
//   void close()
//   Key first() const: behind which it begins; std::string found() const: as Database's, when a
//   look has ended; both on the loop PageRows: `rows`, how many; `values`, their bytes; `too_long`,
//   the rows (row, bytes) of which there is only the key, in order; `ended`, the page; `last`,
//   then: there are no more in this pass; names() of the columns; value(i, at, arena), of the
//   column, and key(at), which move `at` behind it.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loop/job_thread.h"
#include "loop/timer.h"
#include "memory/budget.h"
#include "table/database.h"

namespace leat::table {

template <class Pages>
class PageReader : public Database {
 public:
  // `thread`: its name. `kept`: bytes of the budget that the library takes all the time.
  explicit PageReader(std::string thread, size_t kept = 0)
      : name_(std::move(thread)), kept_(kept) {}
  ~PageReader() override {
    if (pages_) pages_->cancel();
  }

  Status open(SourceContext& context) override {
    charge_ = Charge(context.budget(), kept_);
    return open(context.loop(), context.pipeline());
  }
  Status open(Loop& loop, const std::string& pipeline) override {
    Result<std::unique_ptr<Pages>> made = make_pages(pipeline);
    if (!made) return fail(made.error());
    pages_ = std::move(*made);
    behind_ = pages_->first();
    thread_ = std::make_unique<JobThread>(loop, name_, kMaxJobs);
    later_.emplace(loop);
    return {};
  }

  void look(std::function<void(Result<Look>)> done) override {
    run([behind = behind_](Pages& pages) { return pages.look(behind); },
        [this, done = std::move(done)](Result<Look> look) {
          looked_ = look.has_value();
          done(std::move(look));
        });
  }
  std::string found() const override { return pages_->found(); }
  void read(Page page, Rows& rows, std::function<void(Result<bool>)> done) override {
    rows_ = &rows;
    read_ = std::move(done);
    key_columns_ = page.pass.cursor.size();
    run([page = std::move(page)](Pages& pages) { return pages.read(page); },
        [this](Result<PageRows> rows_read) { take(std::move(rows_read)); });
  }
  void go_on() override {
    later_->start_next_turn([this] { give(); });
  }
  void list(const std::vector<std::string>& names, std::function<void(Tables)> done) override {
    run([names](Pages& pages) { return pages.list(names); }, std::move(done));
  }
  void divide(const std::vector<std::string>& cursor, size_t parts,
              std::function<void(Result<std::vector<Key>>)> done) override {
    run([cursor, parts](Pages& pages) { return pages.divide(cursor, parts); }, std::move(done));
  }
  void close(std::function<void()> closed) override {
    closing_ = true;
    if (!thread_) return closed();
    later_->stop();
    pages_->cancel();
    thread_->submit([this] { pages_->close(); },
                    [this, closed = std::move(closed)] {
                      charge_.set(0);
                      // Frees this thread's handle; the copy outlives the reader, should it go now.
                      auto call = closed;
                      thread_.reset();
                      call();
                    });
  }

 protected:
  // The last look has ended well.
  bool looked() const { return looked_; }

 private:
  using PageRows = typename Pages::PageRows;
  static constexpr size_t kMaxJobs = 4;  // a look or a page, and the close

  // Errors are those of Source::open().
  virtual Result<std::unique_ptr<Pages>> make_pages(const std::string& pipeline) = 0;

  template <class Work, class Then>
  void run(Work work, Then then) {
    thread_->submit_for([this, work = std::move(work)] { return work(*pages_); },
                        [this, then = std::move(then)](auto result) {
                          if (!closing_) then(std::move(result));
                        });
  }

  void take(Result<PageRows> rows) {
    if (!rows) return std::exchange(read_, nullptr)(fail(rows.error()));
    page_ = std::move(*rows);
    charge_.set(kept_ + page_.values.capacity());
    given_ = at_ = long_ = 0;
    const std::vector<std::string_view> names = page_.names();
    columns_ = names.size();
    if (!names.empty() && (shape_ == nullptr || !shape_->same_names(names)))
      shape_ = std::make_shared<const Shape>(names);
    give();
  }

  void give() {
    std::vector<std::string_view> key;
    for (; given_ < page_.rows; ++given_) {
      Batch* batch = rows_->room();
      if (batch == nullptr) return;
      size_t at = at_;
      const bool too_long = long_ < page_.too_long.size() && page_.too_long[long_].row == given_;
      auto* values = too_long ? nullptr : batch->arena.array<Value>(columns_);
      for (size_t i = 0; i < columns_ && !too_long; ++i)
        values[i] = page_.value(i, at, batch->arena);
      key.clear();
      for (size_t i = 0; i < key_columns_; ++i) key.push_back(page_.key(at));
      if (!too_long)
        rows_->add(shape_, values, columns_ * sizeof(Value) + at - at_, key);
      else if (rows_->too_long(key, page_.too_long[long_].bytes))
        ++long_;
      else
        return;
      at_ = at;
      behind_.assign(key.begin(), key.end());
    }
    page_.values = {};
    charge_.set(kept_);
    if (page_.ended) return std::exchange(read_, nullptr)(page_.last);
    run([](Pages& pages) { return pages.read_on(); },
        [this](Result<PageRows> rows_read) { take(std::move(rows_read)); });
  }

  const std::string name_;
  const size_t kept_;
  Charge charge_;  // for page_, and what is kept
  Key behind_;     // the row that was given last
  bool looked_ = false;
  ShapeRef shape_;
  PageRows page_;
  size_t columns_ = 0;
  size_t key_columns_ = 0;
  size_t given_ = 0;  // of its rows
  size_t at_ = 0;     // in its values
  size_t long_ = 0;   // of its rows that are too long
  Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> read_;
  bool closing_ = false;
  std::optional<Timer> later_;
  std::unique_ptr<Pages> pages_;
  std::unique_ptr<JobThread> thread_;  // last: its destructor waits for a job that uses the rest
};

}  // namespace leat::table
