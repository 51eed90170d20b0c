// Peak of fused multiply-adds with avx512: 24 accumulators hide the latency.
#include "peak.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace xfq::bench {

const std::int64_t kPeakOperationsAvx512 = 24 * 16 * 2;

float peak_avx512(std::int64_t rounds) {
  constexpr int accumulators = 24;
  __m512 sum[accumulators];
  for (int i = 0; i < accumulators; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 24
#endif
    for (int i = 0; i < accumulators; ++i) {
      __m512 next = _mm512_fmadd_ps(sum[i], a, b);
      asm volatile("" : "+v"(next));  // kept in a register, and not computed beforehand
      sum[i] = next;
    }
  }
  __m512 total = sum[0];
  for (int i = 1; i < accumulators; ++i) total = _mm512_add_ps(total, sum[i]);
  float lanes[16];
  _mm512_storeu_ps(lanes, total);
  return lanes[0];
}

}  // namespace xfq::bench
#else
namespace xfq::bench {
const std::int64_t kPeakOperationsAvx512 = 0;
float peak_avx512(std::int64_t) { return 0; }
}  // namespace xfq::bench
#endif
