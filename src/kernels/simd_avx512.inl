// 16 floats in one 512-bit register. Every operation is the exact counterpart of
// its namesake in simd_portable.inl, where the meaning is written down.
// Included inside a namespace of its own; see vector_kernels.inl.

struct F16 {
  __m512 v;
};
struct I16 {
  __m512i v;
};
struct M16 {
  __mmask16 m;
};
struct D16 {
  __m512d low, high;
};

XFQ_INLINE F16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
XFQ_INLINE void store(float* p, F16 x) { _mm512_storeu_ps(p, x.v); }
XFQ_INLINE F16 set1(float x) { return {_mm512_set1_ps(x)}; }
XFQ_INLINE M16 first_n(Size n) { return {static_cast<__mmask16>((1u << n) - 1u)}; }
XFQ_INLINE F16 load_n(const float* p, Size n, F16 fill) {
  return {_mm512_mask_loadu_ps(fill.v, first_n(n).m, p)};
}
XFQ_INLINE void store_n(float* p, Size n, F16 x) { _mm512_mask_storeu_ps(p, first_n(n).m, x.v); }

XFQ_INLINE F16 add(F16 a, F16 b) { return {_mm512_add_ps(a.v, b.v)}; }
XFQ_INLINE F16 sub(F16 a, F16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
XFQ_INLINE F16 mul(F16 a, F16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
XFQ_INLINE F16 div(F16 a, F16 b) { return {_mm512_div_ps(a.v, b.v)}; }
XFQ_INLINE F16 sqrt(F16 a) { return {_mm512_sqrt_ps(a.v)}; }
XFQ_INLINE F16 fma(F16 a, F16 b, F16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
XFQ_INLINE F16 fnma(F16 a, F16 b, F16 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
XFQ_INLINE F16 min(F16 a, F16 b) { return {_mm512_min_ps(a.v, b.v)}; }
XFQ_INLINE F16 max(F16 a, F16 b) { return {_mm512_max_ps(a.v, b.v)}; }
XFQ_INLINE F16 abs(F16 a) { return {_mm512_abs_ps(a.v)}; }
XFQ_INLINE F16 copysign(F16 magnitude, F16 sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return {_mm512_or_ps(_mm512_andnot_ps(bit, magnitude.v), _mm512_and_ps(bit, sign.v))};
}

XFQ_INLINE M16 less(F16 a, F16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
XFQ_INLINE M16 equal(F16 a, F16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
XFQ_INLINE F16 select(M16 m, F16 yes, F16 no) { return {_mm512_mask_blend_ps(m.m, no.v, yes.v)}; }

XFQ_INLINE I16 bits(F16 a) { return {_mm512_castps_si512(a.v)}; }
XFQ_INLINE F16 from_bits(I16 a) { return {_mm512_castsi512_ps(a.v)}; }
XFQ_INLINE I16 int_set1(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
XFQ_INLINE I16 int_add(I16 a, I16 b) { return {_mm512_add_epi32(a.v, b.v)}; }
XFQ_INLINE I16 int_sub(I16 a, I16 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
XFQ_INLINE I16 int_and(I16 a, I16 b) { return {_mm512_and_si512(a.v, b.v)}; }
XFQ_INLINE I16 shift_right_23(I16 a) { return {_mm512_srai_epi32(a.v, 23)}; }
XFQ_INLINE F16 to_float(I16 a) { return {_mm512_cvtepi32_ps(a.v)}; }

// scalef rounds p 2^n once, as the two multiplications of the other files do.
XFQ_INLINE F16 scale_by_power(F16 p, F16 shifted, F16 n) {
  (void)shifted;
  return {_mm512_scalef_ps(p.v, n.v)};
}

XFQ_INLINE float lane0(F16 a) { return _mm512_cvtss_f32(a.v); }
XFQ_INLINE float reduce_add(F16 a) {
  const __m256 x8 = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 x4 = _mm_add_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_add_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_add_ss(x2, _mm_shuffle_ps(x2, x2, 1)));
}
XFQ_INLINE float reduce_max(F16 a) {
  const __m256 x8 = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 x4 = _mm_max_ps(_mm256_castps256_ps128(x8), _mm256_extractf128_ps(x8, 1));
  const __m128 x2 = _mm_max_ps(x4, _mm_movehl_ps(x4, x4));
  return _mm_cvtss_f32(_mm_max_ss(x2, _mm_shuffle_ps(x2, x2, 1)));
}

XFQ_INLINE D16 double_zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
XFQ_INLINE D16 add_square(F16 x, D16 sum) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x.v));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.v, 1));
  return {_mm512_fmadd_pd(low, low, sum.low), _mm512_fmadd_pd(high, high, sum.high)};
}
XFQ_INLINE double reduce_add(D16 a) {
  const __m512d x8 = _mm512_add_pd(a.low, a.high);
  const __m256d x4 = _mm256_add_pd(_mm512_castpd512_pd256(x8), _mm512_extractf64x4_pd(x8, 1));
  const __m128d x2 = _mm_add_pd(_mm256_castpd256_pd128(x4), _mm256_extractf128_pd(x4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(x2, _mm_unpackhi_pd(x2, x2)));
}

// Rows of a 16 x 16 block become its columns.
XFQ_INLINE void transpose(F16 (&r)[16]) {
  __m512 t[16];
  XFQ_UNROLL
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  __m512 u[16];
  XFQ_UNROLL
  for (int i = 0; i < 16; i += 4) {
    const __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
    const __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
    u[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    u[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    u[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    u[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
  // u[4 g + c] holds, in its 128-bit part q, column 4 q + c of rows 4 g .. 4 g + 3.
  XFQ_UNROLL
  for (int c = 0; c < 4; ++c) {
    const __m512 p = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x88);
    const __m512 q = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x88);
    const __m512 s = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xdd);
    const __m512 t4 = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xdd);
    r[c].v = _mm512_shuffle_f32x4(p, q, 0x88);
    r[8 + c].v = _mm512_shuffle_f32x4(p, q, 0xdd);
    r[4 + c].v = _mm512_shuffle_f32x4(s, t4, 0x88);
    r[12 + c].v = _mm512_shuffle_f32x4(s, t4, 0xdd);
  }
}
