// The table of one int8 implementation, in plain pointers for the same reason as
// table.h. The meaning of every entry is that of its namesake in xfq/kernels/int8.h.
#pragma once

#include <cstdint>

namespace xfq::kernels {

struct Int8Scale {
  float step, inverse;
  std::int32_t zero_point, lowest, highest;
};

struct Int8Call {
  std::int64_t m, n, k;
  const std::int8_t* panels;
  const std::int32_t* column_sums;
  // Either codes and their product,
  const std::uint8_t* codes;
  std::int64_t ld_codes;
  std::int32_t* c;
  std::int64_t ldc;
  // or, where codes is null, floats.
  const float* x;
  std::int64_t ldx;
  const float* weight_steps;
  const float* bias;
  float* y;
  std::int64_t ldy;
  Int8Scale scale;
  bool dynamic;
};

struct Int8Kernels {
  const char* name;
  void (*run)(const Int8Call& call);
  void (*quantize)(std::int64_t size, const float* x, const Int8Scale& scale, std::uint8_t* codes);
  float (*largest_magnitude)(std::int64_t size, const float* x);
};

constexpr std::int64_t kInt8Panel = 32;  // columns of a panel
constexpr std::int64_t kInt8Group = 4;   // products that one 32-bit lane takes at once

/// The scale of a row whose largest magnitude is given.
static inline Int8Scale int8_row_scale(const Int8Scale& scale, float largest) {
  Int8Scale row = scale;
  row.step = row.inverse = 1.0f;
  if (largest > 0.0f) {
    const float step = static_cast<float>(static_cast<double>(largest) /
                                          static_cast<double>(scale.highest - scale.zero_point));
    row.step = step > 0x1p-126f ? step : 0x1p-126f;
    row.inverse = 1.0f / row.step;
  }
  return row;
}

// A null pointer where the build has none.
const Int8Kernels* int8_portable();
const Int8Kernels* int8_avx2();
const Int8Kernels* int8_vnni512();
const Int8Kernels* int8_reference();

}  // namespace xfq::kernels
