// `lookup`: adds the fields of the row that a table has under the record's key, or of the record
// that a cache has.
//
// A file is read when the pipeline starts, and again, on the thread pool, when it has changed.
// One that cannot be read leaves the rows that there are. Values are not copied: the batch keeps
// the version of the table that they are of.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lifetime.h"
#include "base/log.h"
#include "base/units.h"
#include "cache/lookup_key.h"
#include "loop/folder_watch.h"
#include "loop/pool.h"
#include "options/option_errors.h"
#include "record/shape_cache.h"
#include "stage/codec.h"
#include "transform/lookup_cache.h"
#include "transform/lookup_file.h"
#include "transform/lookup_table.h"
#include "transform/types.h"

namespace leat {
namespace {

// Behind a change: whoever writes may not be through.
constexpr Milliseconds kSettle{200};

enum class OnMissing { kKeep, kDrop, kDeadLetter };

// Which version of a file is there; of SQLite, with what is in its log.
struct Version {
  struct One {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = -1;
    int64_t changed_ns = 0;
    bool operator==(const One&) const = default;
  };
  std::array<One, 2> files;
  bool operator==(const Version&) const = default;
};

Version version_of(const std::string& path) {
  Version out;
  const std::string paths[] = {path, path + "-wal"};
  for (size_t i = 0; i < out.files.size(); ++i) {
    struct stat found;
    if (::stat(paths[i].c_str(), &found) != 0) continue;
    out.files[i] = {found.st_dev, found.st_ino, found.st_size,
                    found.st_mtim.tv_sec * int64_t{1'000'000'000} + found.st_mtim.tv_nsec};
  }
  return out;
}

class LookupTransform final : public Transform {
 public:
  LookupTransform(LookupFile file, std::vector<std::string> key, OnMissing on_missing)
      : file_(std::move(file)), key_(std::move(key)), on_missing_(on_missing) {}
  LookupTransform(std::unique_ptr<CachedRows> cached, std::vector<std::string> key,
                  OnMissing on_missing)
      : cached_(std::move(cached)), key_(std::move(key)), on_missing_(on_missing) {}

  Status open(CodecContext& context) override {
    context_ = &context;
    if (in_cache()) {
      cached_->open(context);
      return {};
    }
    version_ = version_of(file_.path);
    Result<std::shared_ptr<const LookupTable>> read = read_lookup_file(file_);
    if (read)
      table_ = std::move(*read);
    else
      error_ = read.error();
    settle_ = std::make_unique<Timer>(context.loop());
    const auto changed = [this](const std::string& /*path*/) {
      if (!settle_->active()) settle_->start(kSettle, [this] { look(); });
    };
    watch_ = std::make_unique<FolderWatch>(context.loop(), changed, changed);
    const size_t slash = file_.path.rfind('/');
    (void)watch_->watch({slash == std::string::npos ? "." : file_.path.substr(0, slash + 1)});
    return {};
  }

  Status run(BatchRef& batch, DeadLetters& dead) override {
    if (!in_cache() && table_ == nullptr)
      return fail(ErrorKind::kUnavailable,
                  "lookup: " + (error_ ? error_->message() : "not opened"));
    ++batch_number_;
    bool keeps_table = false;
    size_t kept = 0;
    const size_t made_before = batch->made;
    for (size_t i = 0; i < batch->records.size(); ++i) {
      Record& record = batch->records[i];
      Plan& plan =
          plans_.get(*batch, record.shape, [this](const Shape& of) { return plan_for(of); });
      const Value* row = row_for(plan, record, *batch);
      if (row == nullptr && on_missing_ == OnMissing::kDeadLetter)
        dead.add(*batch, i, "there is no row for its key");
      keeps_table = keeps_table || row != nullptr;
      if (row != nullptr || on_missing_ == OnMissing::kKeep) {
        add(*batch, record, plan, row);
        batch->records[kept++] = record;
      }
      const bool enough = dead.full() || batch->made - made_before >= batch->quantum;
      if (enough && batch->may_cut(i + 1)) batch->leave_records(i + 1);
    }
    batch->records.resize(kept);
    if (keeps_table && !in_cache()) batch->borrow(table_, 0);  // it is counted here
    plans_.trim(*batch);
    return {};
  }

  size_t held() const override {
    const size_t rows = in_cache() ? cached_->held() : table_ == nullptr ? 0 : table_->bytes();
    return rows + plans_.held();
  }

 private:
  // What becomes of the records of one shape.
  struct Plan {
    ShapeRef shape;
    std::vector<int> key;
    std::vector<int> fields;  // where in `shape` each column of the table goes
    uint64_t adopted_in = 0;  // number of the batch that keeps it alive
    size_t heap_bytes() const {
      return shape->footprint() + (key.capacity() + fields.capacity()) * sizeof(int);
    }
  };

  // kCaches: in builds without them, nothing of it is linked.
  bool in_cache() const { return kCaches && cached_ != nullptr; }
  const std::vector<std::string>& columns() const {
    return in_cache() ? cached_->columns() : table_->columns();
  }
  const Value* find(std::string_view key, Batch& batch) const {
    return in_cache() ? cached_->find(key, batch) : table_->find(key);
  }

  Plan plan_for(const Shape& from) const {
    Plan plan;
    std::vector<std::string_view> names;
    for (size_t i = 0; i < from.size(); ++i) names.push_back(from.name(i));
    for (const std::string& column : columns())
      if (from.find(column) < 0) names.push_back(column);
    plan.shape = std::make_shared<const Shape>(names);
    for (const std::string& name : key_) plan.key.push_back(from.find(name));
    for (const std::string& column : columns()) plan.fields.push_back(plan.shape->find(column));
    return plan;
  }

  const Value* row_for(const Plan& plan, const Record& record, Batch& batch) {
    // The text of one that is text need not be put together.
    if (plan.key.size() == 1 && plan.key[0] >= 0) {
      const Value& value = record.values[plan.key[0]];
      if (value.is_text() && (value.type != Type::kString || value.form == Form::kPlain) &&
          value.type != Type::kBytes)
        return find(value.view(), batch);
    }
    text_.clear();
    for (const int at : plan.key)
      if (at < 0 || !text_.add(record.values[at])) return nullptr;
    return find(text_.text(), batch);
  }

  // Without a row: what the record lacks is null, and what it has stays.
  void add(Batch& batch, Record& record, Plan& plan, const Value* row) const {
    const size_t had = record.shape->size();
    if (plan.adopted_in != batch_number_) batch.adopt(plan.shape);
    plan.adopted_in = batch_number_;
    auto* values = batch.arena.array<Value>(plan.shape->size());
    std::copy(record.values, record.values + had, values);
    if (row == nullptr) {
      std::fill(values + had, values + plan.shape->size(), Value::null());
    } else {
      for (const int at : plan.fields) values[at] = *row++;
    }
    record.values = values;
    record.shape = plan.shape.get();
  }

  void look() {
    if (reading_) return settle_->start(kSettle, [this] { look(); });
    if (const Version now = version_of(file_.path); std::exchange(version_, now) == now) return;
    reading_ = true;
    run_in_pool(
        context_->loop(), lifetime_, [file = file_] { return read_lookup_file(file); },
        [this](Result<std::shared_ptr<const LookupTable>> read) { take(std::move(read)); });
  }

  void take(Result<std::shared_ptr<const LookupTable>> read) {
    reading_ = false;
    if (!read)
      return log::warn(
          context_->pipeline(),
          "lookup: " + read.error().message() +
              (table_ == nullptr ? "" : "; the rows that were read before stay in use"));
    table_ = std::move(*read);
    plans_.clear();
    log::info(context_->pipeline(), "lookup: " + file_.path + " has changed, and was read again: " +
                                        format_count(table_->rows(), "row"));
  }

  const LookupFile file_;
  const std::unique_ptr<CachedRows> cached_;  // instead of it
  const std::vector<std::string> key_;
  const OnMissing on_missing_;
  CodecContext* context_ = nullptr;
  std::shared_ptr<const LookupTable> table_;  // null: it could never be read
  std::optional<Error> error_;                // why
  Version version_;
  bool reading_ = false;
  std::unique_ptr<Timer> settle_;
  std::unique_ptr<FolderWatch> watch_;
  ShapeCache<Plan> plans_;
  uint64_t batch_number_ = 0;
  LookupKey text_;
  Lifetime lifetime_;
};

constexpr std::string_view kFormats[] = {"csv", "json", "sqlite"};
constexpr std::string_view kMissing[] = {"keep", "drop", "deadLetter"};

constexpr Option kOptions[] = {
#ifdef LEAT_WITH_CACHE
    {.name = "cache",
     .help = "The cache with the rows, which the sink cache of another pipeline fills. `fields` "
             "says what is added of a record there."},
#endif
    {.name = "path",
     .required = !kCaches,
     .help = kCaches ? "The file with the rows. It is read again when it has changed. Either this "
                       "or `cache`."
                     : "The file with the rows. It is read again when it has changed.",
     .path = true,
     .example = "\"/var/lib/leat/devices.csv\""},
    {.name = "format",
     .help = "Of the file: csv (with a header), json (an object a line), or a database of sqlite. "
             "Default: by its name (.csv, .db, .sqlite; others are json).",
     .choices = kFormats},
    {.name = "table", .help = "The table, or view, of a database of sqlite."},
    {.name = "key",
     .type = OptionType::kStrings,
     .required = true,
     .help =
         "The field, or fields, of a record by whose values its row is found. They are compared "
         "as text.",
     .example = "[\"device\"]"},
    {.name = "keyColumns",
     .type = OptionType::kStrings,
     .help = "The columns that have these values, in the same order. Default: those of the same "
             "names."},
    {.name = "fields",
     .type = OptionType::kMap,
     .help = "What is added: each field's name, and the column that it is of. Default: all columns "
             "of the first row but the key; with a cache there is none."},
    {.name = "onMissing",
     .fallback = "keep",
     .help = "A record without a row: it is kept (fields that it lacks are null), dropped, or a "
             "dead letter.",
     .choices = kMissing},
    {.name = "maxBytes",
     .type = OptionType::kBytes,
     .fallback = "1MiB",
     .help = "What the rows may take in memory; a file with more is not used. They count against "
             "the pipeline's share of agent.memory, twice while a new version is read.",
     .min = 4096},
};

LookupFormat format_of(const Options& options, const std::string& path) {
  const std::string& format = options.string("format");
  if (format == "csv" || (format.empty() && path.ends_with(".csv"))) return LookupFormat::kCsv;
  const bool database = path.ends_with(".db") || path.ends_with(".sqlite");
  if (format == "sqlite" || (format.empty() && database)) return LookupFormat::kSqlite;
  return LookupFormat::kJson;
}

Result<std::unique_ptr<Transform>> make(const Options& options) {
  OptionErrors errors;
  LookupFile file;
  file.path = options.string("path");
  file.format = format_of(options, file.path);
  file.table = options.string("table");
  file.key = options.strings(options.has("keyColumns") ? "keyColumns" : "key");
  file.fields = options.map("fields");
  file.max_bytes = static_cast<size_t>(options.bytes("maxBytes"));
  const std::string cache = kCaches ? options.string("cache") : "";
  if (!cache.empty()) {
    for (const char* one : {"path", "format", "table", "keyColumns"})
      if (options.has(one))
        errors.add(options, one, "is for a file, and not for a cache", OptionErrors::Kind::kUnused);
    if (file.fields.empty())
      errors.add(options, "fields", "is needed with a cache", OptionErrors::Kind::kMissing);
  } else if (file.path.empty()) {
    errors.add(options, "path",
               kCaches && !options.has("path") ? "or cache is needed" : "must not be empty");
  }
  if (options.strings("key").empty()) errors.add(options, "key", "must have a field at least");
  if (file.key.size() != options.strings("key").size())
    errors.add(options, "keyColumns", "must be as many as key has");
  if (cache.empty() && (file.format == LookupFormat::kSqlite) != !file.table.empty())
    errors.add(options, "table", "is needed with a database of sqlite, and only there");
  if (Status status = errors.status(); !status) return fail(status.error());
  const std::string& missing = options.string("onMissing");
  const OnMissing on_missing = missing == "drop"   ? OnMissing::kDrop
                               : missing == "keep" ? OnMissing::kKeep
                                                   : OnMissing::kDeadLetter;
  if (!cache.empty())
    return std::make_unique<LookupTransform>(std::make_unique<CachedRows>(cache, file.fields),
                                             options.strings("key"), on_missing);
  return std::make_unique<LookupTransform>(std::move(file), options.strings("key"), on_missing);
}

}  // namespace

const TransformType kLookupTransform{
    .name = "lookup",
    .help = "Adds fields from the row that a file or a table has under the record's key.",
    .options = kOptions,
    .make = make,
    .code = "lookup",
    .cache = kCaches ? "cache" : ""};

}  // namespace leat
