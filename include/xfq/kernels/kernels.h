// The arithmetic of the engine: free functions on raw pointers with explicit
// sizes. They do not allocate (beyond a per-thread scratch buffer that only
// grows), do not throw, draw no randomness; the callers check shapes.
//
// Every function exists for float and double. double always runs the plain
// `reference`; float runs the implementation chosen with select(). What a model's
// gradient needs exists for Dual<float> and Dual<double> as well (xfq/core/dual.h).
//
// Same bits by construction. The result of a function is a function of its
// arguments alone, not of the processor, the register width or the compiler:
//  - gemm: every output element starts from 0 (or, accumulating, from its old
//    value) and takes its K products in increasing k, each by one fused
//    multiply-add. Blocking and tiling only change which element is computed
//    when. Hence all float implementations but `eigen` equal `reference` bit for
//    bit.
//  - reductions over a row or an array use 16 virtual lanes (element i goes to
//    lane i mod 16, in increasing i) and a fixed tree over the lanes:
//    8 + 8, 4 + 4, 2 + 2, 1 + 1 (lane j with lane j + half).
//  - exp, tanh, erf and log are elementwise polynomials of our own (float), the
//    same operations in the same order in every implementation.
//  - no contraction by the compiler (-ffp-contract=off): an fma is one because
//    it is written as one.
//
// Shapes: matrices are row-major, [rows, columns], with a leading dimension
// (elements from one row to the next) where they may be part of a larger one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::kernels {

// --- choice of implementation ----------------------------------------------

/// "auto", "avx512", "avx2", "portable", "eigen", "reference", "check".
/// `portable` is the vector code compiled for the baseline instruction set.
/// `eigen` runs Eigen's gemm and the vector code for the rest. `check` runs the
/// auto choice and `reference` beside it and records the worst difference.
/// Process-wide; call it before any work starts. Throws ErrorKind::usage for an
/// unknown name (nearest suggested) or one that this processor cannot run.
void select(const std::string& name);

/// The implementation in use: never "auto".
std::string selected();

/// Names that this processor can run, best first, for tests.
std::vector<std::string> available();

/// Worst relative difference seen under `check` so far: |fast - reference| over
/// the largest |reference| in the same output. One entry per function, sorted.
struct CheckReport {
  std::string function;
  double worst = 0;
  std::int64_t calls = 0;
};
std::vector<CheckReport> check_report();

// --- matrix products ---------------------------------------------------------

enum class Activation { none, gelu_tanh, gelu_erf };

/// C[m,n] = (accumulate ? C : 0) + A[m,k] B[k,n], then the epilogue, in this order:
///   + bias[n]            (when bias != nullptr)
///   pre = the value      (when pre != nullptr; same layout as C)
///   activation
///   + residual[m,n]      (when residual != nullptr; may be C's own old content
///                         only if residual == c and !accumulate)
/// A and B are given by strides, so that a transposed operand costs no copy:
/// A(i,p) = a[i*a_row + p*a_col], B(p,j) = b[p*b_row + j*b_col].
/// One of the two strides of each operand is 1.
template <class S>
struct Gemm {
  Index m = 0, n = 0, k = 0;
  const S* a = nullptr;
  Index a_row = 0, a_col = 1;
  const S* b = nullptr;
  Index b_row = 0, b_col = 1;
  S* c = nullptr;
  Index ldc = 0;
  bool accumulate = false;
  const S* bias = nullptr;
  Activation activation = Activation::none;
  S* pre = nullptr;
  Index ld_pre = 0;
  const S* residual = nullptr;
  Index ld_residual = 0;
};

template <class S>
void gemm(const Gemm<S>& g);

// --- attention ------------------------------------------------------------------

/// Multi-head scaled dot-product attention (Vaswani et al. 2017, eq. 1), softmax
/// over keys. qkv is [B*T, 3C], rows hold q | k | v, each C = heads * head_size
/// wide; head h owns columns h*head_size .. of each.
///   causal: query t sees keys 0..t.
///   lengths (int32 [B], or nullptr): keys at positions >= lengths[b] are not
///   seen by anyone; lengths[b] >= 1. Rows of queries beyond the length are
///   computed like the others.
/// out is [B*T, C]. probabilities [B, heads, T, T] is cached for backward;
/// entries that are not seen are exactly 0.
struct AttentionShape {
  Index batch = 0, time = 0, heads = 0, head_size = 0;
  bool causal = true;
  const std::int32_t* lengths = nullptr;
};

