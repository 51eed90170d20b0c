// Norms of the gradients that single sequences give to a linear layer, without a
// backward pass for each: wanted for gradient noise, clipping per example and Fisher scores.
#pragma once

#include "xfq/core/matrix.h"

namespace xfq::kernels {

/// Y = X W + b over sequences b of T rows: x [B*T, in] with leading dimension ldx,
/// d_y [B*T, out] with ld_dy. Adds
///   weight_norms[b] += |X_b^T dY_b|_F^2        (when weight_norms != nullptr)
///   bias_norms[b]   += |column sums of dY_b|^2 (when bias_norms != nullptr)
/// which are the squared norms of the gradients of sequence b; both may be the same array.
///
/// For T = 1 the first is |x|^2 |dy|^2 (Goodfellow 2015, "Efficient per-example gradient
/// computations", section 4). For a sequence it is sum over t, t' of (x_t . x_t')
/// (dy_t . dy_t'), from two [T, T] products; where these cost more than X_b^T dY_b itself,
/// that one is formed, one sequence at a time. The sizes alone decide. A sum of the
/// first form that rounding made negative counts as 0.
template <class S>
void add_sequence_norms(Index batch, Index time, Index in, Index out, const S* x, Index ldx,
                        const S* d_y, Index ld_dy, double* weight_norms, double* bias_norms);

}  // namespace xfq::kernels
