// A source and a sink that a test leads, and the configuration of a pipeline between them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plan/pipeline_config.h"
#include "stage/sink.h"
#include "stage/source.h"
#include "stage/transform.h"

namespace leat::testing {

// Emits what the test says, and nothing by itself.
class ScriptedSource final : public Source {
 public:
  static inline ScriptedSource* made = nullptr;         // the newest one
  static inline std::vector<ScriptedSource*> all = {};  // that are there

  ScriptedSource() {
    made = this;
    all.push_back(this);
  }
  ~ScriptedSource() override { std::erase(all, this); }
  Status open(SourceContext& given) override {
    context = &given;
    return {};
  }
  void resume() override { ++resumed; }
  void stop(std::function<void()> closed) override { closed(); }
  void acked(const Position& position) override { acks.push_back(position.offset); }
  SavedPosition saved_position(const Position& position) override {
    return {"f" + std::to_string(position.partition), std::to_string(position.offset)};
  }
  std::string describe(const Position& position) override {
    return "f" + std::to_string(position.partition) + ":" + std::to_string(position.line);
  }
  std::unique_ptr<Source> lane() override { return std::make_unique<ScriptedSource>(); }

  SourceContext* context = nullptr;  // once it is open
  int resumed = 0;
  std::vector<uint64_t> acks;
};

// Keeps what it is given until the test answers.
class ScriptedSink final : public Sink {
 public:
  static inline ScriptedSink* made = nullptr;
  static inline std::vector<ScriptedSink*> all = {};
  struct Attempt {
    std::vector<std::string> records;
    Done done;
    std::vector<SavedPosition> positions = {};
  };

  ScriptedSink() {
    made = this;
    all.push_back(this);
  }
  ~ScriptedSink() override { std::erase(all, this); }
  Status open(SinkContext& given) override {
    context = &given;
    return open_as;
  }
  void deliver(const Delivery& delivery, Done done) override {
    Attempt attempt{{}, std::move(done), delivery.positions};
    delivery.each_slice([&attempt](const Slice& slice) {
      attempt.records.emplace_back(slice.view().substr(0, slice.size - 1));
    });
    attempts.push_back(std::move(attempt));
  }
  void finish(std::function<void(Status)> done) override {
    finished = true;
    ++finishes;
    done({});
  }
  void close(std::function<void()> then) override {
    closed = true;
    then();
  }
  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) override {
    asked.push_back(std::move(done));
  }

  static inline Status open_as = {};
  SinkContext* context = nullptr;  // once it is open
  std::deque<Attempt> attempts;
  std::deque<std::function<void(Result<std::vector<SavedPosition>>)>> asked;
  bool finished = false;
  bool closed = false;
  static inline int finishes = 0;  // of all
};

inline Result<std::unique_ptr<Source>> make_scripted_source(const Options& /*options*/) {
  return std::unique_ptr<Source>(new ScriptedSource);
}
inline Result<std::unique_ptr<Sink>> make_scripted_sink(const Options& /*options*/) {
  return std::unique_ptr<Sink>(new ScriptedSink);
}

template <Produces kProduces, Replay kReplay>
inline const SourceType kScriptedSource{.name = "script",
                                        .help = "",
                                        .produces = kProduces,
                                        .replay = replays<kReplay>,
                                        .options = {},
                                        .make = make_scripted_source};
inline const SinkType kScriptedSink{.name = "script sink",
                                    .help = "",
                                    .consumes = Consumes::kSlices,
                                    .options = {},
                                    .stores_positions = true,
                                    .make = make_scripted_sink};

// A pipeline from lines of JSON to lines of JSON; transforms are added.
inline PipelineConfig json_config(const SourceType& source) {
  PipelineConfig config;
  config.name = "p";
  config.source.type = &source;
  if (source.produces != Produces::kRecords) {
    config.source.format = find_read_format("json");
    config.source.format_options = Options(config.source.format->options);
  }
  config.sink.type = &kScriptedSink;
  config.sink.format = find_write_format("ndjson");
  config.sink.batch = {.records = 100, .bytes = 1 << 20, .linger = Milliseconds{1}};
  config.delivery.retry_initial = Milliseconds{1};
  config.delivery.retry_max = Milliseconds{2};
  return config;
}

inline void add_transform(PipelineConfig& config, const std::string& type,
                          const std::map<std::string, Options::Item>& items) {
  TransformConfig transform{find_transform(type), Options(find_transform(type)->options, "t")};
  for (const auto& [name, item] : items) transform.options.set(name, item);
  config.transforms.push_back(std::move(transform));
}

}  // namespace leat::testing
