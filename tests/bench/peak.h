// The largest rate of fused multiply-adds: loops without memory.
#pragma once

#include <cstdint>

namespace xfq::bench {

/// Runs `rounds` rounds; each does operations_per_round floating-point operations.
/// The result must be used, or the loop is removed. 0 operations: not built.
float peak_avx2(std::int64_t rounds);
float peak_avx512(std::int64_t rounds);
extern const std::int64_t kPeakOperationsAvx2;
extern const std::int64_t kPeakOperationsAvx512;

}  // namespace xfq::bench
