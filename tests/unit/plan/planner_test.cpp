#include "plan/planner.h"

#include <gtest/gtest.h>

#include "options/problems.h"

namespace leat {
namespace {

SourceType source_type(std::string_view name, Produces produces, Replay (*replay)(const Options&)) {
  SourceType type{};
  type.name = name;
  type.produces = produces;
  type.replay = replay;
  return type;
}

SinkType sink_type(std::string_view name, Consumes consumes, bool stores_positions) {
  SinkType type{};
  type.name = name;
  type.consumes = consumes;
  type.stores_positions = stores_positions;
  return type;
}

const SourceType kFiles = source_type("files", Produces::kBytes, replays<Replay::kFromPosition>);
const SourceType kBroker = source_type("broker", Produces::kSlices, replays<Replay::kHoldsAck>);
const SourceType kMaker = source_type("maker", Produces::kRecords, replays<Replay::kNone>);
const SinkType kServer = sink_type("server", Consumes::kSlices, false);
const SinkType kTable = sink_type("table", Consumes::kRecords, true);

class PlannerTest : public ::testing::Test {
 protected:
  PipelineConfig& configure(const SourceType& source, const SinkType& sink) {
    config_.name = "p";
    config_.source.type = &source;
    if (source.produces != Produces::kRecords) {
      config_.source.format = find_read_format("json");
      config_.source.format_options = Options(config_.source.format->options);
    }
    config_.sink.type = &sink;
    if (sink.consumes == Consumes::kSlices) config_.sink.format = find_write_format("ndjson");
    return config_;
  }

  static std::string chain(const std::vector<Step>& steps) {
    std::string out;
    for (const Step& step : steps) out += (out.empty() ? "" : " > ") + step.label;
    return out;
  }

  std::string planned() {
    Result<Plan> made = plan(config_, "pipelines[0]");
    return made ? chain(made->final) : made.error().message();
  }

