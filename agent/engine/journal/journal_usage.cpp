#include "journal/journal_usage.h"

#include <cstdio>
#include <utility>

#include "journal/journal_vfs.h"

namespace leat {
namespace {

constexpr int64_t kDayMs = 86'400'000;

uint64_t since_last(uint64_t& last, uint64_t now) {
  return now - std::exchange(last, now);
}

}  // namespace

std::string JournalUsage::line(Milliseconds elapsed) {
  uint64_t bytes = since_last(said_bytes_, written().bytes);
  uint64_t commits = since_last(said_commits_, written().commits);
  uint64_t syncs = since_last(said_syncs_, written().syncs);
  uint64_t records = since_last(said_records_, records_.load(std::memory_order_relaxed));
  std::string out = format_bytes(static_cast<int64_t>(bytes)) + " written to the journal";
  std::string rates;
  if (records > 0) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f bytes a record",
                  static_cast<double>(bytes) / static_cast<double>(records));
    rates = text;
  }
  // A rate of a few seconds says nothing about a day.
  if (elapsed.count() >= 60'000) {
    double day = static_cast<double>(bytes) * static_cast<double>(kDayMs) /
                 static_cast<double>(elapsed.count());
    if (!rates.empty()) rates += ", ";
    rates += format_bytes(static_cast<int64_t>(day)) + " a day";
  }
  if (!rates.empty()) out += " (" + rates + ")";
  out += " in " + format_count(commits, "commit") + ", " + format_count(syncs, "fsync");
  const uint64_t checkpoints =
      since_last(said_checkpoints_, checkpoints_.load(std::memory_order_relaxed));
  const uint64_t state =
      since_last(said_checkpoint_bytes_, checkpoint_bytes_.load(std::memory_order_relaxed));
  if (checkpoints > 0)
    out += ", with " + format_bytes(static_cast<int64_t>(state)) + " of state in " +
           format_count(checkpoints, "checkpoint");
  return out;
}

}  // namespace leat
