// Products of dual numbers.
#pragma once

#include "xfq/core/dual.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels {

/// (A + A' e)(B + B' e) = A B + (A' B + A B') e: three products of plain numbers by the
/// implementation in use, then the epilogue of the reference.
template <class S>
void dual_gemm(const Gemm<Dual<S>>& g);

}  // namespace xfq::kernels
