#include "transform/lookup_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "cache/lookup_key.h"
#include "memory/budget.h"
#include "stage/dead_letter.h"
#include "stage/format.h"

namespace leat {
namespace {

constexpr size_t kRead = 256 * 1024;

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool is_open() const { return fd_ >= 0; }
  ssize_t read(char* to, size_t bytes) const {
    ssize_t got;
    do got = ::read(fd_, to, bytes);
    while (got < 0 && errno == EINTR);
    return got;
  }

 private:
  const int fd_;
};

// Puts rows into a table, by the names that their columns have.
class Filler {
 public:
  explicit Filler(const LookupFile& file) : file_(file) {}

  // These columns, in the order in which add() gives their values. Of the first row, where nothing
  // says what is wanted.
  Status set_columns(const std::vector<std::string_view>& names) {
    const auto place = [&names](std::string_view name) {
      const auto found = std::ranges::find(names, name);
      return found == names.end() ? -1 : static_cast<int>(found - names.begin());
    };
    key_.clear();
    for (const std::string& name : file_.key) {
      key_.push_back(place(name));
      if (key_.back() < 0) return fail(ErrorKind::kData, "has no column \"" + excerpt(name) + "\"");
    }
    if (wanted_.empty()) {
      wanted_ = file_.fields;
      for (const std::string_view name : file_.fields.empty() ? names : decltype(names){})
        if (std::ranges::find(file_.key, name) == file_.key.end()) wanted_.emplace_back(name, name);
    }
    fields_.clear();
    std::vector<std::string> given;
    for (const auto& [to, from] : wanted_) {
      fields_.push_back(place(from));
      given.push_back(to);
      if (fields_.back() < 0 && table_ == nullptr)
        return fail(ErrorKind::kData, "has no column \"" + excerpt(from) + "\"");
    }
    if (table_ == nullptr)
      table_ = std::make_shared<LookupTable>(std::move(given), file_.max_bytes);
    return {};
  }

  // One without its key is nobody's.
  Status add(const Value* values) {
    text_.clear();
    for (const int at : key_)
      if (!text_.add(values[at])) return {};
    row_.clear();
    for (const int at : fields_) row_.push_back(at < 0 ? Value::null() : values[at]);
    return table_->add(text_.text(), row_);
  }

  std::shared_ptr<const LookupTable> take() {
    if (table_ == nullptr)  // no row at all
      table_ = std::make_shared<LookupTable>(std::vector<std::string>(), file_.max_bytes);
    return std::move(table_);
  }

 private:
  const LookupFile& file_;
  std::vector<int> key_;
  std::vector<int> fields_;
  std::vector<std::pair<std::string, std::string>> wanted_;
  std::vector<Value> row_;
  LookupKey text_;
  std::shared_ptr<LookupTable> table_;
};

// The first line that cannot be read is what is wrong with the file.
class FirstBad final : public DeadLetters {
 public:
  void add(const Batch& batch, size_t index, std::string_view reason) override {
    note(batch.position_after(index), reason);
  }
  void add_text(std::string_view /*bytes*/, const Position& after,
                std::string_view reason) override {
    note(after, reason);
  }
  const std::string& what() const { return what_; }

 private:
  void note(const Position& after, std::string_view reason) {
    if (what_.empty()) what_ = "line " + std::to_string(after.line) + ": " + std::string(reason);
  }
  std::string what_;
};

class TextFile {
 public:
  TextFile(const LookupFile& file, Filler& filler) : file_(file), filler_(filler) {}

  Status read() {
    const ReadFormat* format =
        find_read_format(file_.format == LookupFormat::kCsv ? "csv" : "json");
    if (format == nullptr) return fail(ErrorKind::kUsage, "its format is not in this build");
    const Options options(format->options);
    framing_ = format->make_framing(options);
    Result<std::unique_ptr<Decoder>> decoder = format->make_decoder(options);
    if (!decoder) return fail(decoder.error());
    decoder_ = std::move(*decoder);
    const OpenFile file(file_.path);
    if (!file.is_open()) return fail(ErrorKind::kUnavailable, std::strerror(errno));
    for (;;) {
      const size_t kept = rest_.size();
      if (kept > file_.max_bytes) return fail(ErrorKind::kData, "a line is longer than maxBytes");
      rest_.resize(kept + kRead);
      const ssize_t got = file.read(rest_.data() + kept, kRead);
      if (got < 0) return fail(ErrorKind::kUnavailable, std::strerror(errno));
      rest_.resize(kept + static_cast<size_t>(got));
      if (got == 0 && !rest_.empty()) rest_ += framing_->terminator();
      const size_t whole = got == 0 ? rest_.size() : framing_->complete_prefix(rest_);
      if (Status taken = take(whole); !taken) return taken;
      if (got > 0) continue;
      // Whoever writes it may have just begun; without a header it is no CSV in any case.
      if (at_.offset == 0) return fail(ErrorKind::kData, "is empty");
      return {};
    }
  }

