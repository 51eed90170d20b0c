// The vector code for AVX-512 (F, BW, DQ, VL): 32 registers of 16 floats, tiles of
// 14 x 32.
#include "table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>

#define XFQ_ISA avx512
#define XFQ_SIMD_HEADER "simd_avx512.inl"
#define XFQ_TILE_ROWS 14
#define XFQ_TILE_VECTORS 2
#include "vector_kernels.inl"

namespace xfq::kernels {
const FloatKernels* avx512_kernels() { return &avx512::kTable; }
}  // namespace xfq::kernels
#else
namespace xfq::kernels {
const FloatKernels* avx512_kernels() { return nullptr; }
}  // namespace xfq::kernels
#endif
