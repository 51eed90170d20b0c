// The vector code for the instruction set of the rest of the build.
#include "table.h"

#define XFQ_ISA portable
#define XFQ_SIMD_HEADER "simd_portable.inl"
#define XFQ_TILE_ROWS 4
#define XFQ_TILE_VECTORS 1
#include "vector_kernels.inl"

namespace xfq::kernels {
const FloatKernels* portable_kernels() { return &portable::kTable; }
}  // namespace xfq::kernels
