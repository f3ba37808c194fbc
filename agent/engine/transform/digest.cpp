#include "transform/digest.h"

#include <cmath>

namespace leat::digest {
namespace {

// The paper's k1 with a compression of 100, written as the most that a cell may have: pi / 100 of
// the whole, times the deviation of its rank.
constexpr double kWidth = 0.0314;

// By insertion: most of them are in order already, from the time before.
void sort(Cell* cells, size_t count) {
  for (size_t i = 1; i < count; ++i) {
    const Cell one = cells[i];
    size_t place = i;
    for (; place > 0 && one.mean < cells[place - 1].mean; --place) cells[place] = cells[place - 1];
    cells[place] = one;
  }
}

double total_of(const Cell* cells, size_t count) {
  double total = 0;
  for (size_t i = 0; i < count; ++i) total += cells[i].weight;
  return total;
}

size_t join_neighbours(Cell* cells, size_t count, double width) {
  const double total = total_of(cells, count);
  double before = 0;
  size_t last = 0;
  for (size_t i = 1; i < count; ++i) {
    const double weight = cells[last].weight + cells[i].weight;
    const double rank = (before + weight / 2) / total;
    const bool inside = last > 0 && i + 1 < count;  // the least and the greatest stay alone
    if (inside && weight <= total * width * std::sqrt(rank * (1 - rank))) {
      cells[last].mean += (cells[i].mean - cells[last].mean) * (cells[i].weight / weight);
      cells[last].weight = weight;
    } else {
      before += cells[last].weight;
      cells[++last] = cells[i];
    }
  }
  return last + 1;
}

}  // namespace

size_t compress(Cell* cells, size_t count) {
  sort(cells, count);
  for (double width = kWidth; count > kMost * 3 / 4; width *= 2)
    count = join_neighbours(cells, count, width);
  return count;
}

double percentile(Cell* cells, size_t count, double share) {
  sort(cells, count);
  const double rank = share * (total_of(cells, count) - 1);
  double before = 0;  // numbers
  double left = 0;    // the rank of the middle of the cell before this one
  for (size_t i = 0; i < count; ++i) {
    const double middle = before + (cells[i].weight - 1) / 2;
    if (middle >= rank) {
      if (i == 0) return cells[0].mean;
      const double part = (rank - left) / (middle - left);
      return cells[i - 1].mean + part * (cells[i].mean - cells[i - 1].mean);
    }
    before += cells[i].weight;
    left = middle;
  }
  return cells[count - 1].mean;
}

}  // namespace leat::digest
