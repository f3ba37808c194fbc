// The paths on which a record costs most, each alone and without I/O, for scripts/instruction-test:
//
//   hot_paths PATH BATCHES
//
// runs PATH over BATCHES batches of kRecords records, after one that is not counted, in which
// shapes are learned and statements prepared. What counts is what happens inside counted_batch().
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "codec/csv/decoder.h"
#include "codec/csv/rows.h"
#include "connectors/postgres/rows.h"
#include "journal/spool_table.h"
#include "protocols/mqtt/inbox.h"
#include "protocols/mqtt/packets.h"
#include "record/batch.h"
#include "spool/spool_format.h"
#include "stage/format.h"
#include "stage/transform.h"

namespace leat {
namespace {

constexpr size_t kRecords = 1000;  // of a batch

// scripts/instruction-test tells callgrind to count inside this function only.
extern "C" __attribute__((noinline, used)) void counted_batch(const std::function<void()>& run) {
  run();
  // The call must not become a jump: then the function would be left before its work is done.
  __asm__ volatile("" ::: "memory");
}

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "hot_paths: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) stop(result.error().message());
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) stop(status.error().message());
}

class NoDeadLetters final : public DeadLetters {
 public:
  void add(const Batch&, size_t, std::string_view reason) override { stop(std::string(reason)); }
  void add_text(std::string_view, const Position&, std::string_view reason) override {
    stop(std::string(reason));
  }
  bool full() const override { return false; }
};

// --- the work: telemetry as scripts/make-telemetry prints it ------------------------------------

class Telemetry {
 public:
  struct Row {
    int64_t ts;
    std::string device, temp, vib, state;
    uint32_t seq;
    bool ok;
  };
  Row next() {
    const uint32_t r = random();
    ts_ += 1 + (r & 7);
    static constexpr const char* kStates[] = {"idle", "run", "run", "fault"};
    return {ts_,
            "gw-" + three(r % 128) + "/plc-0" + std::to_string(r >> 7 & 3),
            number(2000 + (r >> 9 & 4095), 2),
            number(1000 + (r >> 3 & 8191) * 5, 4),
            kStates[r >> 21 & 3],
            seq_++,
            (r >> 23 & 63) != 0};
  }

  std::string json() {
    Row row = next();
    return "{\"ts\":" + std::to_string(row.ts) + ",\"device\":\"" + row.device +
           "\",\"seq\":" + std::to_string(row.seq) + ",\"temp\":" + row.temp +
           ",\"vib\":" + row.vib + ",\"state\":\"" + row.state +
           "\",\"ok\":" + (row.ok ? "true" : "false") + "}\n";
  }
  std::string csv() {
    Row row = next();
    return std::to_string(row.ts) + "," + row.device + "," + std::to_string(row.seq) + "," +
           row.temp + "," + row.vib + "," + row.state + "," + (row.ok ? "true" : "false") + "\n";
  }
  // As a web server logs; quotes, and in nearly every line a character that is not ASCII.
  std::string log_line() {
    Row row = next();
    return "10.1." + std::to_string(row.seq % 256) + ".7 - " + row.device +
           " [26/Nov/2026:03:40:00 +0000] \"GET /" + (row.ok ? "état" : "state") + "/" + row.state +
           "?t=" + row.temp + " HTTP/1.1\" 200 " + std::to_string(row.seq) +
           " \"-\" \"curl/7.88.1\"\n";
  }

 private:
  uint32_t random() {  // of a sequence that is the same everywhere
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<uint32_t>(state_ >> 33);
  }
  static std::string three(uint32_t n) {
    std::string digits = std::to_string(1000 + n);
    return digits.substr(1);
  }
  static std::string number(uint32_t n, size_t decimals) {
    std::string digits = std::to_string(n);
    while (digits.size() <= decimals) digits.insert(0, "0");
    return digits.insert(digits.size() - decimals, ".");
  }

  uint64_t state_ = 1;
  int64_t ts_ = 1'760'000'000'000;
  uint32_t seq_ = 0;
};

// --- the paths ----------------------------------------------------------------------------------

