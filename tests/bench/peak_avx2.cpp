// Peak of fused multiply-adds with avx2: 12 accumulators hide the latency.
#include "peak.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace xfq::bench {

const std::int64_t kPeakOperationsAvx2 = 12 * 8 * 2;

float peak_avx2(std::int64_t rounds) {
  constexpr int accumulators = 12;
  __m256 sum[accumulators];
  for (int i = 0; i < accumulators; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 12
#endif
    for (int i = 0; i < accumulators; ++i) {
      __m256 next = _mm256_fmadd_ps(sum[i], a, b);
      asm volatile("" : "+v"(next));  // kept in a register, and not computed beforehand
      sum[i] = next;
    }
  }
  __m256 total = sum[0];
  for (int i = 1; i < accumulators; ++i) total = _mm256_add_ps(total, sum[i]);
  float lanes[8];
  _mm256_storeu_ps(lanes, total);
  return lanes[0];
}

}  // namespace xfq::bench
#else
namespace xfq::bench {
const std::int64_t kPeakOperationsAvx2 = 0;
float peak_avx2(std::int64_t) { return 0; }
}  // namespace xfq::bench
#endif
