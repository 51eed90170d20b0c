// The vector code for AVX2 and FMA: 16 registers of 8 floats, tiles of 6 x 16.
#include "table.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define XFQ_ISA avx2
#define XFQ_SIMD_HEADER "simd_avx2.inl"
#define XFQ_TILE_ROWS 6
#define XFQ_TILE_VECTORS 1
#include "vector_kernels.inl"

namespace xfq::kernels {
const FloatKernels* avx2_kernels() { return &avx2::kTable; }
}  // namespace xfq::kernels
#else
namespace xfq::kernels {
const FloatKernels* avx2_kernels() { return nullptr; }
}  // namespace xfq::kernels
#endif
