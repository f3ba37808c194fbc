#include "transform/map_rules.h"

#include <algorithm>

#include "base/text.h"
#include "options/option_errors.h"
#include "transform/sql_value.h"

namespace leat {
namespace {

using From = ValueSource::From;

bool is_event_time(std::string_view name) {
  return name == InputTable::kEventTimeColumn;
}

// SQL has no booleans: TRUE is 1 there. Here it means what it says.
std::optional<bool> boolean_literal(std::string_view expression) {
  auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!expression.empty() && is_space(expression.front())) expression.remove_prefix(1);
  while (!expression.empty() && is_space(expression.back())) expression.remove_suffix(1);
  std::string text(expression);
  if (sqlite3_stricmp(text.c_str(), "true") == 0) return true;
  if (sqlite3_stricmp(text.c_str(), "false") == 0) return false;
  return std::nullopt;
}

class Compiler {
 public:
  explicit Compiler(const Options& options) : options_(options) {}

  Result<MapProgram> compile() {
    if (options_.map("set").empty() && options_.map("rename").empty() &&
        options_.strings("drop").empty())
      return fail_option(options_.path(), "give one of set, rename and drop");
    OptionErrors errors;
    (void)errors.good(add_renames());
    (void)errors.good(add_sets());
    if (Status status = errors.status(); !status) return fail(status.error());
    program_.rules.drop = options_.strings("drop");
    if (Status status = prepare_statement(); !status) return fail(status.error());
    return std::move(program_);
  }

 private:
  Status add_renames() {
    OptionErrors errors;
    for (const auto& [from, to] : options_.map("rename")) (void)errors.good(add_rename(from, to));
    return errors.status();
  }

  Status add_rename(const std::string& from, const std::string& to) {
    auto& rules = program_.rules.rename;
    std::string path = path_of_key(options_.path("rename"), from);
    if (is_event_time(to))
      return fail_option(path, "the event time is set with set: {\"_time\": …}");
    for (const auto& [other_from, other_to] : rules) {
      if (other_from == from) return fail_option(path, "renamed twice");
      if (other_to == to)
        return fail_option(path, json_quoted(other_from) +
                                     " is renamed to the same name; set with coalesce() "
                                     "can join two fields");
    }
    rules.emplace_back(from, to);
    return {};
  }

  Status add_sets() {
    if (options_.map("set").empty()) return {};
    auto engine = SqlEngine::open(SqlEngine::Scope::kRecord, options_.integer("maxSteps"));
    if (!engine) return fail(engine.error());
    program_.engine = std::move(*engine);
    OptionErrors errors;
    for (const auto& [name, expression] : options_.map("set"))
      (void)errors.good(add_set(name, expression));
    return errors.status();
  }

  Status add_set(const std::string& name, const std::string& expression) {
    std::string path = path_of_key(options_.path("set"), name);
    auto& rules = program_.rules.set;
    bool twice = std::any_of(rules.begin(), rules.end(),
                             [&name](const SetRule& rule) { return rule.name == name; });
    if (twice || (is_event_time(name) && program_.event_time))
      return fail_option(path, "set twice");
    auto rule = compile_rule(name, expression, path);
    if (!rule) return fail(rule.error());
    if (is_event_time(name)) return take_event_time(std::move(*rule), path);
    rules.push_back(std::move(*rule));
    return {};
  }

  Status take_event_time(SetRule rule, const std::string& path) {
    if (rule.source.from == From::kConstant) {
      const Value& value = program_.constants[rule.source.index].value;
      if (value.type != Type::kNull && !event_time_of(value))
        return fail_option(path, "not an integer of microseconds");
    }
    program_.event_time = std::move(rule);
    return {};
  }

  Result<SetRule> compile_rule(const std::string& name, const std::string& expression,
                               const std::string& path) {
    SetRule rule{.name = name, .source = {}, .column = {}};
    if (std::optional<bool> literal = boolean_literal(expression)) {
      rule.source = add_constant({Value::boolean(*literal), {}});
      return rule;
    }
    auto checked = program_.engine->check_expression(expression, path);
    if (!checked) return fail(checked.error());
    if (checked->column) {
      rule.source.from = is_event_time(*checked->column) ? From::kEventTime : From::kField;
      rule.column = *checked->column;
    } else if (checked->constant) {
      auto constant = evaluate(expression, path);
      if (!constant) return fail(constant.error());
      rule.source = add_constant(std::move(*constant));
    } else {
      rule.source = {From::kComputed, computed_count_++};
      if (!computed_.empty()) computed_ += ",\n";
      computed_ += "(\n" + expression + "\n)";
    }
    return rule;
  }

  ValueSource add_constant(MapProgram::Constant constant) {
    program_.constants.push_back(std::move(constant));
    return {From::kConstant, static_cast<uint32_t>(program_.constants.size() - 1)};
  }

  Result<MapProgram::Constant> evaluate(const std::string& expression, const std::string& path) {
    auto statement = program_.engine->prepare(
        {.before = "SELECT (\n", .user = expression, .after = "\n)", .path = path});
    if (!statement) return fail(statement.error());
    if (sqlite3_step(statement->get()) != SQLITE_ROW)
      return fail_option(path, program_.engine->sandbox().error_text());
    Budget budget(SIZE_MAX);
    BlockPool pool(budget);
    Arena arena(pool);
    MapProgram::Constant constant;
    Result<Value> value = read_result(sqlite3_column_value(statement->get(), 0), arena);
    if (!value) return fail_option(path, value.error().message());
    constant.value = *value;
    if (constant.value.is_text()) constant.text = constant.value.view();
    return constant;
  }

  Status prepare_statement() {
    if (computed_count_ == 0) {
      program_.engine.reset();
      return {};
    }
    std::string path = options_.path("set");
    std::string from = program_.engine->from_clause();
    auto statement = program_.engine->prepare(
        {.before = "SELECT ", .user = computed_, .after = from, .path = path});
    if (!statement) return fail(statement.error());
    program_.statement = std::move(*statement);
    return {};
  }

  const Options& options_;
  MapProgram program_;
  std::string computed_;  // the expressions, for one SELECT
  uint32_t computed_count_ = 0;
};

}  // namespace

Result<MapProgram> make_map_program(const Options& options) {
  return Compiler(options).compile();
}

}  // namespace leat
