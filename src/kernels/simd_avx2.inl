// 16 floats in two 256-bit registers. Every operation is the exact counterpart of
// its namesake in simd_portable.inl, where the meaning is written down.
// Included inside a namespace of its own; see vector_kernels.inl.

struct F16 {
  __m256 low, high;
};
struct I16 {
  __m256i low, high;
};
struct M16 {
  __m256 low, high;
};
struct D16 {
  __m256d v[4];
};

XFQ_INLINE F16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
XFQ_INLINE void store(float* p, F16 x) {
  _mm256_storeu_ps(p, x.low);
  _mm256_storeu_ps(p + 8, x.high);
}
XFQ_INLINE F16 set1(float x) {
  const __m256 v = _mm256_set1_ps(x);
  return {v, v};
}
XFQ_INLINE M16 first_n(Size n) {
  const __m256i limit = _mm256_set1_epi32(static_cast<int>(n));
  const __m256i low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i high = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, low)),
          _mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, high))};
}
XFQ_INLINE F16 select(M16 m, F16 yes, F16 no) {
  return {_mm256_blendv_ps(no.low, yes.low, m.low), _mm256_blendv_ps(no.high, yes.high, m.high)};
}
XFQ_INLINE F16 load_n(const float* p, Size n, F16 fill) {
  const M16 m = first_n(n);
  const F16 x = {_mm256_maskload_ps(p, _mm256_castps_si256(m.low)),
                 _mm256_maskload_ps(p + 8, _mm256_castps_si256(m.high))};
  return select(m, x, fill);
}
XFQ_INLINE void store_n(float* p, Size n, F16 x) {
  const M16 m = first_n(n);
  _mm256_maskstore_ps(p, _mm256_castps_si256(m.low), x.low);
  _mm256_maskstore_ps(p + 8, _mm256_castps_si256(m.high), x.high);
}

XFQ_INLINE F16 add(F16 a, F16 b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
XFQ_INLINE F16 sub(F16 a, F16 b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
XFQ_INLINE F16 mul(F16 a, F16 b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
XFQ_INLINE F16 div(F16 a, F16 b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
XFQ_INLINE F16 sqrt(F16 a) { return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)}; }
XFQ_INLINE F16 fma(F16 a, F16 b, F16 c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
XFQ_INLINE F16 fnma(F16 a, F16 b, F16 c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
XFQ_INLINE F16 min(F16 a, F16 b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
XFQ_INLINE F16 max(F16 a, F16 b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
XFQ_INLINE F16 abs(F16 a) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(bit, a.low), _mm256_andnot_ps(bit, a.high)};
}
XFQ_INLINE F16 copysign(F16 magnitude, F16 sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.low), _mm256_and_ps(bit, sign.low)),
          _mm256_or_ps(_mm256_andnot_ps(bit, magnitude.high), _mm256_and_ps(bit, sign.high))};
}

XFQ_INLINE M16 less(F16 a, F16 b) {
  return {_mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ), _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ)};
}
XFQ_INLINE M16 equal(F16 a, F16 b) {
  return {_mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ), _mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ)};
}

XFQ_INLINE I16 bits(F16 a) { return {_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)}; }
XFQ_INLINE F16 from_bits(I16 a) {
  return {_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high)};
}
XFQ_INLINE I16 int_set1(std::int32_t x) {
  const __m256i v = _mm256_set1_epi32(x);
  return {v, v};
}
XFQ_INLINE I16 int_add(I16 a, I16 b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
XFQ_INLINE I16 int_sub(I16 a, I16 b) {
  return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}
XFQ_INLINE I16 int_and(I16 a, I16 b) {
  return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)};
}
XFQ_INLINE I16 shift_right_23(I16 a) {
  return {_mm256_srai_epi32(a.low, 23), _mm256_srai_epi32(a.high, 23)};
}
XFQ_INLINE F16 to_float(I16 a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }

XFQ_INLINE __m256 power_of_two(__m256i n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
XFQ_INLINE F16 scale_by_power(F16 p, F16 shifted, F16 n) {
  (void)n;
  const I16 power = int_sub(bits(shifted), bits(set1(kRoundMagic)));
  const __m256i low = _mm256_srai_epi32(power.low, 1), high = _mm256_srai_epi32(power.high, 1);
  const F16 first = {power_of_two(low), power_of_two(high)};
  const F16 second = {power_of_two(_mm256_sub_epi32(power.low, low)),
                      power_of_two(_mm256_sub_epi32(power.high, high))};
  return mul(mul(p, first), second);
}

XFQ_INLINE float lane0(F16 a) { return _mm256_cvtss_f32(a.low); }
XFQ_INLINE float reduce_add(F16 a) {
  const __m256 x8 = _mm256_add_ps(a.low, a.high);
  const __m128 x4 = _mm_add_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_add_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_add_ss(x2, _mm_shuffle_ps(x2, x2, 1)));
}
XFQ_INLINE float reduce_max(F16 a) {
  const __m256 x8 = _mm256_max_ps(a.low, a.high);
  const __m128 x4 = _mm_max_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_max_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_max_ss(x2, _mm_shuffle_ps(x2, x2, 1)));
}

XFQ_INLINE D16 double_zero() {
  const __m256d zero = _mm256_setzero_pd();
  return {{zero, zero, zero, zero}};
}
XFQ_INLINE D16 add_square(F16 x, D16 sum) {
  const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(x.low));
  const __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps(x.low, 1));
  const __m256d c = _mm256_cvtps_pd(_mm256_castps256_ps128(x.high));
  const __m256d d = _mm256_cvtps_pd(_mm256_extractf128_ps(x.high, 1));
  return {{_mm256_fmadd_pd(a, a, sum.v[0]), _mm256_fmadd_pd(b, b, sum.v[1]),
           _mm256_fmadd_pd(c, c, sum.v[2]), _mm256_fmadd_pd(d, d, sum.v[3])}};
}
XFQ_INLINE double reduce_add(D16 a) {
  const __m256d x4 = _mm256_add_pd(_mm256_add_pd(a.v[0], a.v[2]), _mm256_add_pd(a.v[1], a.v[3]));
  const __m128d x2 = _mm_add_pd(_mm256_castpd256_pd128(x4), _mm256_extractf128_pd(x4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(x2, _mm_unpackhi_pd(x2, x2)));
}

XFQ_INLINE void transpose8(__m256 (&r)[8]) {
  __m256 t[8], u[8];
  XFQ_UNROLL
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  XFQ_UNROLL
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  XFQ_UNROLL
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}
// Rows of a 16 x 16 block become its columns.
XFQ_INLINE void transpose(F16 (&r)[16]) {
  __m256 a[8], b[8], c[8], d[8];
  XFQ_UNROLL
  for (int i = 0; i < 8; ++i) {
    a[i] = r[i].low;
    b[i] = r[i].high;
    c[i] = r[i + 8].low;
    d[i] = r[i + 8].high;
  }
  transpose8(a);
  transpose8(b);
  transpose8(c);
  transpose8(d);
  XFQ_UNROLL
  for (int i = 0; i < 8; ++i) {
    r[i] = {a[i], c[i]};
    r[i + 8] = {b[i], d[i]};
  }
}
