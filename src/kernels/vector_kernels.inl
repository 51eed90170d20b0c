// The vector code, compiled once per instruction set by kernels_<isa>.cpp, which
// defines XFQ_ISA (the namespace), XFQ_SIMD_HEADER, XFQ_TILE_ROWS and
// XFQ_TILE_VECTORS (the largest gemm tile, its columns in vectors of 16).
//
// Everything is inside a namespace named after the instruction set and has
// internal linkage: the linker can never put the code of one instruction set into
// the place of another. For the same reason no Eigen and no standard templates.
#include <cstdint>

#include "coefficients.h"
#include "scratch.h"
#include "table.h"

#define XFQ_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define XFQ_UNROLL _Pragma("clang loop unroll(full)")
#else
#define XFQ_UNROLL _Pragma("GCC unroll 16")
#endif

namespace xfq::kernels::XFQ_ISA {
namespace {

constexpr Size kLanes = 16;

#include XFQ_SIMD_HEADER

XFQ_INLINE Size smaller(Size a, Size b) { return a < b ? a : b; }
XFQ_INLINE Size divided_up(Size a, Size b) { return (a + b - 1) / b; }
XFQ_INLINE Size rounded_up(Size a, Size b) { return divided_up(a, b) * b; }

// In this order: each uses what stands above it.
// clang-format off
#include "vector_math.inl"
#include "vector_rows.inl"
#include "vector_gemm.inl"
#include "vector_attention.inl"
// clang-format on

constexpr FloatKernels kTable = {
#define XFQ_STRING(x) #x
#define XFQ_NAME(x) XFQ_STRING(x)
    XFQ_NAME(XFQ_ISA),
#undef XFQ_NAME
#undef XFQ_STRING
    gemm,
    attention_forward,
    attention_backward,
    layernorm_forward,
    layernorm_backward,
    softmax_rows,
    cross_entropy,
    activation_forward,
    activation_backward,
    tanh_forward,
    tanh_backward,
    add_arrays,
    scale,
    add_column_sums,
    sum_squares,
    exp_forward,
    log_forward,
    erf_forward,
    adamw};

}  // namespace
}  // namespace xfq::kernels::XFQ_ISA
