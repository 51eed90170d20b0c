// 16 floats as an array: what any processor can do, and the meaning of every
// operation of the other simd_*.inl. fma is one rounding everywhere (the compiler's
// builtin: an instruction where the target has one, the C library otherwise).
// Included inside a namespace of its own; see vector_kernels.inl.

struct F16 {
  float v[16];
};
struct I16 {
  std::int32_t v[16];
};
struct M16 {
  bool v[16];
};
struct D16 {
  double v[16];
};

#define XFQ_EACH(type, expression)                    \
  type r;                                             \
  for (int i = 0; i < 16; ++i) r.v[i] = (expression); \
  return r

XFQ_INLINE F16 load(const float* p) { XFQ_EACH(F16, p[i]); }
XFQ_INLINE void store(float* p, F16 x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
XFQ_INLINE F16 set1(float x) { XFQ_EACH(F16, x); }
// The first n lanes, 0 <= n <= 16.
XFQ_INLINE M16 first_n(Size n) { XFQ_EACH(M16, i < n); }
// n lanes from memory, `fill` in the others; nothing beyond p[n - 1] is touched.
XFQ_INLINE F16 load_n(const float* p, Size n, F16 fill) { XFQ_EACH(F16, i < n ? p[i] : fill.v[i]); }
XFQ_INLINE void store_n(float* p, Size n, F16 x) {
  for (int i = 0; i < n; ++i) p[i] = x.v[i];
}

XFQ_INLINE F16 add(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] + b.v[i]); }
XFQ_INLINE F16 sub(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] - b.v[i]); }
XFQ_INLINE F16 mul(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] * b.v[i]); }
XFQ_INLINE F16 div(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] / b.v[i]); }
XFQ_INLINE F16 sqrt(F16 a) { XFQ_EACH(F16, __builtin_sqrtf(a.v[i])); }
// a b + c and c - a b, rounded once.
XFQ_INLINE F16 fma(F16 a, F16 b, F16 c) { XFQ_EACH(F16, __builtin_fmaf(a.v[i], b.v[i], c.v[i])); }
XFQ_INLINE F16 fnma(F16 a, F16 b, F16 c) { XFQ_EACH(F16, __builtin_fmaf(-a.v[i], b.v[i], c.v[i])); }
// The second argument when they are equal or either is NaN.
XFQ_INLINE F16 min(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
XFQ_INLINE F16 max(F16 a, F16 b) { XFQ_EACH(F16, a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
XFQ_INLINE F16 abs(F16 a) { XFQ_EACH(F16, __builtin_fabsf(a.v[i])); }
XFQ_INLINE F16 copysign(F16 magnitude, F16 sign) {
  XFQ_EACH(F16, __builtin_copysignf(magnitude.v[i], sign.v[i]));
}

// False when either is NaN.
XFQ_INLINE M16 less(F16 a, F16 b) { XFQ_EACH(M16, a.v[i] < b.v[i]); }
XFQ_INLINE M16 equal(F16 a, F16 b) { XFQ_EACH(M16, a.v[i] == b.v[i]); }
XFQ_INLINE F16 select(M16 m, F16 yes, F16 no) { XFQ_EACH(F16, m.v[i] ? yes.v[i] : no.v[i]); }

XFQ_INLINE I16 bits(F16 a) {
  I16 r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
XFQ_INLINE F16 from_bits(I16 a) {
  F16 r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
// Integers wrap around.
XFQ_INLINE std::int32_t wrapped(std::uint32_t x) { return static_cast<std::int32_t>(x); }
XFQ_INLINE std::uint32_t raw(std::int32_t x) { return static_cast<std::uint32_t>(x); }
XFQ_INLINE I16 int_set1(std::int32_t x) { XFQ_EACH(I16, x); }
XFQ_INLINE I16 int_add(I16 a, I16 b) { XFQ_EACH(I16, wrapped(raw(a.v[i]) + raw(b.v[i]))); }
XFQ_INLINE I16 int_sub(I16 a, I16 b) { XFQ_EACH(I16, wrapped(raw(a.v[i]) - raw(b.v[i]))); }
XFQ_INLINE I16 int_and(I16 a, I16 b) { XFQ_EACH(I16, a.v[i] & b.v[i]); }
// Arithmetic: the sign fills in.
XFQ_INLINE I16 shift_right_23(I16 a) { XFQ_EACH(I16, a.v[i] >> 23); }
XFQ_INLINE F16 to_float(I16 a) { XFQ_EACH(F16, static_cast<float>(a.v[i])); }

// p 2^n for |n| <= 160, rounded once; `shifted` is n + kRoundMagic.
XFQ_INLINE F16 scale_by_power(F16 p, F16 shifted, F16 n) {
  (void)n;
  const I16 power = int_sub(bits(shifted), bits(set1(kRoundMagic)));
  I16 first, second;
  for (int i = 0; i < 16; ++i) {
    const std::int32_t half = power.v[i] >> 1;
    first.v[i] = wrapped((raw(half) + 127u) << 23);
    second.v[i] = wrapped((raw(power.v[i]) - raw(half) + 127u) << 23);
  }
  return mul(mul(p, from_bits(first)), from_bits(second));
}

XFQ_INLINE float lane0(F16 a) { return a.v[0]; }
// The fixed tree: lane j with lane j + 8, then j + 4, j + 2, j + 1.
XFQ_INLINE float reduce_add(F16 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  }
  return a.v[0];
}
XFQ_INLINE float reduce_max(F16 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] = a.v[i] > a.v[i + half] ? a.v[i] : a.v[i + half];
  }
  return a.v[0];
}

XFQ_INLINE D16 double_zero() { XFQ_EACH(D16, 0.0 * i); }
// The product of two floats is exact in double.
XFQ_INLINE D16 add_square(F16 x, D16 sum) {
  XFQ_EACH(D16, static_cast<double>(x.v[i]) * static_cast<double>(x.v[i]) + sum.v[i]);
}
XFQ_INLINE double reduce_add(D16 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.v[i] += a.v[i + half];
  }
  return a.v[0];
}

// Rows of a 16 x 16 block become its columns.
XFQ_INLINE void transpose(F16 (&r)[16]) {
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < i; ++j) {
      const float keep = r[i].v[j];
      r[i].v[j] = r[j].v[i];
      r[j].v[i] = keep;
    }
  }
}

#undef XFQ_EACH
