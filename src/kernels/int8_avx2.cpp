// The int8 layer for AVX2. vpmaddubsw would saturate (255 * 127 + 255 * 127 > 2^15), so both
// operands are widened to 16 bits and multiplied by vpmaddwd, whose sums of two products
// (below 2^17) are exact in 32 bits: W on its way from memory, the rows once per block.
// Tiles of 4 x 16, in two halves of 8 columns.
#include "int8_table.h"

#if defined(__AVX2__)
#include <immintrin.h>

#include "int8_isa.h"

namespace xfq::kernels::int8_avx2_code {
namespace {

constexpr int kTileRows = 4;
constexpr int kTileVectors = 1;
constexpr Size kStep = 32;
using Code = std::int16_t;

// 16 codes in 16 bits; see int8_vnni512.cpp for the one comparison in floats.
XFQ_INLINE __m256i sixteen_codes(const float* x, const Int8Scale& scale) {
  const __m256 inverse = _mm256_set1_ps(scale.inverse);
  const __m256 highest = _mm256_set1_ps(static_cast<float>(scale.highest - scale.zero_point));
  const __m256 low = _mm256_mul_ps(_mm256_loadu_ps(x), inverse);
  const __m256 high = _mm256_mul_ps(_mm256_loadu_ps(x + 8), inverse);
  const __m256i mixed = _mm256_packs_epi32(_mm256_cvtps_epi32(_mm256_min_ps(highest, low)),
                                           _mm256_cvtps_epi32(_mm256_min_ps(highest, high)));
  const __m256i codes =
      _mm256_adds_epi16(mixed, _mm256_set1_epi16(static_cast<short>(scale.zero_point)));
  const __m256i raised =
      _mm256_max_epi16(codes, _mm256_set1_epi16(static_cast<short>(scale.lowest)));
  return _mm256_permute4x64_epi64(raised, _MM_SHUFFLE(3, 1, 2, 0));
}
XFQ_INLINE void store_bits(void* to, __m256i x) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), x);
}
XFQ_INLINE void quantize_step(const float* x, const Int8Scale& scale, Code* to) {
  store_bits(to, sixteen_codes(x, scale));
  store_bits(to + 16, sixteen_codes(x + 16, scale));
}
XFQ_INLINE void quantize_step(const float* x, const Int8Scale& scale, std::uint8_t* to) {
  const __m256i mixed = _mm256_packus_epi16(sixteen_codes(x, scale), sixteen_codes(x + 16, scale));
  store_bits(to, _mm256_permute4x64_epi64(mixed, _MM_SHUFFLE(3, 1, 2, 0)));
}

XFQ_INLINE __m128i load16(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
XFQ_INLINE void copy_step(const std::uint8_t* codes, Code* to) {
  store_bits(to, _mm256_cvtepu8_epi16(load16(codes)));
  store_bits(to + 16, _mm256_cvtepu8_epi16(load16(codes + 16)));
}

struct Magnitudes {
  __m256 v[4];
};
XFQ_INLINE Magnitudes no_magnitudes() {
  const __m256 zero = _mm256_setzero_ps();
  return {{zero, zero, zero, zero}};
}
XFQ_INLINE float reduce_max(const Magnitudes& m) {
  const __m256 x8 = _mm256_max_ps(_mm256_max_ps(m.v[0], m.v[1]), _mm256_max_ps(m.v[2], m.v[3]));
  const __m128 x4 = _mm_max_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_max_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_max_ss(x2, _mm_shuffle_ps(x2, x2, 1)));
}
// The order of the operands leaves NaN out.
XFQ_INLINE Magnitudes magnitude_step(const float* x, Magnitudes m) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  XFQ_UNROLL
  for (int i = 0; i < 4; ++i) {
    m.v[i] = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + i * 8)), m.v[i]);
  }
  return m;
}

XFQ_INLINE __m256i four_codes(const Code* a) {
  long long bits;
  __builtin_memcpy(&bits, a, sizeof bits);
  return _mm256_set1_epi64x(bits);
}
XFQ_INLINE __m256i load_ints(const std::int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// Each register holds two partial sums of four columns.
template <int rows, int vectors>
static void tile(Size groups, const Code* a, Size stride, const std::int8_t* b, const Tile& t) {
  static_assert(vectors == 1, "the loop below is over one vector of 16 columns");
  for (int j = 0; j < 16; j += 8) {
    __m256i sum[rows][2];
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    const Code* a_group = a;
    const std::int8_t* b_group = b + j * kInt8Group;
    for (Size g = 0; g < groups; ++g) {
      const __m256i b0 = _mm256_cvtepi8_epi16(load16(b_group));
      const __m256i b1 = _mm256_cvtepi8_epi16(load16(b_group + 16));
      XFQ_UNROLL
      for (int r = 0; r < rows; ++r) {
        const __m256i av = four_codes(a_group + r * stride);
        sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(av, b0));
        sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(av, b1));
        // Row by row: g++ otherwise takes all rows at once and runs out of registers.
        __asm__("" : "+x"(sum[r][0]), "+x"(sum[r][1]));
      }
      a_group += kInt8Group;
      b_group += t.b_stride;
    }
    const __m256i correction =
        _mm256_mullo_epi32(_mm256_set1_epi32(t.zero_point), load_ints(t.column_sums + j));
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r) {
      const __m256i mixed = _mm256_hadd_epi32(sum[r][0], sum[r][1]);
      const __m256i total =
          _mm256_sub_epi32(_mm256_permute4x64_epi64(mixed, _MM_SHUFFLE(3, 1, 2, 0)), correction);
      if (t.c != nullptr) {
        store_bits(t.c + r * t.ldc + j, total);
      } else {
        const __m256 factor =
            _mm256_mul_ps(_mm256_set1_ps(t.row_steps[r]), _mm256_loadu_ps(t.column_steps + j));
        __m256 y = _mm256_mul_ps(factor, _mm256_cvtepi32_ps(total));
        if (t.bias != nullptr) y = _mm256_add_ps(y, _mm256_loadu_ps(t.bias + j));
        _mm256_storeu_ps(t.y + r * t.ldy + j, y);
      }
    }
  }
}

#include "int8_linear.inl"

constexpr Int8Kernels kTable = {"avx2", run, quantize, largest_magnitude};

}  // namespace
}  // namespace xfq::kernels::int8_avx2_code

namespace xfq::kernels {
const Int8Kernels* int8_avx2() { return &int8_avx2_code::kTable; }
}  // namespace xfq::kernels
#else
namespace xfq::kernels {
const Int8Kernels* int8_avx2() { return nullptr; }
}  // namespace xfq::kernels
#endif