  PipelineConfig config_;
};

TEST_F(PlannerTest,
       a_job_has_as_many_lanes_as_it_reads_at_once_where_nothing_is_kept_in_one_place) {
  SourceType several = kMaker;
  several.replay = replays<Replay::kFromPosition>;
  several.at_once = [](const Options&) { return size_t{4}; };
  SinkType side_by_side = kTable;
  configure(several, side_by_side);
  config_.delivery.spool.mode = SpoolMode::kNever;
  const auto lanes = [this](size_t mebibytes) {
    return plan_tasks(config_, mebibytes << 20).size();
  };
  EXPECT_EQ(lanes(8), 1U) << "the sink does not say that it can";
  side_by_side.lanes = [](const Options&) { return true; };
  EXPECT_EQ(lanes(8), 4U);
  EXPECT_EQ(lanes(5), 2U) << "memory is short";
  EXPECT_EQ(lanes(0), 1U);
  const std::vector<TaskPlan> tasks = plan_tasks(config_, 8 << 20);
  EXPECT_FALSE(tasks[0].joins);
  EXPECT_TRUE(tasks[1].joins && tasks[3].joins);
  config_.delivery.spool.mode = SpoolMode::kAlways;
  EXPECT_EQ(lanes(8), 1U);
  config_.delivery.spool.mode = SpoolMode::kNever;
  TransformType remembers{};
  remembers.remembers = true;
  config_.transforms.push_back({&remembers, Options()});
  EXPECT_EQ(lanes(8), 1U);
}

TEST_F(PlannerTest, bytes_pass_through_when_both_ends_speak_the_same_format) {
  configure(kFiles, kServer);
  EXPECT_EQ(planned(), "files > split ndjson > server");
}

TEST_F(PlannerTest, messages_are_decoded_since_one_may_hold_several_records_or_newlines) {
  configure(kBroker, kServer);
  EXPECT_EQ(planned(), "broker > decode json > encode ndjson > server");
}

TEST_F(PlannerTest, raw_messages_pass_through) {
  PipelineConfig& config = configure(kBroker, kServer);
  config.source.format = find_read_format("raw");
  config.sink.format = find_write_format("raw");
  EXPECT_EQ(planned(), "broker > server");
}

TEST_F(PlannerTest, the_fields_of_messages_are_added_behind_the_decoder) {
  SourceType broker = kBroker;
  broker.has_fields = [](const Options&) { return true; };
  configure(broker, kServer);
  EXPECT_EQ(planned(), "broker > decode json > message fields > encode ndjson > server");
}

TEST_F(PlannerTest, declared_types_need_records_so_that_a_mismatch_is_seen) {
  configure(kFiles, kServer).source.fields = {{"temp", Type::kFloat}};
  EXPECT_EQ(planned(), "files > decode json > field types > encode ndjson > server");
}

TEST_F(PlannerTest, a_time_that_must_be_there_needs_records) {
  PipelineConfig& config = configure(kFiles, kServer);
  config.source.time = EventTimeConfig{"ts", TimeFormat()};
  EXPECT_EQ(planned(), "files > split ndjson > server");
  config.source.time->dead_letter = true;
  EXPECT_EQ(planned(), "files > decode json > event time > encode ndjson > server");
}

TEST_F(PlannerTest, a_transform_brings_a_decoder_and_an_encoder) {
  configure(kFiles, kServer).transforms.push_back({find_transform("filter"), Options()});
  EXPECT_EQ(planned(), "files > decode json > filter > encode ndjson > server");
}

TEST_F(PlannerTest, other_formats_at_the_ends_are_translated) {
  configure(kFiles, kServer).sink.format = find_write_format("json");
  EXPECT_EQ(planned(), "files > decode json > encode json > server");
}

TEST_F(PlannerTest, rows_pass_to_a_sink_that_takes_their_form_when_nothing_looks_into_them) {
  SourceType source = source_type("rows", Produces::kRecords, replays<Replay::kFromPosition>);
  SinkType sink = kTable;
  PipelineConfig& config = configure(source, sink);
  config.delivery.spool.mode = SpoolMode::kNever;
  EXPECT_FALSE(rows_pass(config)) << "neither has a form";
  source.rows = "rows of X";
  EXPECT_FALSE(rows_pass(config));
  sink.rows = "rows of Y";
  EXPECT_FALSE(rows_pass(config));
  sink.rows = "rows of X";
  EXPECT_TRUE(rows_pass(config));
  EXPECT_EQ(planned(), "rows > table");
  source.looks_into_rows = [](const Options&) { return true; };
  EXPECT_FALSE(rows_pass(config));
  source.looks_into_rows = nullptr;
  config.delivery.spool.mode = SpoolMode::kAlways;
  EXPECT_FALSE(rows_pass(config)) << "the spool has values";
  config.delivery.spool.mode = SpoolMode::kNever;
  config.source.fields = {{"temp", Type::kFloat}};
  EXPECT_FALSE(rows_pass(config));
  config.source.fields.clear();
  config.source.time = EventTimeConfig{"ts", TimeFormat()};
  EXPECT_FALSE(rows_pass(config));
  config.source.time.reset();
  config.transforms.push_back({find_transform("filter"), Options()});
  EXPECT_FALSE(rows_pass(config));
}

TEST_F(PlannerTest, a_sink_of_records_needs_a_decoder_only) {
  configure(kFiles, kTable);
  EXPECT_EQ(planned(), "files > decode json > table");
}

TEST_F(PlannerTest, records_need_no_decoder) {
  configure(kMaker, kServer);
  EXPECT_EQ(planned(), "maker > encode ndjson > server");
  configure(kMaker, kTable);
  EXPECT_EQ(planned(), "maker > table");
}

TEST_F(PlannerTest, an_event_time_is_set_before_the_first_transform) {
  configure(kFiles, kTable).source.time =
      EventTimeConfig{"ts", TimeFormat::parse("unixMs").value()};
  EXPECT_EQ(planned(), "files > decode json > event time > table");
}

TEST_F(PlannerTest, exactly_once_needs_a_sink_that_stores_positions_and_a_source_that_replays) {
  configure(kFiles, kTable).delivery.exactly_once = true;
  EXPECT_EQ(planned(), "files > decode json > table");
  configure(kFiles, kServer);
  EXPECT_NE(planned().find("pipelines[0].delivery.guarantee: the sink \"server\""),
            std::string::npos);
  configure(kMaker, kTable);
  EXPECT_NE(planned().find("the source \"maker\" cannot be read again"), std::string::npos);
}

// A caller that is no person does something with it: a page offers what would do.
TEST_F(PlannerTest, what_cannot_be_exactly_once_is_told_as_data) {
  auto problem = [this] {
    Result<Plan> made = plan(config_, "pipelines[0]");
    return made || made.error().problems() == nullptr ? Problem{}
                                                      : made.error().problems()->all().at(0);
  };
  configure(kFiles, kServer).delivery.exactly_once = true;
  Problem guarantee = problem();
  EXPECT_EQ(guarantee.kind, Problem::Kind::kChoice);
  EXPECT_EQ(guarantee.path, "pipelines[0].delivery.guarantee");
  EXPECT_EQ(guarantee.found, "\"exactlyOnce\"");
  EXPECT_EQ(guarantee.suggestion, "atLeastOnce");
  configure(kMaker, kTable).delivery.exactly_once = true;
  config_.delivery.spool.mode = SpoolMode::kNever;
  Problem spool = problem();
  EXPECT_EQ(spool.path, "pipelines[0].delivery.spool");
  EXPECT_EQ(spool.found, "\"never\"");
  EXPECT_EQ(spool.suggestion, "always");
}

TEST_F(PlannerTest, a_transform_that_remembers_is_told_of_and_cannot_be_exactly_once) {
  TransformType keeper{};
  keeper.name = "keeper";
  keeper.remembers = true;
  configure(kBroker, kTable).transforms.push_back({&keeper, Options()});
  std::string text = explain(config_, plan(config_, "p").value());
  EXPECT_NE(text.find("state     keeper: what is remembered is saved with the position it covers, "
                      "every 30.0s, and when acknowledgements have waited for 5.0s"),
            std::string::npos)
      << text;
  configure(kFiles, kTable).delivery.exactly_once = true;
  EXPECT_NE(planned().find("pipelines[0].delivery.guarantee: the transform \"keeper\" "
                           "(pipelines[0].transforms[0]) remembers"),
            std::string::npos)
      << planned();
}

TEST_F(PlannerTest, by_default_payload_goes_to_the_journal_in_trouble_only_or_never) {
  EXPECT_EQ(default_spool_mode(configure(kFiles, kServer)), SpoolMode::kNever);
  EXPECT_EQ(default_spool_mode(configure(kBroker, kServer)), SpoolMode::kOnTrouble);
  EXPECT_EQ(default_spool_mode(configure(kMaker, kServer)), SpoolMode::kOnTrouble);
  config_.delivery.spool.mode = SpoolMode::kOnTrouble;
  EXPECT_NE(explain(config_, *plan(config_, "p")).find("a crash of leat costs what is on its way"),
            std::string::npos);
  config_.delivery.exactly_once = true;
  EXPECT_EQ(default_spool_mode(config_), SpoolMode::kAlways);
}

TEST_F(PlannerTest, the_explanation_shows_all_three_chains_and_why) {
  configure(kFiles, kServer);
  std::string text = explain(config_, plan(config_, "pipelines[0]").value());
  EXPECT_NE(text.find("declared  files (json) → server (ndjson)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("injected  files → decode json → encode ndjson → server\n"),
            std::string::npos);
  EXPECT_NE(text.find("final     files → split ndjson → server\n"), std::string::npos);
  EXPECT_NE(text.find("bytes pass through untouched"), std::string::npos);
  EXPECT_NE(text.find("unbounded"), std::string::npos);
}

}  // namespace
}  // namespace leat
