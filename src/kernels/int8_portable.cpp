// The int8 layer for the instruction set of the rest of the build, in plain loops that a
// compiler can turn into its vectors. Tiles of 4 x 16.
#include "int8_isa.h"
#include "int8_table.h"

namespace xfq::kernels::int8_portable_code {
namespace {

constexpr int kTileRows = 4;
constexpr int kTileVectors = 1;
constexpr Size kStep = 16;
using Code = std::int16_t;

// Adding and taking off 1.5 * 2^23 rounds |v| < 2^22 half to even.
template <class To>
XFQ_INLINE void quantize_step(const float* x, const Int8Scale& scale, To* to) {
  constexpr float kShift = 12582912.0f;
  const auto lo = static_cast<float>(scale.lowest - scale.zero_point);
  const auto hi = static_cast<float>(scale.highest - scale.zero_point);
  for (Size i = 0; i < kStep; ++i) {
    float v = x[i] * scale.inverse;
    v = lo < v ? v : lo;  // NaN becomes lo
    v = v < hi ? v : hi;
    to[i] = static_cast<To>(static_cast<std::int32_t>((v + kShift) - kShift) + scale.zero_point);
  }
}

XFQ_INLINE void copy_step(const std::uint8_t* codes, Code* to) {
  for (Size i = 0; i < kStep; ++i) to[i] = codes[i];
}

struct Magnitudes {
  float v[kStep];
};
XFQ_INLINE Magnitudes no_magnitudes() { return {}; }
XFQ_INLINE float reduce_max(const Magnitudes& m) {
  float largest = 0.0f;
  for (Size i = 0; i < kStep; ++i) largest = m.v[i] > largest ? m.v[i] : largest;
  return largest;
}
XFQ_INLINE Magnitudes magnitude_step(const float* x, Magnitudes m) {
  for (Size i = 0; i < kStep; ++i) {
    const float magnitude = __builtin_fabsf(x[i]);
    m.v[i] = magnitude > m.v[i] ? magnitude : m.v[i];
  }
  return m;
}

template <int rows, int vectors>
static void tile(Size groups, const Code* a, Size stride, const std::int8_t* b, const Tile& t) {
  static_assert(vectors == 1, "the loop below is over one vector of 16 columns");
  std::int32_t sum[rows][16] = {};
  for (Size g = 0; g < groups; ++g, a += kInt8Group, b += t.b_stride) {
    // The codes of one k, for 16 columns.
    std::int32_t w[kInt8Group][16];
    for (int j = 0; j < 16; ++j) {
      for (int q = 0; q < kInt8Group; ++q) w[q][j] = b[j * kInt8Group + q];
    }
    for (int r = 0; r < rows; ++r) {
      const Code* row = a + r * stride;
      const std::int32_t a0 = row[0], a1 = row[1], a2 = row[2], a3 = row[3];
      for (int j = 0; j < 16; ++j) {
        sum[r][j] += a0 * w[0][j] + a1 * w[1][j] + a2 * w[2][j] + a3 * w[3][j];
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < 16; ++j) {
      const std::int32_t total = sum[r][j] - t.zero_point * t.column_sums[j];
      if (t.c != nullptr) {
        t.c[r * t.ldc + j] = total;
      } else {
        const float factor = t.row_steps[r] * t.column_steps[j];
        const float y = factor * static_cast<float>(total);
        t.y[r * t.ldy + j] = t.bias == nullptr ? y : y + t.bias[j];
      }
    }
  }
}

#include "int8_linear.inl"

constexpr Int8Kernels kTable = {"portable", run, quantize, largest_magnitude};

}  // namespace
}  // namespace xfq::kernels::int8_portable_code

namespace xfq::kernels {
const Int8Kernels* int8_portable() { return &int8_portable_code::kTable; }
}  // namespace xfq::kernels
