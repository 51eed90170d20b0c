// Linear layers in 8-bit integers: u8 codes of the activations times s8 codes of the
// weights, exact sums in s32, then back to float (Jacob et al. 2018, "Quantization and
// training of neural networks for efficient integer-arithmetic-only inference", eq. 7
// with the zero point of the weights at 0):
//
//   sum[i,j] = sum_p (a[i,p] - zero_point) w[p,j]
//            = sum_p a[i,p] w[p,j] - zero_point * column_sum[j]
//   y[i,j]   = (step[i] * weight_step[j]) * float(sum[i,j]) + bias[j]
//
// The codes are those of fake quantization (v = x * inverse in float, clamped, rounded
// half to even, NaN to the lowest code; xfq/quant/number_format.h); the sums are exact;
// the float operations are the ones written above, in that order, each rounded once. So
// every implementation gives the same bits. Against the float product of the fake-quantized
// operands y differs by the rounding of that float product alone.
//
// The implementation follows select(): `avx512` needs VNNI and is `avx2` on processors
// without; `eigen` takes the best one, `check` runs it beside the reference; double does
// not exist here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::kernels {

/// Largest k: 65793 * 255 * 128 < 2^31, so no sum of codes can leave 32 bits, before or
/// after the zero point is taken off.
constexpr Index kInt8MaxDepth = 65793;

/// The implementation in use: "avx512", "avx2", "portable", "reference" or "check".
std::string int8_selected();

/// Weights [k, n] of one layer, copied once into the order in which the kernels read
/// them; the same order for all of them. The only place that allocates.
class PackedWeights {
 public:
  PackedWeights() = default;
  /// codes(p, j) = codes[p * ld + j]; all of -128..127 are allowed.
  /// Throws ErrorKind::run when k > kInt8MaxDepth.
  PackedWeights(Index k, Index n, const std::int8_t* codes, Index ld);

  Index k() const { return k_; }
  Index n() const { return n_; }
  /// sum_p w[p, j], n of them.
  const std::int32_t* column_sums() const { return column_sums_.data(); }
  /// For the kernels: panels of 32 columns (the last one 16 or 32), each [k/4, columns, 4],
  /// zeros beyond k and n.
  const std::int8_t* panels() const { return panels_.empty() ? nullptr : panels_[0].codes; }

 private:
  struct alignas(64) Line {
    std::int8_t codes[64] = {};
  };
  Index k_ = 0, n_ = 0;
  std::vector<Line> panels_;
  std::vector<std::int32_t> column_sums_;
};

/// How activations become codes 0..255: code = round(clamp(x * inverse)) + zero_point, which
/// lies in lowest..highest. Signed codes -L..L are stored with zero_point 128 as
/// 128-L..128+L. 0 <= lowest <= zero_point <= highest <= 255.
struct ActivationCodes {
  float step = 1;
  float inverse = 1;
  std::int32_t zero_point = 128;
  std::int32_t lowest = 1;
  std::int32_t highest = 255;
};

/// codes[size] of x[size].
void int8_quantize(Index size, const float* x, const ActivationCodes& how, std::uint8_t* codes);

/// The scale of one row in `dynamic` layers: step = max |x| / (highest - zero_point), in
/// double and rounded to float once, at least 2^-126; 1 for a row of zeros. NaN is left out
/// of the maximum; an infinity counts as the largest float.
ActivationCodes int8_row_codes(Index size, const float* x, const ActivationCodes& how);

/// C[m,n] = A[m,k] W: the exact product of the codes, no zero point taken off.
/// A is [m, lda], C is [m, ldc].
void int8_gemm(Index m, const std::uint8_t* a, Index lda, const PackedWeights& weights,
               std::int32_t* c, Index ldc);

/// y[m,n] = x[m,k] W (+ bias), through integers as above.
struct Int8Linear {
  Index m = 0;
  const float* x = nullptr;
  Index ldx = 0;
  const PackedWeights* weights = nullptr;
  const float* weight_steps = nullptr;  // [n]; equal ones for a scale per tensor
  const float* bias = nullptr;          // [n], or nullptr: nothing is added
  float* y = nullptr;
  Index ldy = 0;
  /// Of the whole tensor; in a dynamic layer step and inverse are ignored.
  ActivationCodes activations;
  /// A step for each row of x, from its largest magnitude (int8_row_codes).
  bool dynamic = false;
};
void int8_linear(const Int8Linear& layer);

}  // namespace xfq::kernels
