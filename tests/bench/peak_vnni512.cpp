// Peak of vpdpbusd at 512 bits: 24 accumulators hide the latency. The registers are named by
// hand, because a compiler that keeps an array of them in memory halves the rate.
#include "peak_int8.h"

#if defined(__AVX512F__) && defined(__AVX512VNNI__)

namespace xfq::bench {

const std::int64_t kPeakOperationsVnni512 = 24 * 64 * 2;

void peak_vnni512(std::int64_t rounds) {
  if (rounds <= 0) return;
#define XFQ_STEP(n) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #n "\n\t"
#define XFQ_STEPS(a, b, c, d, e, f, g, h) \
  XFQ_STEP(a) XFQ_STEP(b) XFQ_STEP(c) XFQ_STEP(d) XFQ_STEP(e) XFQ_STEP(f) XFQ_STEP(g) XFQ_STEP(h)
  __asm__ volatile("1:\n\t"
                   // clang-format off
      XFQ_STEPS(0, 1, 2, 3, 4, 5, 6, 7)
      XFQ_STEPS(8, 9, 10, 11, 12, 13, 14, 15)
      XFQ_STEPS(16, 17, 18, 19, 20, 21, 22, 23)
                   // clang-format on
                   "dec %0\n\t"
                   "jnz 1b"
                   : "+r"(rounds)
                   :
                   : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9",
                     "zmm10", "zmm11", "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17",
                     "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "cc");
#undef XFQ_STEPS
#undef XFQ_STEP
}

}  // namespace xfq::bench
#else
namespace xfq::bench {
const std::int64_t kPeakOperationsVnni512 = 0;
void peak_vnni512(std::int64_t) {}
}  // namespace xfq::bench
#endif
