#include "table_reader.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"

namespace leat::sqlite {
namespace {

constexpr size_t kMaxJobs = 4;  // a look or a page, and the close

// Takes the values of a page apart, which table_page.cpp has put together.
class ValueReader {
 public:
  ValueReader(const std::string& values, size_t at) : values_(values), at_(at) {}

  Value value(bool truth, Arena& arena) {
    switch (values_[at_++]) {
      case SQLITE_INTEGER: {
        const auto number = raw<int64_t>();
        if (truth && (number == 0 || number == 1)) return Value::boolean(number == 1);
        return Value::of_integer(number);
      }
      case SQLITE_FLOAT:
        return Value::of_float(raw<double>());
      case SQLITE_TEXT: {
        const std::string_view bytes = text();
        return Value::of_text(is_utf8(bytes) ? Type::kString : Type::kBytes, arena.copy(bytes));
      }
      case SQLITE_BLOB:
        return Value::of_text(Type::kBytes, arena.copy(text()));
      default:
        return Value::null();
    }
  }
  std::string_view text() {
    const auto size = raw<uint32_t>();
    at_ += size;
    return std::string_view(values_).substr(at_ - size, size);
  }
  size_t at() const { return at_; }

 private:
  template <typename T>
  T raw() {
    T value{};
    std::memcpy(&value, values_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  const std::string& values_;
  size_t at_;
};

}  // namespace

TableReader::TableReader(ReadConfig config) : config_(std::move(config)) {}

TableReader::~TableReader() {
  if (pages_) pages_->cancel();
}

Status TableReader::open(SourceContext& context) {
  charge_ = Charge(context.budget());
  return open(context.loop(), context.pipeline());
}

Status TableReader::open(Loop& loop, const std::string& /*pipeline*/) {
  pages_ = std::make_unique<TablePages>(config_);
  thread_ = std::make_unique<JobThread>(loop, "leat-sqlite", kMaxJobs);
  later_.emplace(loop);
  if (!config_.table.query.empty())
    for (const std::string& value : config_.table.from) behind_.push_back(literal_of(value));
  return {};
}

void TableReader::look(std::function<void(Result<table::Look>)> done) {
  thread_->submit_for([this, behind = behind_] { return pages_->look(behind); },
                      [this, done = std::move(done)](Result<table::Look> look) {
                        if (!closing_) done(std::move(look));
                      });
}

std::string TableReader::found() const {
  return config_.path + ": " + config_.table.name() + " can be read";
}

void TableReader::read(table::Page page, table::Rows& rows,
                       std::function<void(Result<bool>)> done) {
  rows_ = &rows;
  read_ = std::move(done);
  key_columns_ = page.pass.cursor.size();
  // A query's first page has what a person has written.
  if (page.pass.after == config_.table.from)
    for (std::string& value : page.pass.after) value = literal_of(std::string_view(value));
  thread_->submit_for([this, page = std::move(page)] { return pages_->read(page); },
                      [this](Result<PageRows> read) {
                        if (closing_) return;
                        if (!read) return std::exchange(read_, nullptr)(fail(read.error()));
                        page_ = std::move(*read);
                        charge_.set(page_.values.capacity());
                        given_ = at_ = long_ = 0;
                        const std::vector<std::string_view> names(page_.names.begin(),
                                                                  page_.names.end());
                        if (!names.empty() && (shape_ == nullptr || !shape_->same_names(names)))
                          shape_ = std::make_shared<const Shape>(names);
                        give();
                      });
}

void TableReader::list(const std::vector<std::string>& names,
                       std::function<void(table::Tables)> done) {
  thread_->submit_for([this, names] { return pages_->list(names); },
                      [this, done = std::move(done)](table::Tables tables) {
                        if (!closing_) done(std::move(tables));
                      });
}

void TableReader::divide(const std::vector<std::string>& cursor, size_t parts,
                         std::function<void(Result<std::vector<table::Key>>)> done) {
  thread_->submit_for([this, cursor, parts] { return pages_->divide(cursor, parts); },
                      [this, done = std::move(done)](Result<std::vector<table::Key>> bounds) {
                        if (!closing_) done(std::move(bounds));
                      });
}

void TableReader::go_on() {
  later_->start_next_turn([this] { give(); });
}

void TableReader::give() {
  const size_t columns = page_.names.size();
  std::vector<std::string_view> key;
  for (; given_ < page_.rows; ++given_) {
    Batch* batch = rows_->room();
    if (batch == nullptr) return;
    ValueReader reader(page_.values, at_);
    const bool too_long = long_ < page_.too_long.size() && page_.too_long[long_].row == given_;
    auto* values = too_long ? nullptr : batch->arena.array<Value>(columns);
    for (size_t i = 0; i < columns && !too_long; ++i)
      values[i] = reader.value(page_.truths[i], batch->arena);
    key.clear();
    for (size_t i = 0; i < key_columns_; ++i) key.push_back(reader.text());
    if (!too_long)
      rows_->add(shape_, values, columns * sizeof(Value) + reader.at() - at_, key);
    else if (rows_->too_long(key, page_.too_long[long_].bytes))
      ++long_;
    else
      return;
    at_ = reader.at();
    behind_.assign(key.begin(), key.end());
  }
  page_.values = {};
  charge_.set(0);
  std::exchange(read_, nullptr)(page_.last);
}

void TableReader::close(std::function<void()> closed) {
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

}  // namespace leat::sqlite
