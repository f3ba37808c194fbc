// The rows that are in the pages of a journal, whatever has become of its trees: each leaf is
// looked at by itself. Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "journal/page_images.h"

namespace leat {

// A row without what its types would make of it: integers, and bytes for texts and blobs.
struct PageRow {
  int64_t rowid = 0;  // 0 in a table WITHOUT ROWID
  std::vector<std::variant<std::monostate, int64_t, std::string>> columns;
};

// A column, when it is of that kind; else null.
inline const std::string* text(const PageRow& row, size_t i) {
  return std::get_if<std::string>(&row.columns[i]);
}
inline const int64_t* number(const PageRow& row, size_t i) {
  return std::get_if<int64_t>(&row.columns[i]);
}

// Calls back for every row of a page that can be read whole; `cut`, for those of which only the
// beginning can, with the columns that are there.
void rows_of_page(const PageImages& pages, uint32_t number,
                  const std::function<void(PageRow&)>& found,
                  const std::function<void(PageRow&)>& cut = nullptr);

}  // namespace leat