 private:
  Status take(size_t bytes) {
    if (bytes == 0) return {};
    BatchRef batch = BatchRef::make(pool_, Content::kBytes);
    char* place = batch->arena.array<char>(bytes);
    std::memcpy(place, rest_.data(), bytes);
    rest_.erase(0, bytes);
    batch->bytes = {place, bytes};
    batch->begin = at_;
    batch->end = {.offset = at_.offset + bytes};
    FirstBad bad;
    Result<Turn> turn = decoder_->decode(*batch, bad);
    if (!turn) return fail(turn.error());
    if (!bad.what().empty()) return fail(ErrorKind::kData, bad.what());
    at_ = batch->end;
    for (const Record& record : batch->records) {
      if (record.shape != shape_) {
        std::vector<std::string_view> names;
        for (size_t i = 0; i < record.shape->size(); ++i) names.push_back(record.shape->name(i));
        if (Status set = filler_.set_columns(names); !set) return set;
        shape_ = record.shape;
      }
      if (Status added = filler_.add(record.values); !added) return added;
    }
    shape_ = nullptr;  // another may have its address
    return {};
  }

  const LookupFile& file_;
  Filler& filler_;
  Budget budget_{SIZE_MAX};
  BlockPool pool_{budget_, 2};
  std::unique_ptr<Framing> framing_;
  std::unique_ptr<Decoder> decoder_;
  std::string rest_;
  Position at_;
  const Shape* shape_ = nullptr;
};

class Database {
 public:
  explicit Database(const std::string& path)
      : code_(sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                              nullptr)) {
    sqlite3_busy_timeout(handle_, 5'000);
  }
  ~Database() {
    sqlite3_finalize(rows_);
    sqlite3_close(handle_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Status read(const std::string& table, Filler& filler) {
    if (code_ != SQLITE_OK) return failed();
    std::string name;
    for (const char one : table) name += one == '"' ? std::string("\"\"") : std::string(1, one);
    const std::string sql = "SELECT * FROM \"" + name + "\"";
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &rows_, nullptr) != SQLITE_OK) return failed();
    const int columns = sqlite3_column_count(rows_);
    std::vector<std::string_view> names;
    for (int i = 0; i < columns; ++i) names.emplace_back(sqlite3_column_name(rows_, i));
    if (Status set = filler.set_columns(names); !set) return set;
    std::vector<Value> row(static_cast<size_t>(columns));
    for (;;) {
      const int code = sqlite3_step(rows_);
      if (code == SQLITE_DONE) return {};
      if (code != SQLITE_ROW) return failed();
      for (int i = 0; i < columns; ++i) row[static_cast<size_t>(i)] = value(i);
      if (Status added = filler.add(row.data()); !added) return added;
    }
  }

 private:
  Value value(int column) {
    const auto text = [this, column](Type type) {
      const auto* data = static_cast<const char*>(sqlite3_column_blob(rows_, column));
      const auto size = static_cast<size_t>(sqlite3_column_bytes(rows_, column));
      return Value::of_text(type,
                            data == nullptr ? std::string_view() : std::string_view(data, size));
    };
    switch (sqlite3_column_type(rows_, column)) {
      case SQLITE_INTEGER:
        return Value::of_integer(sqlite3_column_int64(rows_, column));
      case SQLITE_FLOAT:
        return Value::of_float(sqlite3_column_double(rows_, column));
      case SQLITE_TEXT:
        return text(Type::kString);
      case SQLITE_BLOB:
        return text(Type::kBytes);
      default:
        return Value::null();
    }
  }
  tl::unexpected<Error> failed() const {
    return fail(ErrorKind::kUnavailable, sqlite3_errmsg(handle_));
  }

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* rows_ = nullptr;
  const int code_;
};

}  // namespace

Result<std::shared_ptr<const LookupTable>> read_lookup_file(const LookupFile& file) {
  Filler filler(file);
  const Status status = file.format == LookupFormat::kSqlite
                            ? Database(file.path).read(file.table, filler)
                            : TextFile(file, filler).read();
  if (!status) return fail(status.error().kind(), file.path + ": " + status.error().message());
  return filler.take();
}

}  // namespace leat