template <class S>
void attention_forward(const AttentionShape& shape, const S* qkv, S* probabilities, S* out);

/// d_qkv [B*T, 3C] is assigned.
template <class S>
void attention_backward(const AttentionShape& shape, const S* qkv, const S* probabilities,
                        const S* d_out, S* d_qkv);

// --- rows ---------------------------------------------------------------------------

/// y = (x - mean) * rstd * weight + bias over each row of x [rows, width]
/// (Ba et al. 2016; biased variance, rstd = 1/sqrt(var + epsilon)).
/// bias may be nullptr. mean and rstd [rows] are cached for backward.
template <class S>
void layernorm_forward(Index rows, Index width, const S* x, const S* weight, const S* bias,
                       S epsilon, S* y, S* mean, S* rstd);

/// d_weight and d_bias (may be nullptr) [width] are accumulated, row by row in
/// increasing order. d_x is assigned, or accumulated when `accumulate_dx`.
template <class S>
void layernorm_backward(Index rows, Index width, const S* x, const S* weight, const S* mean,
                        const S* rstd, const S* d_y, S* d_x, bool accumulate_dx, S* d_weight,
                        S* d_bias);

/// In-place softmax over each row, max subtracted first.
template <class S>
void softmax_rows(Index rows, Index width, S* x, Index ld);

/// Softmax + cross-entropy over rows of logits [rows, width] (leading dimension
/// ld). Rows with target < 0 are ignored. Returns the sum of -log p(target) in
/// nats, accumulated in double in row order; `*count` gets the number of rows used.
///   losses:   [rows] or nullptr; per-row loss, 0 for ignored rows.
///   gradient: when true, logits are overwritten by gradient_scale * (p - onehot),
///             0 for ignored rows; otherwise they are left as they are.
template <class S>
double cross_entropy(Index rows, Index width, S* logits, Index ld, const std::int32_t* targets,
                     S* losses, bool gradient, S gradient_scale, std::int64_t* count);

// --- elementwise -----------------------------------------------------------------------

/// gelu_tanh: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)));
/// gelu_erf:  0.5 x (1 + erf(x / sqrt 2))   (Hendrycks & Gimpel 2016).
template <class S>
void activation_forward(Activation activation, Index size, const S* x, S* y);

/// d_x = d_y * activation'(x), assigned; d_x may be d_y.
template <class S>
void activation_backward(Activation activation, Index size, const S* x, const S* d_y, S* d_x);

template <class S>
void tanh_forward(Index size, const S* x, S* y);
/// From the output y: d_x = d_y * (1 - y*y), assigned; d_x may be d_y.
template <class S>
void tanh_backward(Index size, const S* y, const S* d_y, S* d_x);

/// y += x.
template <class S>
void add(Index size, const S* x, S* y);
/// x *= factor.
template <class S>
void scale(Index size, S factor, S* x);
/// sums[width] += column sums of x [rows, width]; rows in increasing order.
template <class S>
void add_column_sums(Index rows, Index width, const S* x, Index ld, S* sums);
/// Sum of squares; lanes of 16 in double.
template <class S>
double sum_squares(Index size, const S* x);

/// Elementwise functions as such, for tests of their error and for the reports. float:
/// largest errors 1.1 ulp (exp), 0.9 (log), 1.3 (erf) and 1.4 (tanh_forward); the limits
/// at 0 and infinity are exact, NaN gives NaN, denormals are treated as any number.
template <class S>
void exp_forward(Index size, const S* x, S* y);
template <class S>
void log_forward(Index size, const S* x, S* y);
template <class S>
void erf_forward(Index size, const S* x, S* y);

// --- optimiser ---------------------------------------------------------------------------

/// AdamW (Loshchilov & Hutter 2019, algorithm 2) in PyTorch's order:
///   g = gradient * gradient_scale
///   w -= lr * weight_decay * w
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   w -= (lr / bias1) * m / (sqrt(v) / sqrt(bias2) + epsilon)
/// with bias_i = 1 - beta_i^step, computed by the caller. For float each scalar (such as
/// 1 - lr * weight_decay and 1 / sqrt(bias2)) is computed in double and rounded once.
struct AdamW {
  double lr = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  double bias1 = 1, bias2 = 1;
  double gradient_scale = 1;
};
template <class S>
void adamw(const AdamW& p, Index size, S* weights, const S* gradient, S* m, S* v);

}  // namespace xfq::kernels
