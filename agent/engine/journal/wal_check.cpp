#include "journal/wal_check.h"

namespace leat {
namespace {

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
        "its header is damaged, " + std::to_string(frames.behind) + " frames behind it are not";
  }
  return out;
}

}  // namespace

// While the machine runs, all that was written is there, whether it was synced or not: what is not
// has been damaged. A power cut may have taken what was not synced, and left what was behind it.
Result<WalCheck> check_wal(const RawFile& wal, const RawFile& database, bool power_cut) {
  WalCheck out;
  WalFrames frames = read_frames(wal);
  if (frames.unreadable) return fail(ErrorKind::kUnavailable, "a part of it cannot be read");
  if (frames.behind == 0) return out;
  if (frames.header_damaged) return check_without_header(frames, wal, database);
  if (power_cut) {
    out.cut_off_at = frames.end_of_valid;
    out.torn = "the machine was restarted before all of it was on the disk; " +
               std::to_string(frames.behind) +
               " of its frames, behind what is not there, are left out";
  } else {
    out.damage = std::to_string(frames.damaged) + " of its frames are damaged, " +
                 std::to_string(frames.behind) + " behind them are not";
  }
  return out;
}

}  // namespace leat
