#include "config/config_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "config/fake_registry.h"
#include "config/loader.h"
#include "options/problem_words.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

using Lines = std::vector<std::string>;

class ConfigFolderTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::optional<AgentConfig> load() {
    problems_ = {};
    std::vector<ConfigFile> files = read_config_files(folder_.path(), problems_);
    if (problems_.errors() > 0) return std::nullopt;
    return load_config(files, {registry_, {}, "", "gw"}, problems_);
  }

  static std::string pipeline(const std::string& name) {
    return (name.empty() ? "{" : R"({"name": ")" + name + "\", ") +
           R"("source": {"type": "tap"}, "sink": {"type": "drain", "url": "http://x"}})";
  }
  static std::string pipelines(const std::string& list) {
    return R"({"pipelines": [)" + list + "]}";
  }

  leat::testing::TempDir folder_;
  Registry registry_ = fake::registry();
  Problems problems_;
};

TEST_F(ConfigFolderTest, is_all_of_its_files_in_the_order_of_their_names) {
  write("20.json", pipelines(pipeline("b") + "," + pipeline("c")));
  write("10.json", pipelines(pipeline("a")));
  write("99.json", R"({"agent": {"dataDir": "/d", "id": "gw-1"}} // the last)");
  write(".30.json", "nonsense");
  write("40.json.bak", "nonsense");
  mkdir((folder_ / "50.json").c_str(), 0700);
  mkfifo((folder_ / "60.json").c_str(), 0600);  // would be waited for
  std::optional<AgentConfig> config = load();
  ASSERT_TRUE(config) << ::testing::PrintToString(lines_of(problems_));
  EXPECT_EQ(config->id, "gw-1");
  Lines names;
  for (const PipelineConfig& each : config->pipelines) names.push_back(each.name);
  EXPECT_EQ(names, (Lines{"a", "b", "c"}));
}

TEST_F(ConfigFolderTest, says_of_each_problem_in_which_file_it_stands) {
  const std::string a = write("a.json", "{\"agent\": {\"dataDir\": \"/d\"},\n \"pipelines\": [" +
                                            pipeline("p") + "],\n \"agnet\": 1}");
  const std::string b = write("b.json", "{\"pipelines\": [\n" + pipeline("p") + "]}");
  const std::string c = write("c.json", "{\n\"agent\": {}}");
  const std::string d = write("d.json", "{,}");
  EXPECT_FALSE(load());
  EXPECT_EQ(
      lines_of(problems_),
      (Lines{"',' before '}': remove it (" + d + ":1:3)",
             "agnet: unknown key, did you mean \"agent\"? (" + a + ":3:2)",
             "pipelines[0].name: \"p\" is the name of pipelines[0] of " + a + " already (" + b +
                 ":2:10)",
             "agent: stands in " + a + " already: one file says it for all (" + c + ":2:10)"}));
}

TEST_F(ConfigFolderTest, needs_names_when_there_are_several_pipelines_in_all) {
  write("a.json", R"({"agent": {"dataDir": "/d"}})");
  write("b.json", pipelines(pipeline("")));
  std::optional<AgentConfig> config = load();
  ASSERT_TRUE(config);
  EXPECT_EQ(config->pipelines[0].name, "main");
  write("c.json", pipelines(pipeline("")));
  EXPECT_FALSE(load());
  EXPECT_EQ(problems_.size(), 2U);
}

TEST_F(ConfigFolderTest, without_files_is_a_mistake) {
  write("a.txt", "{}");
  EXPECT_FALSE(load());
  EXPECT_EQ(lines_of(problems_), Lines{folder_.path() + ": no *.json in this folder"});
}

TEST_F(ConfigFolderTest, asks_for_what_no_file_has_unless_one_could_not_be_read) {
  write("a.json", "{}");
  write("b.json", "{}");
  EXPECT_FALSE(load());
  EXPECT_EQ(problems_.size(), 2U) << "a folder for data, and pipelines";
  write("c.json", "{");
  EXPECT_FALSE(load());
  EXPECT_EQ(problems_.size(), 1U) << "they may stand there";
}

}  // namespace
}  // namespace leat