// A path prepares the input of a batch (not counted), and runs over it (counted).
class Path {
 public:
  virtual ~Path() = default;
  virtual void prepare() = 0;
  virtual void run() = 0;

 protected:
  template <typename F>
  BatchRef batch_of(F line) {
    std::string all;
    for (size_t i = 0; i < kRecords; ++i) all += line();
    BatchRef batch = BatchRef::make(pool_, Content::kBytes);
    auto* bytes = batch->arena.array<char>(all.size());
    std::memcpy(bytes, all.data(), all.size());
    batch->bytes = {bytes, all.size()};
    batch->arrival_us = 1'760'000'000'000'000;
    return batch;
  }
  BatchRef json_batch() {
    return batch_of([this] { return telemetry_.json(); });
  }
  void decode(Decoder& decoder, Batch& batch) { must(decoder.decode(batch, dead_)); }
  std::unique_ptr<Decoder> json_decoder() {
    const ReadFormat* format = find_read_format("json");
    return must(format->make_decoder(Options(format->options)));
  }
  static std::unique_ptr<Transform> transform(const char* type,
                                              const std::map<std::string, Options::Item>& items) {
    const TransformType* found = find_transform(type);
    Options options(found->options);
    for (const auto& [name, item] : items) options.set(name, item);
    return must(found->make(options));
  }

  Budget budget_{256 << 20};
  BlockPool pool_{budget_};
  NoDeadLetters dead_;
  Telemetry telemetry_;
};

// JSON lines, decoded, filtered, and mapped: the transforms of the first row of scripts/bench.
class FilterMap final : public Path {
 public:
  void prepare() override { batch_ = json_batch(); }
  void run() override {
    decode(*decoder_, *batch_);
    must(filter_->run(batch_, dead_));
    must(map_->run(batch_, dead_));
    if (batch_->records.empty()) stop("nothing is left");
  }

 private:
  std::unique_ptr<Decoder> decoder_ = json_decoder();
  std::unique_ptr<Transform> filter_ =
      transform("filter", {{"where", std::string("state <> 'idle' AND temp > 20")}});
  std::unique_ptr<Transform> map_ =
      transform("map", {{"rename", Options::Map{{"temp", "temperature"}}},
                        {"set", Options::Map{{"site", "'north'"}}},
                        {"drop", std::vector<std::string>{"vib"}}});
  BatchRef batch_;
};

// JSON lines that pass through: each is checked, none becomes a record.
class PassJson final : public Path {
 public:
  void prepare() override { batch_ = json_batch(); }
  void run() override {
    must(framing_->split(*batch_, dead_));
    if (batch_->slices.size() != kRecords) stop("records are gone");
  }

 private:
  std::unique_ptr<Framing> framing_ =
      find_read_format("json")->make_framing(Options(find_read_format("json")->options));
  BatchRef batch_;
};

// Records with computed numbers and text that needs escapes, as ndjson.
class EncodeJson final : public Path {
 public:
  void prepare() override {
    batch_ = json_batch();
    decode(*decoder_, *batch_);
    must(map_->run(batch_, dead_));
  }
  void run() override {
    if (must(encoder_->encode(*batch_, dead_))->slices.size() != kRecords) stop("records are gone");
  }

 private:
  std::unique_ptr<Decoder> decoder_ = json_decoder();
  std::unique_ptr<Transform> map_ =
      transform("map", {{"set", Options::Map{{"tempF", "temp * 1.8 + 32"},
                                             {"note", "device || ' \"' || state || '\"'"}}}});
  std::unique_ptr<Encoder> encoder_ = must(
      find_write_format("ndjson")->make_encoder(Options(find_write_format("ndjson")->options)));
  BatchRef batch_;
};

// Lines of text as ndjson: each has quotes, which must be escaped.
class LinesToJson final : public Path {
 public:
  void prepare() override {
    batch_ = batch_of([this] { return telemetry_.log_line(); });
  }
  void run() override {
    decode(*decoder_, *batch_);
    if (must(encoder_->encode(*batch_, dead_))->slices.size() != kRecords) stop("records are gone");
  }

