#include "control/events/observer.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/clock_sync.h"
#include "base/counted.h"
#include "base/time_format.h"
#include "loop/pool.h"
#include "net/certificate_end.h"
#include "net/tls.h"

namespace leat {
namespace {

constexpr Milliseconds kSlow{60'000};
constexpr Milliseconds kSoon{5'000};
constexpr Milliseconds kDay{86'400'000};
constexpr int64_t kStepUs = 10'000'000;  // NTP slews less than that
constexpr Milliseconds kCertificateEndsSoon{14 * kDay};
// It has filled, and is no more before it has so much room again.
constexpr double kDiskFull = 0.10;
constexpr double kDiskRoom = 0.15;
constexpr int kSpoolFull = 80;
constexpr int kSpoolRoom = 60;

std::string dropped_text(uint64_t count) {
  return format_count(count, "record", "was", "were") + " dropped";
}

std::string letters_text(uint64_t count, const std::vector<DeadLetterReason>& reasons) {
  std::string out = format_count(count, "dead letter");
  const auto most = std::ranges::max_element(reasons, {}, &DeadLetterReason::count);
  return most == reasons.end() ? out : out + ", most of all: " + most->reason;
}

double free_share(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0 || disk.f_blocks == 0) return 1;
  return static_cast<double>(disk.f_bavail) / static_cast<double>(disk.f_blocks);
}

}  // namespace

Observer::Machine Observer::real_machine(Loop& loop) {
  auto in_pool = [&loop](auto work, auto then) {
    CarriedWork carried = carry(std::move(work), std::move(then));
    run_in_pool(loop, std::move(carried.work), std::move(carried.done));
  };
  return {.free_share =
              [in_pool](const std::string& folder, std::function<void(double)> then) {
                in_pool([folder] { return free_share(folder); }, std::move(then));
              },
          .certificate_end_us =
              [in_pool](const std::string& path, bool last, std::function<void(int64_t)> then) {
                in_pool([path, last] { return certificate_end_us(path, last); }, std::move(then));
              }};
}

Observer::Observer(Supervisor& supervisor, std::string data_dir, Machine machine)
    : supervisor_(supervisor),
      data_dir_(std::move(data_dir)),
      machine_(std::move(machine)),
      offset_us_(clock_offset_us()),
      slow_(supervisor.loop()),
      certificates_timer_(supervisor.loop()),
      soon_(supervisor.loop()) {
  supervisor_.events().when_told([this](bool told) {
    if (!told) {
      slow_.stop();
      return certificates_timer_.stop();
    }
    slow_.start_repeating(kSlow, [this] { look_around(); });
    certificates_timer_.start_repeating(kDay, [this] { look_at_certificates(); });
    look_around();
    look_at_certificates();
  });
}

void Observer::changed() {
  if (supervisor_.events().wanted()) ask();
}

void Observer::ask() {
  asked_again_ = asking_;
  if (std::exchange(asking_, true)) return;
  supervisor_.snapshot([this](const Snapshot& snapshot) {
    asking_ = false;
    look(snapshot);
    if (std::exchange(asked_again_, false)) ask();
  });
}

void Observer::ended(const PipelineEnd& end) {
  if (end.status || end.told || end.old_one_goes_on || end.own) return;
  failed_.insert(end.name);
  std::string again;
  if (end.again_in.count() > 0) again = "; started again in " + format_duration(end.again_in);
  happened(EventKind::kPipelineFailed, end.name, end.status.error().message() + again);
}

void Observer::look(const Snapshot& snapshot) {
  std::map<std::string, Known> gone = std::exchange(known_, {});
  bool starting = false;
  for (const PipelineSnapshot& pipeline : snapshot.pipelines) {
    if (pipeline.own) continue;
    if (auto known = gone.extract(pipeline.name)) known_.insert(std::move(known));
    starting |= pipeline.state == PipelineState::kStarting;
    look_at(pipeline);
  }
  std::erase_if(failed_, [this](const std::string& name) { return !known_.contains(name); });
  if (starting && !soon_.active()) soon_.start(kSoon, [this] { changed(); });
}

void Observer::look_at(const PipelineSnapshot& pipeline) {
  const std::string& name = pipeline.name;
  const TaskStatus& totals = pipeline.totals;
  Known& known = known_[name];
  if (pipeline.runs && pipeline.counters.opened && failed_.erase(name) > 0)
    happened(EventKind::kPipelineRecovered, name, "runs again");
  if (!std::exchange(known.seen, true) || known.state != pipeline.state) {
    known.state = pipeline.state;
    happened(EventKind::kPipelineState, name,
             std::string(name_of(pipeline.state)) +
                 (pipeline.reason.empty() ? "" : ": " + pipeline.reason));
  }
  const bool open = pipeline.runs && pipeline.counters.circuit_open;
  if (std::exchange(known.circuit_open, open) != open) {
    if (open) happened(EventKind::kCircuitOpened, name, pipeline.reason);
    if (!open) happened(EventKind::kCircuitClosed, name, "the sink is no longer left alone");
  }
  const auto spooled = static_cast<int64_t>(pipeline.counters.spool_bytes);
  const int64_t percent =
      pipeline.max_spool_bytes == 0 ? 0 : spooled * 100 / pipeline.max_spool_bytes;
  if (percent < kSpoolRoom) known.spool_full = false;
  if (percent >= kSpoolFull && !std::exchange(known.spool_full, true))
    happened(EventKind::kSpoolNearlyFull, name,
             format_bytes(spooled) + " of " + format_bytes(pipeline.max_spool_bytes) +
                 " (delivery.maxSpool) are spooled");
  const uint64_t dropped = totals.dropped + totals.spool_dropped + totals.spool_lost;
  const uint64_t dropped_before = std::exchange(known.dropped, dropped);
  if (dropped > dropped_before)
    happened(EventKind::kRecordsDropped, name, dropped_text(dropped - dropped_before));
  const uint64_t dead_before = std::exchange(known.dead_letters, totals.dead_letters);
  if (totals.dead_letters > dead_before)
    happened(
        EventKind::kDeadLetters, name,
        letters_text(totals.dead_letters - dead_before, pipeline.counters.dead_letter_reasons));
}

void Observer::look_around() {
  look_at_clock();
  look_at_disk();
  ask();
}

// What the clock says beside what has really passed, a sleep of the machine included.
int64_t Observer::clock_offset_us() const {
  const Clock& clock = supervisor_.loop().clock();
  return clock.unix_us() - clock.since_boot_us();
}

void Observer::look_at_clock() {
  const int64_t step = clock_offset_us() - offset_us_;
  offset_us_ += step;
  if (std::abs(step) < kStepUs) return;
  happened(EventKind::kClockStepped, "",
           "the clock was put " + std::string(step > 0 ? "forward" : "back") + " by " +
               format_duration(Milliseconds(std::abs(step) / 1000)) + ", to " +
               rfc3339(supervisor_.loop().clock().unix_us() / 1'000'000 * 1'000'000));
}

void Observer::look_at_disk() {
  machine_.free_share(data_dir_, lifetime_.guard([this](double share) { found_free(share); }));
}

void Observer::found_free(double share) {
  if (share > kDiskRoom) disk_full_ = false;
  if (share >= kDiskFull || std::exchange(disk_full_, true)) return;
  happened(
      EventKind::kDiskNearlyFull, "",
      std::to_string(static_cast<int>(share * 100)) + " % are free on the disk of " + data_dir_);
}

void Observer::configured(const AgentConfig& config) {
  certificates_.clear();
  for (const PipelineConfig& one : config.pipelines) {
    add_certificates(one.source.options);
    add_certificates(one.sink.options);
  }
  if (config.admin && config.admin->has_tls)
    certificates_.insert({.path = config.admin->tls.string("cert")});
  if (certificates_timer_.active()) look_at_certificates();
}

// Where a stage has the options of TLS, they are called so.
void Observer::add_certificates(const Options& stage) {
  const auto table = stage.table();
  const auto tls = std::ranges::find(table, "tls", &Option::name);
  if (tls == table.end() || tls->fields.data() != std::begin(kTlsOptions)) return;
  const Options& options = stage.object("tls");
  if (options.has("cert")) certificates_.insert({.path = options.string("cert")});
  if (options.has("ca")) certificates_.insert({.path = options.string("ca"), .last = true});
}

void Observer::look_at_certificates() {
  if (supervisor_.loop().clock().unix_us() < kEarliestClockUs) return;
  for (const Certificate& one : certificates_)
    machine_.certificate_end_us(
        one.path, one.last,
        lifetime_.guard([this, path = one.path](int64_t end_us) { found_end(path, end_us); }));
}

void Observer::found_end(const std::string& path, int64_t end_us) {
  const int64_t now_us = supervisor_.loop().clock().unix_us();
  if (end_us == 0 || end_us - now_us > kCertificateEndsSoon.count() * 1000) return;
  happened(EventKind::kCertificateEnds, "",
           path + (end_us < now_us ? " has ended on " : " ends on ") + rfc3339(end_us));
}

}  // namespace leat
