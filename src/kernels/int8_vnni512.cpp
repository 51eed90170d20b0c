// The int8 layer for AVX-512 with VNNI: vpdpbusd adds four u8 x s8 products to each of 16
// sums, without saturation. Tiles of 14 x 32.
#include "int8_table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__) && defined(__AVX512VNNI__)
#include <immintrin.h>

#include "int8_isa.h"

namespace xfq::kernels::int8_vnni512_code {
namespace {

constexpr int kTileRows = 14;
constexpr int kTileVectors = 2;
constexpr Size kStep = 64;
using Code = std::uint8_t;

// One comparison in floats is enough: what is too small or NaN converts to the least
// integer or a negative one, saturates to 0 and is raised to the lowest code.
XFQ_INLINE __m512i rounded(const float* x, __m512 inverse, __m512 highest) {
  const __m512 v = _mm512_mul_ps(_mm512_loadu_ps(x), inverse);
  return _mm512_cvtps_epi32(_mm512_min_ps(highest, v));  // NaN stays
}
XFQ_INLINE void quantize_step(const float* x, const Int8Scale& scale, std::uint8_t* to) {
  const __m512 inverse = _mm512_set1_ps(scale.inverse);
  const __m512 highest = _mm512_set1_ps(static_cast<float>(scale.highest - scale.zero_point));
  const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(scale.zero_point));
  const __m512i lowest = _mm512_set1_epi8(static_cast<char>(scale.lowest));
  const __m512i low =
      _mm512_packs_epi32(rounded(x, inverse, highest), rounded(x + 16, inverse, highest));
  const __m512i high =
      _mm512_packs_epi32(rounded(x + 32, inverse, highest), rounded(x + 48, inverse, highest));
  const __m512i mixed =
      _mm512_packus_epi16(_mm512_adds_epi16(low, zero_point), _mm512_adds_epi16(high, zero_point));
  // Packing works in each 128-bit part: put the groups of four back in order.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_si512(to, _mm512_permutexvar_epi32(order, _mm512_max_epu8(mixed, lowest)));
}

XFQ_INLINE void copy_step(const std::uint8_t* codes, Code* to) {
  _mm512_storeu_si512(to, _mm512_loadu_si512(codes));
}

struct Magnitudes {
  __m512 v[4];
};
XFQ_INLINE Magnitudes no_magnitudes() {
  const __m512 zero = _mm512_setzero_ps();
  return {{zero, zero, zero, zero}};
}
XFQ_INLINE float reduce_max(const Magnitudes& m) {
  return _mm512_reduce_max_ps(
      _mm512_max_ps(_mm512_max_ps(m.v[0], m.v[1]), _mm512_max_ps(m.v[2], m.v[3])));
}
// The order of the operands leaves NaN out.
XFQ_INLINE Magnitudes magnitude_step(const float* x, Magnitudes m) {
  XFQ_UNROLL
  for (int i = 0; i < 4; ++i) {
    m.v[i] = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + i * 16)), m.v[i]);
  }
  return m;
}

XFQ_INLINE __m512i four_codes(const Code* a) {
  std::int32_t bits;
  __builtin_memcpy(&bits, a, sizeof bits);
  return _mm512_set1_epi32(bits);
}

// Rows are reached from every fifth one by small multiples of the stride, which keeps the
// number of address registers low.
template <int rows, int vectors>
static void tile(Size groups, const Code* a, Size stride, const std::int8_t* b, const Tile& t) {
  __m512i sum[rows][vectors];
  XFQ_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const __m512i correction = _mm512_mullo_epi32(_mm512_set1_epi32(-t.zero_point),
                                                  _mm512_loadu_si512(t.column_sums + v * 16));
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) sum[r][v] = correction;
  }
  XFQ_UNROLL
  for (int r = 0; r < rows; ++r) {
    const char* row = t.c != nullptr ? reinterpret_cast<const char*>(t.c + r * t.ldc)
                                     : reinterpret_cast<const char*>(t.y + r * t.ldy);
    XFQ_UNROLL
    for (int v = 0; v < vectors; ++v) __builtin_prefetch(row + v * 64, 1, 3);
  }

  const Size stride3 = 3 * stride, b_stride = t.b_stride;
  const Code* a0 = a;
  const Code* a5 = rows > 5 ? a + 5 * stride : a;
  const Code* a10 = rows > 10 ? a + 10 * stride : a;
  for (Size g = 0; g < groups; ++g) {
    __m512i bv[vectors];
    XFQ_UNROLL
    for (int v = 0; v < vectors; ++v) bv[v] = _mm512_load_si512(b + v * 64);
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) {
      const Code* base = r < 5 ? a0 : r < 10 ? a5 : a10;
      const __m512i av = four_codes(r % 5 == 3 ? base + stride3 : base + r % 5 * stride);
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], av, bv[v]);
    }
    a0 += kInt8Group;
    a5 += kInt8Group;
    a10 += kInt8Group;
    b += b_stride;
  }

  if (t.c != nullptr) {
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) {
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) {
        _mm512_storeu_si512(t.c + r * t.ldc + v * 16, sum[r][v]);
      }
    }
    return;
  }
  XFQ_UNROLL
  for (int v = 0; v < vectors; ++v) {
    const __m512 column_step = _mm512_loadu_ps(t.column_steps + v * 16);
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) {
      const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(t.row_steps[r]), column_step);
      __m512 y = _mm512_mul_ps(factor, _mm512_cvtepi32_ps(sum[r][v]));
      if (t.bias != nullptr) y = _mm512_add_ps(y, _mm512_loadu_ps(t.bias + v * 16));
      _mm512_storeu_ps(t.y + r * t.ldy + v * 16, y);
    }
  }
}

#include "int8_linear.inl"

constexpr Int8Kernels kTable = {"avx512", run, quantize, largest_magnitude};

}  // namespace
}  // namespace xfq::kernels::int8_vnni512_code

namespace xfq::kernels {
const Int8Kernels* int8_vnni512() { return &int8_vnni512_code::kTable; }
}  // namespace xfq::kernels
#else
namespace xfq::kernels {
const Int8Kernels* int8_vnni512() { return nullptr; }
}  // namespace xfq::kernels
#endif
