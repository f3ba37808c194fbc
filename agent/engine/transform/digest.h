// How numbers are distributed, in bounded memory: a t-digest (Dunning, Ertl: Computing extremely
// accurate quantiles using t-digests, arXiv:1902.04023). A cell stands for neighbours; those near
// the ends for few of them, so that high percentiles are as good as the median is.
//
// The error is one of rank: as long as all fit into the cells a percentile is exact; then a cell
// has at most 1.6 % of all numbers in the middle, 0.3 % at the 99th percentile, and a percentile
// lies within the cell that it falls into. The least and the greatest are kept.
//
// Thread: any.
#pragma once

#include <cstddef>

namespace leat::digest {

struct Cell {
  double mean;
  double weight;  // how many numbers
};
inline constexpr size_t kFewest = 8;
inline constexpr size_t kMost = 256;

// Makes fewer of them, at most 3/4 of kMost. Returns how many.
size_t compress(Cell* cells, size_t count);
// The number below which this share of all is, between those next to it as SQL's percentile_cont.
// Sorts the cells, of which there is at least one.
double percentile(Cell* cells, size_t count, double share);

}  // namespace leat::digest
