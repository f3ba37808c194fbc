// What is missing in a spool, and where its source must go back to for it.
//
// Beside the rows the journal keeps, among the positions of the pipeline (FORMAT.md): how far the
// spool went, up to which record rows were removed, or holes are known, where the source was behind
// the last row that was removed, and where it must go back to at the next start. They are only
// written for sources that save positions; of others it is only known that rows may be removed.
#include <algorithm>

#include "base/counted.h"
#include "base/log.h"
#include "base/units.h"
#include "journal/database.h"

namespace leat {
namespace {

std::string prefix_of(const std::string& epoch) {
  return "spool:" + epoch + ":";
}

uint64_t number_in(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

bool JournalDatabase::is_internal(const std::string& partition) {
  return partition.starts_with("spool:") && partition.find(':', 6) != std::string::npos;
}

Result<uint64_t> JournalDatabase::append(const std::string& pipeline, const SpoolRow& row,
                                         const std::vector<SavedPosition>& positions) {
  bool is_new = spool_.is_new(pipeline);
  Result<uint64_t> stored = spool_.append(pipeline, row, positions);
  if (!stored) return stored;
  std::string prefix = prefix_of(spool_.epoch(pipeline));
  Status status;
  // That nothing was removed yet is one thing, that nobody knows any more is another.
  if (is_new) status = save(pipeline, {prefix + "removed", "0"});
  if (status && !positions.empty())
    status = save(pipeline, {prefix + "end", std::to_string(row.first + row.records)});
  return status ? stored : fail(status.error());
}

Result<SpoolRemoved> JournalDatabase::remove(const std::string& pipeline, uint64_t to) {
  Result<std::vector<SavedPosition>> reached = spool_.reached(pipeline, to);
  if (!reached) return fail(reached.error());
  std::string prefix = prefix_of(spool_.epoch(pipeline)) + "from:";
  for (const SavedPosition& position : *reached)
    if (Status status = save(pipeline, {prefix + position.partition, position.value}); !status)
      return fail(status.error());
  Result<SpoolRemoved> removed = spool_.remove(pipeline, to);
  if (!removed || removed->records == 0 || reached->empty()) return removed;
  std::string end = std::to_string(removed->end);
  if (Status status = save(pipeline, {prefix_of(spool_.epoch(pipeline)) + "removed", end}); !status)
    return fail(status.error());
  return removed;
}

Result<SpoolRemoved> JournalDatabase::drop(const std::string& pipeline, uint64_t from,
                                           uint64_t bytes) {
  Result<SpoolRemoved> removed = spool_.drop(pipeline, from, bytes);
  if (!removed || removed->records == 0) return removed;
  std::string known = prefix_of(spool_.epoch(pipeline)) + "known";
  if (Status status = save(pipeline, {known, std::to_string(removed->end)}); !status)
    return fail(status.error());
  return removed;
}

Result<SpoolState> JournalDatabase::open_spool(const std::string& pipeline, bool can_replay) {
  Result<SpoolState> state = spool_.open(pipeline);
  if (!state || stand_in_) return state;
  say_left_out(pipeline, *state);
  // The rows are only looked at where that can help, or after damage.
  Result<uint64_t> end = check_spool(pipeline, *state, can_replay || rebuilt_,
                                     can_replay ? GoBack::kNow : GoBack::kNever);
  if (!end) return fail(end.error());
  state->end = std::max(state->end, *end);
  return state;
}

// Where all that was acknowledged was synced, nothing of it is lost.
void JournalDatabase::say_left_out(const std::string& pipeline, const SpoolState& state) {
  uint64_t records = 0;
  for (const RowIdentity& row : left_out_) {
    bool same = row.epoch == state.epoch || spool_.is_new(pipeline);
    if (row.pipeline == pipeline && same && row.first >= state.end) records += row.records;
  }
  std::erase_if(left_out_, [&](const RowIdentity& row) { return row.pipeline == pipeline; });
  if (records == 0) return;
  log::warn(pipeline, format_count(records, "spooled record", "was", "were") +
                          " not on the disk when the machine was restarted: they "
                          "come again, but for those that were acknowledged already");
}

// A source that runs does not go back, and saves where it is: what it must read again is kept for
// the next start.
Status JournalDatabase::check_open_spools() {
  SpoolTable::Opened opened = spool_.opened();
  for (const auto& [pipeline, spool] : opened) {
    Result<SpoolState> state = spool_.open(pipeline);
    if (!state) return fail(state.error());
    Result<uint64_t> end = check_spool(pipeline, *state, true, GoBack::kAtTheNextStart);
    if (!end) return fail(end.error());
  }
  return {};
}

// Returns the number behind the last row that was ever added, as far as that is known.
Result<uint64_t> JournalDatabase::check_spool(const std::string& pipeline, const SpoolState& state,
                                              bool look, GoBack go_back) {
  Result<std::vector<SavedPosition>> saved = load_all(pipeline);
  if (!saved) return fail(saved.error());
  std::string prefix = prefix_of(state.epoch);
  Holes holes;
  uint64_t end = state.end;
  bool counted = false;  // where the last row ended is known
  bool told = false;     // and what was removed or dropped
  for (const auto& [partition, value] : *saved) {
    if (partition == "spool:" + state.epoch || partition == prefix + "known" ||
        partition == prefix + "removed") {
      told = true;
      holes.next = std::max(holes.next, number_in(value));
    }
    if (partition == prefix + "end") {
      counted = true;
      end = std::max(end, number_in(value));
    }
    if (partition == prefix + "seen") {
      holes.unsaid = true;
      end = std::max(end, number_in(value));
    }
    if (partition.starts_with(prefix + "from:"))
      holes.resume[partition.substr(prefix.size() + 5)] = value;
    if (partition.starts_with(prefix + "again:"))
      holes.again[partition.substr(prefix.size() + 6)] = value.substr(1);
  }
  if (!counted && !told) holes.next = std::max(holes.next, state.first);
  if (look || holes.unsaid)
    if (Status status = find_holes(pipeline, end, &holes); !status) return fail(status.error());
  if (holes.lost == 0 && !holes.unsaid && (holes.again.empty() || go_back != GoBack::kNow))
    return end;
  Status status = begin(true);
  if (status) status = mend(pipeline, *saved, holes, counted ? go_back : GoBack::kNever);
  if (status) status = commit();
  if (!status) rollback();
  return status ? Result<uint64_t>(end) : fail(status.error());
}

Status JournalDatabase::find_holes(const std::string& pipeline, uint64_t end, Holes* holes) {
  auto lose_until = [holes](uint64_t number) {
    if (number <= holes->next) return;
    holes->lost += number - holes->next;
    holes->next = number;
  };
  Status status = spool_.each(pipeline, [&](const SpoolTable::Seen& row) {
    if (row.end <= holes->next) return;
    lose_until(row.previous);
    holes->next = std::max(holes->next, row.first);
    if (row.damaged) {
      holes->damaged.push_back(row.first);
      return lose_until(row.end);
    }
    if (holes->lost == 0)
      for (const SavedPosition& position : row.positions)
        holes->resume[position.partition] = position.value;
    holes->next = row.end;
  });
  lose_until(end);
  return status;
}

// Says what is lost, and saves the positions from which it can be read again. Each hole is dealt
// with once.
Status JournalDatabase::mend(const std::string& pipeline, const std::vector<SavedPosition>& saved,
                             const Holes& holes, GoBack go_back) {
  std::string prefix = prefix_of(spool_.epoch(pipeline));
  if (holes.lost > 0) {
    std::string line = format_count(holes.lost, "spooled record", "was", "were") +
                       " lost with damaged parts of the journal";  // logged: error
    if (go_back != GoBack::kNever)
      line += std::string(go_back == GoBack::kNow ? "; " : "; at the next start ") +
              "the source goes back to where they began, and what came behind them comes twice";
    log::error(pipeline, line);  // words elsewhere
    for (uint64_t first : holes.damaged)
      if (Status status = spool_.remove_one(pipeline, first); !status) return status;
    if (Status status = save(pipeline, {prefix + "known", std::to_string(holes.next)}); !status)
      return status;
  }
  if (holes.unsaid)
    if (Status status = save(pipeline, {prefix + "seen", ""}); !status) return status;
  if (go_back == GoBack::kNever) return {};
  for (const SavedPosition& position : saved) {
    if (position.partition.starts_with("spool:")) continue;
    // An earlier hole goes before a later one. Where nothing is known: from the beginning.
    auto again = holes.again.find(position.partition);
    auto resume = holes.resume.find(position.partition);
    // What transforms remember covers a later one: then it is forgotten.
    const bool state = position.partition.starts_with("state:") && !holes.again.empty();
    if (again == holes.again.end() && holes.lost == 0 && !state) continue;
    std::string value = again != holes.again.end()     ? again->second
                        : resume != holes.resume.end() ? resume->second
                                                       : "";
    // One without a value is removed, so that has a sign before it.
    std::string place = prefix + "again:" + position.partition;
    Status status;
    if (go_back == GoBack::kAtTheNextStart) {
      status = save(pipeline, {place, "=" + value});
    } else {
      status = save(pipeline, {position.partition, value});
      if (status) status = save(pipeline, {place, ""});
    }
    if (!status) return status;
  }
  return {};
}

}  // namespace leat
