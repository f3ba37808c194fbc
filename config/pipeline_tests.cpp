#include "config/pipeline_tests.h"

namespace leat {
namespace {

constexpr Option kOptions[] = {
    {.name = "pipeline",
     .type = OptionType::kString,
     .help = "Which one is tried, where there are several."},
    {.name = "name", .type = OptionType::kString, .help = "Says what is tried."},
    {.name = "topic",
     .type = OptionType::kString,
     .help = "Where the messages come from, for a source that makes fields of that."}};

const cJSON* child(const cJSON* node, std::string_view name) {
  return cJSON_GetObjectItemCaseSensitive(node, std::string(name).c_str());
}

// "text", or a list of lines: a string is one as it is, anything else as compact JSON.
void read_input(const cJSON* node, const std::string& path, Parser& parser, PipelineTest& out) {
  if (cJSON_IsString(node)) {
    out.input = node->valuestring;
    return;
  }
  if (node == nullptr || !cJSON_IsArray(node)) {
    parser.problems().add({.kind = node == nullptr ? Problem::Kind::kMissing : Problem::Kind::kType,
                           .path = path,
                           .wanted = "a string, or a list of lines such as [{\"temp\": 41}]",
                           .found = node == nullptr ? "" : parser.describe(node)});
    return;
  }
  for (const cJSON* line = node->child; line != nullptr; line = line->next)
    out.input += (cJSON_IsString(line) ? line->valuestring : print_json(line)) + "\n";
}

void read_expected(const cJSON* list, const std::string& path, Parser& parser, PipelineTest& out) {
  if (!parser.expect_list(list, path, "[{\"temp\": 41}]")) return;
  auto& expected = out.expect.emplace();
  for (const cJSON* node = list->child; node != nullptr; node = node->next)
    expected.push_back(cJSON_IsString(node) ? PipelineTest::Expected{node->valuestring, false}
                                            : PipelineTest::Expected{print_json(node), true});
}

void read_dead(const cJSON* node, const std::string& path, Parser& parser, PipelineTest& out) {
  if (cJSON_IsNumber(node) && node->valueint >= 0) {
    out.dead.resize(static_cast<size_t>(node->valueint));
    return;
  }
  if (!parser.expect_list(node, path, "[\"a part of the reason\"]")) return;
  size_t index = 0;
  for (const cJSON* item = node->child; item != nullptr; item = item->next, ++index) {
    if (cJSON_IsString(item))
      out.dead.emplace_back(item->valuestring);
    else
      parser.problems().add({.kind = Problem::Kind::kType,
                             .path = path_of_index(path, index),
                             .wanted = "a part of the reason",
                             .found = parser.describe(item)});
  }
}

}  // namespace

std::span<const Option> pipeline_test_options() {
  return kOptions;
}

std::vector<PipelineTest> read_tests(const cJSON* root, Parser& parser) {
  std::vector<PipelineTest> out;
  const cJSON* list = child(root, "tests");
  constexpr std::string_view kExample = "[{\"input\": [{\"temp\": 41}], \"expect\": []}]";
  if (list == nullptr || !parser.expect_list(list, "tests", kExample)) return out;
  size_t index = 0;
  for (const cJSON* node = list->child; node != nullptr; node = node->next, ++index) {
    PipelineTest& test = out.emplace_back();
    test.path = path_of_index("tests", index);
    if (!parser.expect_object(node, test.path, "{\"input\": [], \"expect\": []}")) continue;
    Options options(kOptions, test.path);
    parser.fill(node, {&options}, kPipelineTestKeys);
    test.name = options.string("name");
    test.pipeline = options.string("pipeline");
    test.topic = options.string("topic");
    read_input(child(node, "input"), test.path + ".input", parser, test);
    if (const cJSON* expect = child(node, "expect"); expect != nullptr)
      read_expected(expect, test.path + ".expect", parser, test);
    if (const cJSON* dead = child(node, "expectDead"); dead != nullptr)
      read_dead(dead, test.path + ".expectDead", parser, test);
  }
  return out;
}

std::vector<PipelineTest> load_tests(const ConfigFile& file, const Variables& variables,
                                     Problems& problems) {
  Result<Document> document = Document::parse(file.text);
  if (!document) {
    problems.take_from(*document.error().problems(), file.name);
    return {};
  }
  Problems found;
  document->check_duplicates(found);
  // What is sealed in the pipelines beside them is not opened for that, nor for a test.
  Variables here = variables;
  here.sealed = [](const std::string&, const std::string&) -> Result<std::string> {
    return std::string("sealed");
  };
  here.data_dir = ".";
  document->substitute(here, found);
  Parser parser(*document, found);
  std::vector<PipelineTest> tests = read_tests(document->root(), parser);
  document->set_places(found);
  problems.take_from(found, file.name);
  if (found.errors() > 0) tests.clear();
  return tests;
}

}  // namespace leat
