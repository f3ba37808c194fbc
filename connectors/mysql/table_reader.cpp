#include "connectors/mysql/table_reader.h"

#include <cstring>
#include <utility>

namespace leat::mysql {
namespace {

constexpr size_t kMaxJobs = 4;  // a look or a page, and the close
// The library's packet, and the streams' own buffers.
constexpr size_t kMemory = size_t{64} * 1024;

// Takes the values of a page apart, which table_page.cpp has put together. Without data: NULL.
std::string_view next_text(const std::string& values, size_t& at) {
  uint32_t size = 0;
  std::memcpy(&size, values.data() + at, sizeof size);
  at += sizeof size;
  if (size == PageRows::kNull) return {};
  const std::string_view text(values.data() + at, size);
  at += size;
  return text;
}

Value value_of(const ReadColumn& column, std::string_view text, Arena& arena) {
  if (text.data() == nullptr) return Value::null();
  char* const copy = const_cast<char*>(arena.copy(text).data());
  return column.value({copy, text.size()});
}

}  // namespace

TableReader::TableReader(ReadConfig config) : config_(std::move(config)) {}

TableReader::~TableReader() {
  if (pages_) pages_->cancel();
}

Status TableReader::open(SourceContext& context) {
  charge_ = Charge(context.budget(), kMemory);
  return open(context.loop(), context.pipeline());
}

Status TableReader::open(Loop& loop, const std::string& pipeline) {
  Client::begin_library();
  const ConnectionSettings& connection = config_.connection;
  if (Status tls = open_tls(tls_, connection.uses_tls, connection.tls, pipeline, connection.verify);
      !tls)
    return tls;
  pages_ = std::make_unique<TablePages>(config_, tls_.get());
  thread_ = std::make_unique<JobThread>(loop, "leat-mysql", kMaxJobs);
  later_.emplace(loop);
  if (!config_.table.query.empty()) behind_ = config_.table.from;
  return {};
}

void TableReader::look(std::function<void(Result<table::Look>)> done) {
  thread_->submit_for([this, behind = behind_] { return pages_->look(behind); },
                      [this, done = std::move(done)](Result<table::Look> look) {
                        if (closing_) return;
                        answers_ = look.has_value();
                        done(std::move(look));
                      });
}

void TableReader::read(table::Page page, table::Rows& rows,
                       std::function<void(Result<bool>)> done) {
  rows_ = &rows;
  read_ = std::move(done);
  key_columns_ = page.pass.cursor.size();
  thread_->submit_for([this, page = std::move(page)] { return pages_->read(page); },
                      [this](Result<PageRows> read) { take(std::move(read)); });
}

void TableReader::take(Result<PageRows> rows) {
  if (closing_) return;
  if (!rows) return std::exchange(read_, nullptr)(fail(rows.error()));
  page_ = std::move(*rows);
  charge_.set(kMemory + page_.values.capacity());
  given_ = at_ = long_ = 0;
  std::vector<std::string_view> names;
  for (const ReadColumn& column : page_.columns) names.emplace_back(column.name);
  if (!names.empty() && (shape_ == nullptr || !shape_->same_names(names)))
    shape_ = std::make_shared<const Shape>(names);
  give();
}

void TableReader::list(const std::vector<std::string>& names,
                       std::function<void(table::Tables)> done) {
  thread_->submit_for([this, names] { return pages_->list(names); },
                      [this, done = std::move(done)](table::Tables tables) {
                        if (!closing_) done(std::move(tables));
                      });
}

void TableReader::divide(const std::vector<std::string>& /*cursor*/, size_t parts,
                         std::function<void(Result<std::vector<table::Key>>)> done) {
  thread_->submit_for([this, parts] { return pages_->divide(parts); },
                      [this, done = std::move(done)](Result<std::vector<table::Key>> bounds) {
                        if (!closing_) done(std::move(bounds));
                      });
}

void TableReader::go_on() {
  later_->start_next_turn([this] { give(); });
}

void TableReader::give() {
  const size_t columns = page_.columns.size();
  std::vector<std::string_view> key;
  for (; given_ < page_.rows; ++given_) {
    Batch* batch = rows_->room();
    if (batch == nullptr) return;
    size_t at = at_;
    const bool too_long = long_ < page_.too_long.size() && page_.too_long[long_].row == given_;
    auto* values = too_long ? nullptr : batch->arena.array<Value>(columns);
    for (size_t i = 0; i < columns && !too_long; ++i)
      values[i] = value_of(page_.columns[i], next_text(page_.values, at), batch->arena);
    key.clear();
    for (size_t i = 0; i < key_columns_; ++i) key.push_back(next_text(page_.values, at));
    if (!too_long)
      rows_->add(shape_, values, columns * sizeof(Value) + at - at_, key);
    else if (rows_->too_long(key, page_.too_long[long_].bytes))
      ++long_;
    else
      return;
    at_ = at;
    behind_.assign(key.begin(), key.end());
  }
  page_.values = {};
  charge_.set(kMemory);
  if (page_.ended) return std::exchange(read_, nullptr)(page_.last);
  thread_->submit_for([this] { return pages_->read_on(); },
                      [this](Result<PageRows> read) { take(std::move(read)); });
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

}  // namespace leat::mysql