 private:
  std::unique_ptr<Decoder> decoder_ =
      must(find_read_format("lines")->make_decoder(Options(find_read_format("lines")->options)));
  std::unique_ptr<Encoder> encoder_ = must(
      find_write_format("ndjson")->make_encoder(Options(find_write_format("ndjson")->options)));
  BatchRef batch_;
};

// CSV with declared types.
class DecodeCsv final : public Path {
 public:
  DecodeCsv() {
    const ReadFormat* format = find_read_format("csv");
    Options options(format->options);
    std::span<const Option> table;
    for (const Option& option : format->options)
      if (option.name == "columns") table = option.fields;
    std::vector<Options> columns;
    for (auto [name, type] : {std::pair{"ts", "integer"},
                              {"device", "string"},
                              {"seq", "integer"},
                              {"temp", "float"},
                              {"vib", "float"},
                              {"state", "string"},
                              {"ok", "bool"}}) {
      Options column(table);
      column.set("index", static_cast<int64_t>(columns.size()));
      column.set("name", std::string(name));
      column.set("type", std::string(type));
      columns.push_back(std::move(column));
    }
    options.set("columns", std::move(columns));
    options.set("header", false);
    decoder_ = must(format->make_decoder(options));
  }
  void prepare() override {
    batch_ = batch_of([this] { return telemetry_.csv(); });
  }
  void run() override {
    decode(*decoder_, *batch_);
    if (batch_->records.size() != kRecords) stop("records are gone");
  }

 private:
  std::unique_ptr<Decoder> decoder_;
  BatchRef batch_;
};

// QoS 1: packets cut out of what a socket gave, put into a batch as the source does, decoded, and
// acknowledged.
class MqttPublish final : public Path {
 public:
  void prepare() override {
    packets_.clear();
    for (size_t i = 0; i < kRecords; ++i) {
      id_ = static_cast<uint16_t>(id_ % 60'000 + 1);
      std::string payload = telemetry_.json();
      append_publish(packets_, kVersion, {.topic = "plant/4/press/7", .qos = 1, .id = id_},
                     payload);
    }
    batch_ = BatchRef::make(pool_, Content::kSlices);
    acks_.clear();
  }
  void run() override {
    constexpr size_t kRead = 64 * 1024;  // of a socket
    for (std::string_view left = packets_; !left.empty();
         left.remove_prefix(std::min(left.size(), kRead)))
      must(framer_.feed(left.substr(0, kRead)));
    decode(*decoder_, *batch_);
    inbox_.acked(inbox_.offset());
    inbox_.append_acks(acks_, kVersion);
    if (batch_->records.size() != kRecords || acks_.empty()) stop("records are gone");
  }

 private:
  static constexpr mqtt::Version kVersion = mqtt::Version::k5;

  Result<bool> take(const mqtt::Frame& frame) {
    Result<mqtt::Publish> publish = read_publish(frame, kVersion);
    if (!publish) return fail(publish.error());
    Result<bool> seen = inbox_.seen(*publish);
    if (!seen || *seen) stop("a message was seen before");
    if (batch_->slices.empty()) batch_->begin = {.offset = inbox_.offset()};
    const uint64_t end = inbox_.add(*publish);
    std::string_view payload = batch_->arena.copy(publish->payload);
    batch_->slices.push_back({payload.data(), static_cast<uint32_t>(payload.size()),
                              static_cast<uint32_t>(end - batch_->begin.offset),
                              static_cast<uint32_t>(batch_->slices.size() + 1)});
    return true;
  }

  mqtt::Framer framer_{mqtt::kLongestPacket,
                       [this](const mqtt::Frame& frame) { return take(frame); }};
  mqtt::Inbox inbox_;
  std::unique_ptr<Decoder> decoder_ = json_decoder();
  uint16_t id_ = 0;
  std::string packets_;
  std::string acks_;
  BatchRef batch_;
};

// Slices on their way into the journal, in haste, and out of it again: without SQLite's share.
class SpoolRows final : public Path {
 public:
  void prepare() override {
    batch_ = json_batch();
    const ReadFormat* format = find_read_format("json");
    must(format->make_framing(Options(format->options))->split(*batch_, dead_));
  }
  void run() override {
    const Part part{batch_, 0, static_cast<uint32_t>(batch_->slices.size())};
    const RowIdentity identity{"line-1", "0011223344556677", 7'000'000, kRecords, 7'000'000, {}};
    std::string packed =
        pack_row(identity, write_spooled({&part, 1}, {"ndjson\n", "input.jsonl:1"}), true);
    SpooledAs as;
    if (must(read_spooled(pool_, must(unpack_row(packed)), 0, 0, &as))->slices.size() != kRecords)
      stop("records are gone");
  }

