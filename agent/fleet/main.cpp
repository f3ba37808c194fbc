// leat-fleet: many gateways from the operator's desk.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "fleet/commands.h"

namespace leat::fleet {
namespace {

constexpr const char* kConnection = "Connection";

struct Desired {
  DeskSetup desk;
  std::string password_file;
  std::string prefix = "leat";
  std::string key_file;
  std::string key_id;
  std::string settle = "1s";
  Addressed whom;
  std::string config_file;
  std::string arguments = "{}";
  std::string patience = "10m";
  std::string wait = "5m";
  std::string step = "10%";
  ExecRequest exec;
  RolloutRequest rollout;
  bool trouble = false;
  bool as_json = false;
  bool dry_run = false;
};

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void add_connection(CLI::App& app, Desired& desired) {
  app.add_option("--broker", desired.desk.url, "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
      ->envname("LEAT_FLEET_BROKER")
      ->required()
      ->group(kConnection);
  app.add_option("--user", desired.desk.user, "at the broker")
      ->envname("LEAT_FLEET_USER")
      ->group(kConnection);
  app.add_option("--password-file", desired.password_file, "a file with the user's password")
      ->envname("LEAT_FLEET_PASSWORD_FILE")
      ->check(CLI::ExistingFile)
      ->group(kConnection);
  app.add_option("--ca", desired.desk.ca, "certificates to trust, instead of the system's (PEM)")
      ->envname("LEAT_FLEET_CA")
      ->check(CLI::ExistingFile)
      ->group(kConnection);
  app.add_option("--cert", desired.desk.cert, "this desk's certificate (PEM)")
      ->check(CLI::ExistingFile)
      ->group(kConnection);
  app.add_option("--cert-key", desired.desk.key, "its key (PEM)")
      ->check(CLI::ExistingFile)
      ->group(kConnection);
  app.add_option("--prefix", desired.prefix, "of all topics, as agent.control.prefix")
      ->envname("LEAT_FLEET_PREFIX")
      ->capture_default_str()
      ->group(kConnection);
  app.add_option("--settle", desired.settle,
                 "how long no gateway must have told of itself for all to be known")
      ->capture_default_str()
      ->group(kConnection);
  app.add_option("--key", desired.key_file,
                 "what signs commands: a secret, or a private EC key (leat keygen makes both)")
      ->envname("LEAT_FLEET_KEY")
      ->check(CLI::ExistingFile)
      ->group(kConnection);
  app.add_option("--kid", desired.key_id, "its id in the gateways' agent.control.keys")
      ->envname("LEAT_FLEET_KID")
      ->group(kConnection);
}

void add_whom(CLI::App& app, Desired& desired) {
  app.add_option("-g,--group", desired.whom.group, "those whose agent.control.groups names it");
  app.add_option("--to", desired.whom.ids, "these, by their ids");
}

void add_exec(CLI::App& app, Desired& desired) {
  add_whom(app, desired);
  app.add_option("COMMAND", desired.exec.command, "of the control topic: status, pipeline.pause, …")
      ->required();
  app.add_option("-a,--arguments", desired.arguments, "a JSON object")->capture_default_str();
  app.add_option("--patience", desired.patience, "how long to wait for an answer")
      ->capture_default_str();
}

void add_rollout(CLI::App& app, Desired& desired) {
  add_whom(app, desired);
  app.add_option("--config", desired.config_file, "the new configuration")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--canary", desired.rollout.steps.canary,
                 "how many in the first step, of which none may fail")
      ->capture_default_str();
  app.add_option("--step", desired.step, "how many in each later one: 10%, or a number")
      ->capture_default_str();
  app.add_option("--wait", desired.wait, "between a step's good end and the next one")
      ->capture_default_str();
  app.add_option("--patience", desired.patience,
                 "how long a gateway may take, its probation included")
      ->capture_default_str();
  app.add_option("--max-failures", desired.rollout.steps.max_failures, "more than that stop it")
      ->capture_default_str();
  app.add_option("--state", desired.rollout.state_file,
                 "the file by which it goes on; else rollout-HASH.json in this folder");
  app.add_flag("--retry-failed", desired.rollout.retry_failed,
               "also those that failed when it ran before");
  app.add_flag("--dry-run", desired.dry_run, "each gateway checks the configuration, no more");
}

Milliseconds duration(const std::string& option, const std::string& text) {
  Result<Milliseconds> out = parse_duration(text);
  if (!out) throw CLI::ValidationError(option, out.error().message());
  return *out;
}

void read_step(const std::string& text, Steps& steps) {
  size_t end = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789%") == std::string::npos;
  const unsigned long number = digits && text[0] != '%' ? std::stoul(text, &end) : 0;
  const bool share = text.ends_with('%');
  if (number == 0 || end + (share ? 1 : 0) != text.size() || (share && number > 100))
    throw CLI::ValidationError("--step", "a share (10%) or a number of gateways is needed");
  if (share)
    steps.share = static_cast<double>(number) / 100;
  else
    steps.count = number;
}

void read_values(Desired& desired) {
  desired.exec.whom = desired.rollout.whom = desired.whom;
  desired.exec.patience = desired.rollout.steps.patience = duration("--patience", desired.patience);
  desired.rollout.steps.wait = duration("--wait", desired.wait);
  read_step(desired.step, desired.rollout.steps);
  desired.exec.arguments = parsed(desired.arguments);
  if (!desired.exec.arguments.is_object())
    throw CLI::ValidationError("--arguments", "not a JSON object");
  if (!desired.config_file.empty()) {
    std::optional<std::string> text = content_of(desired.config_file);
    if (!text) throw CLI::ValidationError("--config", "cannot be read");
    desired.rollout.config = std::move(*text);
    if (desired.rollout.state_file.empty())
      desired.rollout.state_file = "rollout-" + hash_of(desired.rollout.config) + ".json";
  }
  if (!desired.password_file.empty()) {
    desired.desk.password = content_of(desired.password_file).value_or("");
    while (desired.desk.password.ends_with('\n')) desired.desk.password.pop_back();
  }
  if (!desired.key_file.empty() && desired.key_id.empty())
    throw CLI::ValidationError("--kid", "is needed with --key");
}

int carry_out(const CLI::App& app, const Clock& clock, Desired& desired) {
  auto complain = [](const Error& error) {
    std::fprintf(stderr, "leat-fleet: %s\n", error.message().c_str());
    return 2;
  };
  std::optional<Signer> signer;
  if (!desired.key_file.empty()) {
    Result<Signer> read = Signer::of_file(desired.key_file, desired.key_id);
    if (!read) return complain(read.error());
    signer = std::move(*read);
  }
  Result<std::unique_ptr<Desk>> desk = Desk::connect(clock, desired.desk);
  if (!desk) return complain(desk.error());
  Fleet fleet(clock, **desk, desired.prefix, signer ? &*signer : nullptr);
  const bool tails = app.got_subcommand("tail");
  if (tails)
    fleet.on_event([&whom = desired.whom](const std::string& gateway, const json& event) {
      if (!whom.ids.empty() && std::ranges::find(whom.ids, gateway) == whom.ids.end()) return;
      json line = event;
      line["gateway"] = gateway;
      std::printf("%s\n", printed(line).c_str());
      std::fflush(stdout);
    });
  if (Status begun = fleet.begin(duration("--settle", desired.settle)); !begun)
    return complain(begun.error());
  if (tails) return tail(fleet);
  if (app.got_subcommand("list"))
    return list(fleet, desired.whom, desired.trouble, desired.as_json);
  if (app.got_subcommand("exec")) return exec(fleet, clock, desired.exec);
  return desired.dry_run ? dry_run(fleet, clock, desired.rollout)
                         : roll_out(fleet, clock, desired.rollout);
}

int run(int argc, char** argv) {
  Desired desired;
  desired.rollout.steps.max_failures = 2;
  CLI::App app("Many leat gateways from the operator's desk, over their broker.", "leat-fleet");
  app.set_version_flag("--version", LEAT_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  add_connection(app, desired);
  CLI::App* list = app.add_subcommand("list", "who is there, with what, and in what trouble");
  add_whom(*list, desired);
  list->add_flag("--trouble", desired.trouble, "only those that are away or in trouble");
  list->add_flag("--json", desired.as_json, "a JSON line each");
  add_exec(*app.add_subcommand("exec", "a command to some, and their answers"), desired);
  add_whom(*app.add_subcommand("tail", "what happens at the gateways, as JSON lines"), desired);
  add_rollout(*app.add_subcommand("rollout", "a new configuration in steps; says why it stops"),
              desired);
  try {
    app.parse(argc, argv);
    read_values(desired);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const SystemClock clock;
  return carry_out(app, clock, desired);
}

}  // namespace
}  // namespace leat::fleet

int main(int argc, char** argv) {
  try {
    return leat::fleet::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "leat-fleet: %s\n", error.what());
    return 2;
  }
}
