#include "cli/import/datax.h"

#include <algorithm>
#include <utility>

#include "base/double_text.h"
#include "cli/import/job.h"
#include "config/json.h"
#include "config/wording.h"

namespace leat {
namespace {

using namespace datax;

Speed speed_of(Given& setting) {
  Given speed = setting.object("speed");
  Speed out;
  out.channels = std::max<int64_t>(speed.number("channel").value_or(1), 1);
  out.records = std::max<int64_t>(speed.number("record").value_or(0), 0);
  out.bytes = std::max<int64_t>(speed.number("byte").value_or(0), 0);
  speed.finish();
  return out;
}

// How many rows may be bad, as `maxDeadLetters` says it; "" for any number. DataX says it in
// errorLimit; go-etl ends at the first, unless it is told to pass over them.
std::string most_dead_letters(Given& setting, bool go_etl) {
  Given limit = setting.object("errorLimit");
  const std::optional<int64_t> count = limit.number("record");
  const cJSON* share = limit.take("percentage");
  limit.finish();
  if (count && share != nullptr) limit.differs("percentage", "the count beside it holds alone");
  if (count) return std::to_string(*count);
  if (cJSON_IsNumber(share) == 0) {
    const bool passes_over = setting.object("retry").boolean("ignoreOneByOneError");
    return go_etl && !passes_over ? "0" : "";
  }
  char percent[kDoubleTextSize];
  return std::string(percent, write_double(percent, share->valuedouble * 100)) + "%";
}

void read_setting(Given& setting) {
  setting.left_out("pool", "each reader and writer has a connection of its own");
  setting.left_out("retry", "what fails is tried again in any case: see delivery.retry");
  setting.left_out("keyVersion", "passwords are taken as they stand here");
  setting.take("errorLimit");  // most_dead_letters() has it
  setting.finish();
}

// What is of the other tool's own machinery. Gives what it says of tasks that fail.
std::vector<Given> read_core(Given core) {
  std::vector<Given> failovers;
  Given container = core.object("container");
  for (const char* name : {"job", "model", "trace"}) container.take(name);
  for (const char* name : {"task", "taskGroup"}) {
    Given group = container.object(name);
    failovers.push_back(group.object("failover"));
    for (const char* other :
         {"id", "channel", "sleepInterval", "reportInterval", "maxWorkerNumber"})
      group.take(other);
    group.finish();
  }
  container.finish();
  Given transport = core.object("transport");
  transport.left_out("channel",
                     "limits of a channel have no counterpart: those of job.setting.speed "
                     "hold for all together");
  transport.finish();
  for (const char* name : {"dataXServer", "statistics"}) core.take(name);
  core.finish();
  return failovers;
}

// For a table: where it was is known, and a query is read from its start.
void put_failover(Given& given, Source& source) {
  if (!given.there()) return;
  const std::optional<int64_t> times = given.number("maxRetryTimes");
  const std::optional<int64_t> interval_ms = given.number("retryIntervalInMsec");
  given.left_out("maxWaitInMsec", "a task that fails ends at once here");
  given.finish();
  cJSON* options = source.options.get();
  if (cJSON_HasObjectItem(options, "table") == 0 && cJSON_HasObjectItem(options, "tables") == 0)
    return given.differs("", "what fails is tried again in any case: see delivery.retry");
  if (cJSON_HasObjectItem(options, "failover") != 0)
    return given.differs("", "that of core.container.task holds");
  if (times == 0) return;
  cJSON* failover = cJSON_AddObjectToObject(options, "failover");
  if (times) put_number(failover, "attempts", *times);
  if (interval_ms)
    put(failover, "interval", exact_duration(Milliseconds(std::max<int64_t>(*interval_ms, 1))));
}

// Called "file-to-postgres", say.
JsonTree pipeline_of(Source source, Sink sink, const Speed& speed, const std::string& most_dead) {
  JsonTree out(cJSON_CreateObject());
  put(out.get(), "name", std::string(source.type) + "-to-" + std::string(sink.type));
  cJSON_AddItemToObject(out.get(), "source", source.options.release());
  if (!sink.renamed.empty()) {
    cJSON* map = cJSON_CreateObject();
    put(map, "type", "map");
    cJSON* rename = cJSON_AddObjectToObject(map, "rename");
    for (const auto& [from, to] : sink.renamed) put(rename, from.c_str(), to);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(out.get(), "transforms"), map);
  }
  cJSON_AddItemToObject(out.get(), "sink", sink.options.release());
  if (speed.records > 0 || speed.bytes > 0) {
    cJSON* limits = cJSON_AddObjectToObject(out.get(), "limits");
    if (speed.records > 0) put_number(limits, "recordsPerSecond", speed.records);
    if (speed.bytes > 0) put(limits, "bytesPerSecond", std::to_string(speed.bytes));
  }
  put(out.get(), "maxDeadLetters", most_dead);
  return out;
}

JsonTree job_of(Given& job, std::vector<Given> failovers) {
  Given setting = job.object("setting");
  const Speed speed = speed_of(setting);
  read_setting(setting);
  std::vector<Given> content = job.objects("content");
  if (content.empty()) {
    job.wrong("content", "missing, and required: what to read and to write");
    return nullptr;
  }
  for (size_t i = 1; i < content.size(); ++i)
    content[i].differs("", "only the first one is run, as by the other tool");
  Given& first = content[0];
  Given reader = first.object("reader");
  Given writer = first.object("writer");
  first.not_carried_over("transformer",
                         "has no counterpart: write it as a transform (map, filter)");
  first.finish();
  const std::string to = writer.text("name");
  // Both tools have a mysqlwriter; in DataX `connection` is a list.
  const bool go_etl =
      to == "csvwriter" || to == "postgreswriter" || to == "sqlite3writer" ||
      (to == "mysqlwriter" && cJSON_IsArray(writer.object("parameter").take("connection")) == 0);
  const std::string most_dead = most_dead_letters(setting, go_etl);
  Source source = source_of(reader, speed);
  Sink sink = sink_of(writer, source);
  if (source.options == nullptr || sink.options == nullptr) return nullptr;
  for (Given& failover : failovers) put_failover(failover, source);
  return pipeline_of(std::move(source), std::move(sink), speed, most_dead);
}

}  // namespace

std::optional<std::string> import_datax(const std::string& text, const std::string& file,
                                        const std::string& data_dir, Problems& problems) {
  Result<Document> document = Document::parse(text);
  if (!document) {
    problems.take_from(*document.error().problems(), file);
    return std::nullopt;
  }
  Problems found;
  document->check_duplicates(found);
  Given root(document->root(), "", found);
  Given job = root.object("job");
  if (!job.there())
    root.wrong("job", "missing, and required: this is no job file of DataX or go-etl");
  std::vector<Given> failovers = read_core(root.object("core"));
  JsonTree pipeline = job.there() ? job_of(job, std::move(failovers)) : nullptr;
  job.finish();
  root.finish();
  document->set_places(found);
  problems.take_from(found, file);
  if (found.errors() > 0 || pipeline == nullptr) return std::nullopt;

  JsonTree config(cJSON_CreateObject());
  put(cJSON_AddObjectToObject(config.get(), "agent"), "dataDir", data_dir);
  cJSON_AddItemToArray(cJSON_AddArrayToObject(config.get(), "pipelines"), pipeline.release());
  std::unique_ptr<char, void (*)(void*)> out(cJSON_Print(config.get()), cJSON_free);
  return std::string(out.get()) + "\n";
}

}  // namespace leat
