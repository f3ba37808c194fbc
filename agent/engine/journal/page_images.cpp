#include "journal/page_images.h"

#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/big_endian.h"

namespace leat {
namespace {

constexpr size_t kWalHeader = 32;
constexpr size_t kFrameHeader = 24;
constexpr size_t kFrame = kFrameHeader + kPageSize;

struct Sums {
  uint32_t first = 0;
  uint32_t second = 0;
  bool operator==(const Sums&) const = default;
};

Sums sums_at(const uint8_t* at) {
  return {read_big_endian<uint32_t>(at), read_big_endian<uint32_t>(at + 4)};
}

// Words are in the byte order of the machine that made the WAL.
void add(Sums& sums, const uint8_t* data, size_t bytes, bool big) {
  auto word = [big](const uint8_t* at) {
    return big ? read_big_endian<uint32_t>(at)
               : static_cast<uint32_t>(at[3]) << 24 | static_cast<uint32_t>(at[2]) << 16 |
                     static_cast<uint32_t>(at[1]) << 8 | at[0];
  };
  for (size_t i = 0; i < bytes; i += 8) {
    sums.first += word(data + i) + sums.second;
    sums.second += word(data + i + 4) + sums.first;
  }
}

using Salt = std::array<uint8_t, 8>;

// What the header of a WAL says.
struct WalStart {
  bool good = false;
  bool big = false;  // the byte order of checksums
  Salt salt{};
  Sums sums;  // what that of the first frame goes on from
  uint32_t round = 0;
};

constexpr uint32_t kMagic = 0x377f0682;  // and its last bit: that byte order
constexpr bool kBigHere = std::endian::native == std::endian::big;

WalStart start_of(const uint8_t* header) {
  WalStart out;
  bool magic = (read_big_endian<uint32_t>(header) & ~1U) == kMagic;
  out.big = (header[3] & 1) != 0;
  out.round = read_big_endian<uint32_t>(header + 12);
  std::copy_n(header + 16, out.salt.size(), out.salt.begin());
  out.sums = sums_at(header + 24);
  Sums computed;
  add(computed, header, 24, out.big);
  out.good = magic && computed == out.sums;
  if (!out.good) out.big = kBigHere;
  return out;
}

// The sums of a header that this machine wrote for a round with this number and salt.
Sums sums_of_header(uint32_t round, const Salt& salt) {
  constexpr uint32_t kFormat = 3007000;
  std::array<uint8_t, 24> header{};
  auto put = [at = header.begin()](uint32_t value) mutable {
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<uint8_t>(value >> shift);
  };
  for (uint32_t value : {kMagic | (kBigHere ? 1U : 0U), kFormat, uint32_t{kPageSize}, round})
    put(value);
  std::copy(salt.begin(), salt.end(), header.begin() + 16);
  Sums out;
  add(out, header.data(), header.size(), kBigHere);
  return out;
}

Sums sums_of_frame(const uint8_t* frame, Sums seed, bool big) {
  add(seed, frame, 8, big);
  add(seed, frame + kFrameHeader, kPageSize, big);
  return seed;
}

// The round that frames belong to, when the header is damaged; `good`: the first frame can be
// checked.
//
// A round begins with the first frame, so its salt is the one, when it proves to be undamaged: its
// checksum goes on from that of the header, which is the one that is stored, or that of this round,
// or of the one before, when what ails the header is that the next one's was written over it in
// part. Else the salt is that of the first frame which goes on from the one before it: what an
// earlier round has left is behind the last one of this.
WalStart start_without_header(const RawFile& wal, const WalStart& header, bool* unreadable) {
  WalStart out = header;
  std::array<uint8_t, kFrame> frame{};
  Sums before;
  for (uint64_t at = kWalHeader; at + kFrame <= wal.size; at += kFrame) {
    if (!wal.read(at, frame.data(), kFrame)) {
      *unreadable = true;
      break;
    }
    Sums stored = sums_at(&frame[16]);
    std::copy_n(frame.begin() + 8, out.salt.size(), out.salt.begin());
    auto goes_on_from = [&](const Sums& seed) {
      return sums_of_frame(frame.data(), seed, out.big) == stored;
    };
    if (at == kWalHeader && read_big_endian<uint32_t>(frame.data()) != 0) {
      for (const Sums& seed : {header.sums, sums_of_header(header.round, out.salt),
                               sums_of_header(header.round - 1, out.salt)}) {
        out.sums = seed;
        out.good = goes_on_from(seed);
        if (out.good) return out;
      }
    } else if (at > kWalHeader && goes_on_from(before)) {
      return out;
    }
    before = stored;
  }
  return {};
}

}  // namespace

RawFile RawFile::of_path(const std::string& path) {
  std::shared_ptr<FILE> file(std::fopen(path.c_str(), "rbe"), [](FILE* open) {
    if (open != nullptr) std::fclose(open);
  });
  struct stat info {};
  if (file == nullptr || ::fstat(fileno(file.get()), &info) != 0) return {};
  return {static_cast<uint64_t>(info.st_size), [file](uint64_t offset, void* into, size_t bytes) {
            return ::fseeko(file.get(), static_cast<off_t>(offset), SEEK_SET) == 0 &&
                   std::fread(into, 1, bytes, file.get()) == bytes;
          }};
}

// A frame's checksum goes on from that of the frame before it, which is stored there: so one behind
// a bad frame can be checked all the same.
WalFrames read_frames(const RawFile& wal, WalEnd end) {
  WalFrames out;
  std::array<uint8_t, kFrame> frame{};
  if (wal.size < kWalHeader + kFrame) return out;
  out.unreadable = !wal.read(0, frame.data(), kWalHeader);
  if (out.unreadable) return out;
  WalStart start = start_of(frame.data());
  out.header_damaged = !start.good;
  if (out.header_damaged) start = start_without_header(wal, start, &out.unreadable);
  bool big = start.big;
  const Salt& salt = start.salt;
  Sums stored = start.sums;
  Sums computed = stored;

  struct Good {
    uint32_t page;
    uint64_t at;
  };
  std::vector<Good> since_commit;
  size_t bad = 0;
  bool unbroken = !out.header_damaged;
  bool current = true;  // of this round
  bool unread = false;  // some frame before this one
  for (uint64_t at = kWalHeader; at + kFrame <= wal.size; at += kFrame) {
    if (!wal.read(at, frame.data(), kFrame)) {
      unread = true;
      out.unreadable |= current;
      if (end == WalEnd::kFirstBadFrame) break;
      unbroken = false;
      ++bad;
      continue;
    }
    current = std::equal(salt.begin(), salt.end(), frame.begin() + 8);
    out.unreadable |= current && unread;
    if (current) ++out.loose;
    bool good = false;
    Sums next = computed;
    for (const Sums& seed : {stored, computed}) {
      if (!current || good) break;
      next = sums_of_frame(frame.data(), seed, big);
      good = next == sums_at(&frame[16]);
    }
    // Where nothing is left to check the first one with: rows have checksums of their own.
    good |= current && !start.good && at == kWalHeader;
    stored = sums_at(&frame[16]);
    computed = next;
    if (!good) {
      if (end == WalEnd::kFirstBadFrame) break;
      unbroken = false;
      ++bad;
      continue;
    }
    since_commit.push_back({read_big_endian<uint32_t>(frame.data()), at + kFrameHeader});
    if (read_big_endian<uint32_t>(&frame[4]) == 0) continue;
    (unbroken ? out.valid : out.behind) += since_commit.size();
    if (unbroken) {
      out.end_of_valid = static_cast<int64_t>(at + kFrame);
      out.loose = 0;
    }
    out.damaged += std::exchange(bad, 0);
    for (const Good& one : since_commit) out.pages[one.page] = one.at;
    since_commit.clear();
  }
  return out;
}

Result<bool> are_in_database(const WalFrames& frames, const RawFile& wal, const RawFile& database) {
  std::array<uint8_t, kPageSize> newest{};
  std::array<uint8_t, kPageSize> there{};
  for (const auto& [page, in_wal] : frames.pages) {
    uint64_t at = static_cast<uint64_t>(page - 1) * kPageSize;
    if (page == 0 || at + kPageSize > database.size) return false;
    if (!wal.read(in_wal, newest.data(), kPageSize) || !database.read(at, there.data(), kPageSize))
      return fail(ErrorKind::kUnavailable, "page " + std::to_string(page) + " cannot be read");
    if (newest != there) return false;
  }
  return true;
}

PageImages::PageImages(RawFile database, RawFile wal, WalEnd end)
    : database_(std::move(database)), wal_(std::move(wal)), frames_(read_frames(wal_, end)) {
  count_ = static_cast<uint32_t>(database_.size / kPageSize);
  if (!frames_.pages.empty()) count_ = std::max(count_, frames_.pages.rbegin()->first);
}

std::vector<uint32_t> PageImages::newer_than(uint64_t offset) const {
  std::vector<uint32_t> out;
  for (const auto& [page, at] : frames_.pages)
    if (at >= offset) out.push_back(page);
  return out;
}

bool PageImages::read(uint32_t number, Page* page) const {
  auto in_wal = frames_.pages.find(number);
  if (in_wal != frames_.pages.end()) return wal_.read(in_wal->second, page->data(), page->size());
  uint64_t at = static_cast<uint64_t>(number - 1) * kPageSize;
  return number > 0 && at + kPageSize <= database_.size &&
         database_.read(at, page->data(), page->size());
}

}  // namespace leat
