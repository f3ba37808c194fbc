// https://sqlite.org/fileformat.html, sections 1.6 (b-tree pages), 1.7 (overflow), 2.1 (records)
#include "journal/page_rows.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/big_endian.h"

namespace leat {
namespace {

constexpr uint8_t kTableLeaf = 13;
constexpr uint8_t kIndexLeaf = 10;
constexpr uint8_t kIndexInterior = 2;
constexpr uint64_t kLargest = 256U << 20;
constexpr size_t kMostColumns = 16;

// A cursor over bytes that may be anything. `bad` once it would have left them.
struct Cursor {
  const uint8_t* at;
  const uint8_t* end;
  bool bad = false;

  uint64_t varint() {
    uint64_t n = 0;
    for (int i = 0; i < 9; ++i) {
      if (at >= end) {
        bad = true;
        return 0;
      }
      uint8_t byte = *at++;
      if (i == 8) return n << 8 | byte;
      n = n << 7 | (byte & 0x7F);
      if (byte < 0x80) return n;
    }
    return n;
  }
};

size_t size_of(uint64_t type) {
  static constexpr size_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kSizes[type] : static_cast<size_t>((type - 12) / 2);
}

// `cut`: the end of the record is missing; the columns that are whole are wanted.
bool parse(std::string_view record, PageRow* row, bool cut = false) {
  const auto* begin = reinterpret_cast<const uint8_t*>(record.data());
  Cursor head{begin, begin + record.size()};
  uint64_t head_size = head.varint();
  if (head.bad || head_size > record.size()) return false;
  head.end = begin + head_size;
  Cursor body{begin + head_size, begin + record.size()};
  while (head.at < head.end) {
    uint64_t type = head.varint();
    size_t size = size_of(type);
    if (head.bad || type == 7 || row->columns.size() == kMostColumns) return false;
    if (size > static_cast<size_t>(body.end - body.at)) return cut;
    if (type == 0) {
      row->columns.emplace_back();
    } else if (type < 12) {
      int64_t n = size > 0 && body.at[0] >= 0x80 ? -1 : 0;
      for (size_t i = 0; i < size; ++i)
        n = static_cast<int64_t>(static_cast<uint64_t>(n) << 8 | body.at[i]);
      row->columns.emplace_back(type == 9 ? int64_t{1} : n);
    } else {
      row->columns.emplace_back(std::string(reinterpret_cast<const char*>(body.at), size));
    }
    body.at += size;
  }
  return !row->columns.empty();
}

// How much of a payload is in its own page; the rest is in a chain of others.
size_t local_size(uint64_t payload, bool table) {
  constexpr uint64_t kUsable = kPageSize;
  uint64_t most = table ? kUsable - 35 : (kUsable - 12) * 64 / 255 - 23;
  if (payload <= most) return static_cast<size_t>(payload);
  uint64_t least = (kUsable - 12) * 32 / 255 - 23;
  uint64_t k = least + (payload - least) % (kUsable - 4);
  return static_cast<size_t>(k <= most ? k : least);
}

std::optional<std::string> payload_at(const PageImages& pages, Cursor cell, uint64_t size,
                                      bool table) {
  if (size > kLargest || size > static_cast<uint64_t>(pages.count()) * kPageSize)
    return std::nullopt;
  size_t local = local_size(size, table);
  size_t there = local + (local < size ? 4 : 0);
  if (cell.bad || there > static_cast<size_t>(cell.end - cell.at)) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(cell.at), local);
  if (local == size) return out;
  uint32_t next = read_big_endian<uint32_t>(cell.at + local);
  PageImages::Page page;
  while (out.size() < size) {
    if (next == 0 || !pages.read(next, &page)) return std::nullopt;
    next = read_big_endian<uint32_t>(page.data());
    size_t n = std::min<size_t>(kPageSize - 4, static_cast<size_t>(size) - out.size());
    out.append(reinterpret_cast<const char*>(page.data()) + 4, n);
  }
  return out;
}

}  // namespace

void rows_of_page(const PageImages& pages, uint32_t number,
                  const std::function<void(PageRow&)>& found,
                  const std::function<void(PageRow&)>& cut) {
  PageImages::Page page;
  if (!pages.read(number, &page)) return;
  size_t header = number == 1 ? 100 : 0;  // of the file
  uint8_t type = page[header];
  bool table = type == kTableLeaf;
  if (!table && type != kIndexLeaf && type != kIndexInterior) return;
  size_t pointers = header + (type == kIndexInterior ? 12 : 8);
  size_t cells = read_big_endian<uint16_t>(&page[header + 3]);
  for (size_t i = 0; i < cells && pointers + 2 * i + 2 <= page.size(); ++i) {
    size_t at = read_big_endian<uint16_t>(&page[pointers + 2 * i]);
    if (type == kIndexInterior) at += 4;  // its child
    if (at >= page.size()) continue;
    Cursor cell{page.data() + at, page.data() + page.size()};
    uint64_t size = cell.varint();
    PageRow row;
    if (table) row.rowid = static_cast<int64_t>(cell.varint());
    std::optional<std::string> record = payload_at(pages, cell, size, table);
    if (record && parse(*record, &row)) {
      found(row);
    } else if (!record && cut && !cell.bad) {
      size_t local = std::min(local_size(size, table), static_cast<size_t>(cell.end - cell.at));
      if (parse({reinterpret_cast<const char*>(cell.at), local}, &row, true)) cut(row);
    }
  }
}

}  // namespace leat
