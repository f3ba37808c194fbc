// Values that are not in the file: parameters of a run, and sealed secrets.
#include "config/loader_fixture.h"

namespace leat {
namespace {

TEST_F(LoaderTest, knows_the_parameters_of_a_pipeline_and_waits_for_what_only_a_run_knows) {
  const std::string text = R"({"agent": {"dataDir": "/d"}, "pipelines": [
      {"name": "job", "source": {"type": "tank", "path": "/in/${param:day}"},
       "sink": {"type": "drain", "url": "http://${param:host:-y}"}},
      {"name": "other", "source": {"type": "tank", "path": "/${param:day:-x}"},
       "sink": {"type": "drain", "url": "http://y"}}]})";
  auto config = load(text);
  ASSERT_TRUE(config) << lines.front();
  const PipelineConfig& job = config->pipelines[0];
  EXPECT_EQ(job.parameters, (std::vector<ParameterConfig>{{"day", false}, {"host", true}}));
  EXPECT_FALSE(job.complete());
  EXPECT_TRUE(config->pipelines[1].complete()) << "its only one has a default";
  EXPECT_EQ(config->pipelines[1].source.options.strings("path"), Lines{"/x"});
  only = "job";
  parameters = {{"day", "monday"}};
  config = load(text);
  ASSERT_TRUE(config) << lines.front();
  ASSERT_EQ(config->pipelines.size(), 1U);
  EXPECT_TRUE(config->pipelines[0].complete());
  EXPECT_EQ(config->pipelines[0].source.options.strings("path"), Lines{"/in/monday"});
  EXPECT_EQ(config->pipelines[0].sink.options.string("url"), "http://y");
}

TEST_F(LoaderTest, finds_what_is_wrong_beside_a_parameter) {
  EXPECT_EQ(problems_with(R"(, "limits": {"bytesPerSecond": "${param:rate:-1}", "x": 1})"),
            Lines{"pipelines[0].limits.x: unknown key; known here: recordsPerSecond, "
                  "bytesPerSecond"});
  EXPECT_EQ(problems_with(R"(, "name": "job-${param:day:-x}")"),
            Lines{"pipelines[0].name: must be the same for all runs"});
  EXPECT_EQ(
      problems_with(R"(, "limits": {"bytesPerSecond": "${param:my rate}"})"),
      Lines{"pipelines[0].limits.bytesPerSecond: \"my rate\" is not the name of a parameter"});
  EXPECT_EQ(problems_with("", R"(, "id": "${param:id}")"),
            Lines{"agent.id: \"${param:…}\" has a value only within a pipeline"});
}

TEST_F(LoaderTest, takes_a_sealed_secret_where_secrets_are_and_nowhere_else) {
  auto problems = [this](const std::string& sink, const std::string& more = "") {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": {"type": "tank", "path": "x"},
             "sink": {"type": "drain", )" +
         sink + "}" + more + "}]}");
    return lines;
  };
  auto config = load(R"({"agent": {"dataDir": "/d"}, "pipelines": [
      {"source": {"type": "tank", "path": "x"},
       "sink": {"type": "drain", "url": "http://x", "user": "u", "password": "${sealed:good}"}}]})");
  ASSERT_TRUE(config) << ::testing::PrintToString(lines);
  EXPECT_EQ(config->pipelines[0].sink.options.string("password"), "p:a/s@s word");
  EXPECT_EQ(problems(R"("url": "http://u:${sealed:seven}@x/y?token=${sealed:seven}")"), Lines{});

  const std::string no_place =
      ": a sealed secret has no place here: it would be shown with the "
      "option";
  EXPECT_EQ(problems(R"("url": "http://x/${sealed:seven}")"),
            Lines{"pipelines[0].sink.url" + no_place});
  EXPECT_EQ(problems(R"("url": "http://u:${sealed:good}@x")"),
            Lines{"pipelines[0].sink.url" + no_place})
      << "as its characters are, the mask would end too early";
  EXPECT_EQ(problems(R"("url": "http://x", "user": "${sealed:good}")"),
            Lines{"pipelines[0].sink.user" + no_place});
  EXPECT_EQ(
      problems(R"("url": "http://x")", R"(, "limits": {"recordsPerSecond": "${sealed:seven}"})"),
      Lines{"pipelines[0].limits.recordsPerSecond" + no_place});
  EXPECT_EQ(problems(R"("url": "http://x")", R"(, "name": "${sealed:seven}")"),
            (Lines{"pipelines[0].name: must not be sealed", "pipelines[0].name" + no_place}));
}

TEST_F(LoaderTest, says_of_a_sealed_secret_why_it_does_not_open) {
  EXPECT_EQ(
      problems_of_sink(
          R"({"type": "drain", "url": "http://x", "user": "u", "password": "${sealed:bad}"})"),
      Lines{"pipelines[0].sink.password: what \"${sealed:bad}\" stands for: was sealed to "
            "another key, or has been changed since"});
  load(R"({"agent": {"dataDir": "${sealed:good}"}, "pipelines": []})");
  EXPECT_EQ(lines, Lines{"agent.dataDir: what \"${sealed:good}\" stands for: the key is in "
                         "agent.dataDir, which is not given"});
}

TEST_F(LoaderTest, refuses_an_open_parameter_where_no_run_could_be_given_it) {
  auto problems = [this](const std::string& source, const std::string& more) {
    load(R"({"agent": {"dataDir": "/d"}, "pipelines": [{"source": )" + source +
         R"(, "sink": {"type": "drain", "url": "http://${param:host}"})" + more + "}]}");
    return lines;
  };
  const std::string rule = "${param:host} has no default, so it only runs when it is provisioned, ";
  EXPECT_EQ(problems(R"({"type": "tank", "path": "/in/x"})", ""), Lines{});
  EXPECT_EQ(problems(R"({"type": "tank", "path": "x"})", ""),
            Lines{"pipelines[0].source: " + rule + "and this source does not end by itself"});
  EXPECT_EQ(
      problems(R"({"type": "tank", "path": "/in/x"})", R"(, "delivery": {"spool": "always"})"),
      Lines{"pipelines[0].delivery.spool: must be \"never\": " + rule +
            "and such a run can have no spool"});
  EXPECT_EQ(problems(R"({"type": "tap", "rate": "${param:rate}"})", ""), Lines{})
      << "who knows what that decides";
  EXPECT_EQ(problems(R"({"type": "tank", "path": "/in/x"})",
                     R"(, "delivery": {"spool": "${param:spool}"})"),
            Lines{});
}

}  // namespace
}  // namespace leat
