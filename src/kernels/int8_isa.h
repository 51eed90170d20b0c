// What the int8 files of all instruction sets share: macros and the tile's task.
#pragma once

#include <cstdint>

#include "int8_table.h"
#include "scratch.h"

#define XFQ_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define XFQ_UNROLL _Pragma("clang loop unroll(full)")
#else
#define XFQ_UNROLL _Pragma("GCC unroll 16")
#endif

namespace xfq::kernels {
namespace {

using Size = std::int64_t;

// What becomes of the sums of a tile, in whole vectors of 16 columns.
struct Tile {
  Size b_stride;  // bytes from one group of W to the next
  const std::int32_t* column_sums;
  std::int32_t zero_point;
  std::int32_t* c;  // the sums as they are, or null
  Size ldc;
  float* y;  // or the layer's output
  Size ldy;
  const float* row_steps;
  const float* column_steps;
  const float* bias;  // or null
};

}  // namespace
}  // namespace xfq::kernels