 private:
  BatchRef batch_;
};

// Records as rows of COPY.
class CopyRows final : public Path {
 public:
  CopyRows() {
    using postgres::Kind;
    for (auto [name, kind] : {std::pair{"ts", Kind::kInt8},
                              {"device", Kind::kText},
                              {"seq", Kind::kInt8},
                              {"temp", Kind::kFloat},
                              {"vib", Kind::kFloat},
                              {"state", Kind::kText},
                              {"ok", Kind::kBool}}) {
      postgres::Column column;
      column.name = name;
      column.kind = kind;
      column.number = static_cast<int>(target_.layout.columns.size()) + 1;
      target_.layout.columns.push_back(std::move(column));
    }
    target_.layout.name = "t";
    target_.table = "\"t\"";
    target_.config = &config_;
    mapping_.emplace(config_, target_.layout);
    target_.mapping = &*mapping_;
  }
  void prepare() override {
    BatchRef batch = json_batch();
    decode(*decoder_, *batch);
    delivery_ = {};
    delivery_.records = batch->records.size();
    delivery_.parts.push_back({batch, 0, static_cast<uint32_t>(batch->records.size())});
  }
  void run() override {
    postgres::Rows rows(target_, text_, delivery_, "BEGIN;", "", "COMMIT");
    if (rows.begin_copy().empty()) stop("nothing to copy");
    size_t bytes = 0;
    postgres::CopySource::Piece::Kind kind{};
    do {
      buffer_.clear();
      kind = rows.next(buffer_).kind;
      bytes += buffer_.size();
    } while (kind == postgres::CopySource::Piece::Kind::kMore);
    if (bytes < 50 * kRecords) stop("records are gone");
  }

 private:
  std::unique_ptr<Decoder> decoder_ = json_decoder();
  postgres::MappingConfig config_;
  postgres::Target target_;
  std::optional<postgres::Mapping> mapping_;
  postgres::FieldText text_;
  postgres::Buffer buffer_;
  Delivery delivery_;
};

template <typename T>
std::unique_ptr<Path> make() {
  return std::make_unique<T>();
}

constexpr struct {
  const char* name;
  std::unique_ptr<Path> (*make)();
} kPaths[] = {
    {"json-filter-map", make<FilterMap>}, {"ndjson-pass", make<PassJson>},
    {"ndjson-encode", make<EncodeJson>},  {"lines-ndjson", make<LinesToJson>},
    {"csv-decode", make<DecodeCsv>},      {"mqtt-publish", make<MqttPublish>},
    {"spool-row", make<SpoolRows>},       {"copy-row", make<CopyRows>},
};

int run(std::string_view name, int batches) {
  for (const auto& path : kPaths) {
    if (name != path.name) continue;
    std::unique_ptr<Path> made = path.make();
    made->prepare();
    made->run();
    for (int i = 0; i < batches; ++i) {
      made->prepare();
      counted_batch([&made] { made->run(); });
    }
    std::printf("%zu\n", kRecords * static_cast<size_t>(batches));
    return 0;
  }
  for (const auto& path : kPaths) std::printf("%s\n", path.name);
  return name == "list" ? 0 : 2;
}

}  // namespace
}  // namespace leat

int main(int argc, char** argv) {
  return leat::run(argc > 1 ? argv[1] : "", argc > 2 ? std::atoi(argv[2]) : 1);
}
