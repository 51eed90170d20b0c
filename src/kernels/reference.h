// The plain implementation: scalar loops on S = float or double that state what
// every other implementation computes. For float it follows the same order of
// operations (fused multiply-adds, 16 virtual lanes, our own polynomials), so that
// the vector code must give equal bits; for double it uses the standard library's
// functions and separate multiplications and additions. Dual numbers (xfq/core/dual.h) run
// the same loops, but for the product (dual_gemm.h).
#pragma once

#include "table.h"
#include "xfq/core/dual.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels::reference {

template <class S>
void gemm(const Gemm<S>& g);
/// The epilogue of row i of a product, from the sums `row` [n] to c.
template <class S>
void finish_row(const Gemm<S>& g, Index i, const S* row);
template <class S>
void attention_forward(const AttentionShape& shape, const S* qkv, S* probabilities, S* out);
template <class S>
void attention_backward(const AttentionShape& shape, const S* qkv, const S* probabilities,
                        const S* d_out, S* d_qkv);
template <class S>
void layernorm_forward(Index rows, Index width, const S* x, const S* weight, const S* bias,
                       S epsilon, S* y, S* mean, S* rstd);
template <class S>
void layernorm_backward(Index rows, Index width, const S* x, const S* weight, const S* mean,
                        const S* rstd, const S* d_y, S* d_x, bool accumulate_dx, S* d_weight,
                        S* d_bias);
template <class S>
void softmax_rows(Index rows, Index width, S* x, Index ld);
template <class S>
double cross_entropy(Index rows, Index width, S* logits, Index ld, const std::int32_t* targets,
                     S* losses, bool gradient, S gradient_scale, std::int64_t* count);
template <class S>
void activation_forward(Activation activation, Index size, const S* x, S* y);
template <class S>
void activation_backward(Activation activation, Index size, const S* x, const S* d_y, S* d_x);
template <class S>
void tanh_forward(Index size, const S* x, S* y);
template <class S>
void tanh_backward(Index size, const S* y, const S* d_y, S* d_x);
template <class S>
void add(Index size, const S* x, S* y);
template <class S>
void scale(Index size, S factor, S* x);
template <class S>
void add_column_sums(Index rows, Index width, const S* x, Index ld, S* sums);
template <class S>
double sum_squares(Index size, const S* x);
template <class S>
void exp_forward(Index size, const S* x, S* y);
template <class S>
void log_forward(Index size, const S* x, S* y);
template <class S>
void erf_forward(Index size, const S* x, S* y);
template <class S>
AdamWScalars<S> adamw_scalars(const AdamW& p);
template <class S>
void adamw(const AdamWScalars<S>& p, Index size, S* weights, const S* gradient, S* m, S* v);

}  // namespace xfq::kernels::reference
