#include "journal/wal_check.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "base/units.h"
#include "journal/page_rows.h"

namespace leat {
namespace {

std::vector<RowIdentity> rows_behind(const RawFile& wal, const RawFile& database, int64_t end) {
  PageImages pages(database, wal);
  std::map<std::pair<std::string, uint64_t>, RowIdentity> rows;  // by epoch and first record
  std::map<std::string, uint64_t> delivered;  // by the partition of that position
  auto take = [&](PageRow& row) {
    if (row.columns.size() != 4) return;
    if (const std::string* batch = text(row, 3)) {
      if (std::optional<RowIdentity> whose = identify_row(*batch))
        rows[{whose->epoch, whose->first}] = std::move(*whose);
    } else if (text(row, 1) && text(row, 2) && text(row, 1)->starts_with("spool:")) {
      delivered[*text(row, 1)] = std::strtoull(text(row, 2)->c_str(), nullptr, 10);
    }
  };
  for (uint32_t page : pages.newer_than(static_cast<uint64_t>(end)))
    rows_of_page(pages, page, take);
  std::vector<RowIdentity> out;
  for (auto& [key, row] : rows)
    if (row.first + row.records > delivered["spool:" + row.epoch]) out.push_back(std::move(row));
  return out;
}

// SQLite takes the WAL for one that holds nothing. Its header is on the disk before the first frame
// is written, but for that of a new journal of which nothing was promised yet: in all others no
// power cut does this. A write of the header that fails may have written some of it; what is behind
// it is then the round before, all of which is in the database.
Result<WalCheck> check_without_header(const WalFrames& frames, const RawFile& wal,
                                      const RawFile& database) {
  WalCheck out;
  Result<bool> in_database = are_in_database(frames, wal, database);
  if (!in_database) return fail(in_database.error());
  if (*in_database) {
    // All of it goes: SQLite begins the next round with the salt that it finds in such a header,
    // which may be that of the frames.
    out.cut_off_at = 0;
    out.torn = "its header is not whole; the journal has all that is behind it";
  } else {
    out.damage =
        "its header is damaged, but not " + format_count(frames.behind, "frame") + " behind it";
  }
  return out;
}

}  // namespace

// While the machine runs, all that was written is there, whether it was synced or not: what is not
// has been damaged. A power cut may have taken what was not synced, and left what was behind it. Of
// that all goes, also what cannot be recognised without what came before it: a frame that is
// written there, or a part of one, would make it look like what it was.
Result<WalCheck> check_wal(const RawFile& wal, const RawFile& database, bool power_cut) {
  WalCheck out;
  WalFrames frames = read_frames(wal);
  if (frames.unreadable) return fail(ErrorKind::kUnavailable, "a part of it cannot be read");
  if (frames.header_damaged && frames.behind > 0)
    return check_without_header(frames, wal, database);
  if (power_cut && frames.header_damaged) {
    out.cut_off_at = 0;
    out.torn = "its header is not whole, and nothing behind it can be recognised";
  } else if (power_cut && frames.loose > 0) {
    out.cut_off_at = frames.end_of_valid;
    out.rows = rows_behind(wal, database, frames.end_of_valid);
    out.torn = "the machine was restarted before all of it was on the disk; " +
               format_count(frames.loose, "frame") + " behind what is not there left out";
  } else if (frames.behind > 0) {
    out.damage = format_count(frames.damaged, "damaged frame") + ", and " +
                 std::to_string(frames.behind) + " behind that can be read";
  }
  return out;
}

}  // namespace leat
